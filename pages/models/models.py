"""The inventory: every model, what it is for, who answers for it, and what it waits for."""

import streamlit as st

from modelops.domain.inventory import RiskTier
from modelops.domain.people import Right
from modelops.services import catalogue
from modelops.services import inventory as acts
from modelops.store.queries_inventory import ModelLine, inventory
from modelops.store.queries_people import persons
from modelops.ui import frame, widgets
from modelops.ui.models import MODEL, next_step, tier_badge, tier_note
from modelops.ui.text import plain

MOST = 50
LONGEST_PURPOSE = 220


def card(line: ModelLine) -> None:
    """Show one model of the inventory."""
    model = line.model
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.page_link(
                MODEL, label=f"**{plain(model.name)}**", query_params={"model": str(model.id)}, width="content"
            )
            tier_badge(model.risk_tier)
            if line.review:
                widgets.status(line.review.state, note="The latest review")
            st.space("stretch")
            next_step(model.id, line.latest, line.review).link()
        purpose = " ".join(model.purpose.split())
        widgets.said(purpose if len(purpose) <= LONGEST_PURPOSE else purpose[: LONGEST_PURPOSE - 1] + "…")
        versions = "1 version" if line.versions == 1 else f"{line.versions} versions"
        known = [
            f"Owner {line.owner}",
            model.business_unit,
            f"{versions}, latest {line.latest.label}" if line.latest else "",
        ]
        st.caption(plain("  ·  ".join(part for part in known if part)))


page = frame.open_page("Models", needs=Right.READ)
widgets.heading("Models", lead="Every model you answer for, and what each of them waits for.")
actor = page.actor
may_register = Right.REGISTER in actor.rights
with page.store.reading() as reader:
    lines = inventory(reader)
    owners = {person.id: person.name for person in persons(reader) if person.is_active} if may_register else {}
    policy = catalogue.policy(reader, catalogue.latest(reader)[1].digest)

if not lines:
    widgets.empty_place(
        "No model yet",
        "A model stands here with its versions, its data and its reviews. Register the first one below: its name and "
        "its purpose are enough, files come after."
        if may_register
        else "Models are registered by people with the role author. As soon as one is, it stands here.",
    )

if may_register:
    with st.expander("Register a model", icon=":material/add:", expanded=not lines), st.form("register", border=False):
        name = st.text_input("Name", max_chars=150, placeholder="Credit default, retail")
        purpose = st.text_area(
            "Purpose",
            max_chars=20_000,
            placeholder="What is decided with it, about whom or what, and what happens then",
        )
        left, right = st.columns(2)
        owner = left.selectbox(
            "Owner",
            list(owners),
            index=list(owners).index(actor.user_id) if actor.user_id in owners else 0,
            format_func=lambda number: owners[number],
            help="Who answers for the model. The owner never reviews or approves it.",
        )
        unit = right.text_input("Business unit (optional)", max_chars=150)
        tier = st.radio(
            "Risk tier",
            list(RiskTier),
            index=1,
            format_func=str.capitalize,
            captions=[plain(tier_note(policy, each)) for each in RiskTier],
        )
        submitted = st.form_submit_button("Register", type="primary")
    if submitted:
        with frame.refusals_shown():
            model = acts.register_model(
                page.store,
                actor=page.actor,
                at=page.at,
                name=name,
                purpose=purpose,
                owner_id=owner or 0,
                risk_tier=tier or RiskTier.MEDIUM,
                business_unit=unit,
            )
            st.switch_page(MODEL, query_params={"model": str(model.id)})

if not lines:
    st.stop()
with st.container(horizontal=True, vertical_alignment="bottom"):
    text = st.text_input(
        "Find a model", key="find", bind="query-params", placeholder="Name, purpose, owner or business unit"
    )
    chosen = st.segmented_control(
        "Show", ["All", "Mine", "High risk"], default="All", key="show", bind="query-params", required=True
    )


def fits(line: ModelLine) -> bool:
    """Whether a model is among those that are asked for."""
    if chosen == "Mine" and line.model.owner_id != actor.user_id:
        return False
    if chosen == "High risk" and line.model.risk_tier is not RiskTier.HIGH:
        return False
    known = (line.model.name, line.model.purpose, line.owner, line.model.business_unit)
    return (text or "").casefold() in " ".join(known).casefold()


fitting = [line for line in lines if fits(line)]
if not fitting:
    st.info("No model fits. Clear the search or show all.")
for line in fitting[:MOST]:
    card(line)
if len(fitting) > MOST:
    st.caption(f"{len(fitting) - MOST:d} more: narrow the search to see them.")
