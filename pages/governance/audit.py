"""The audit trail: read, filter, export and verify."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import streamlit as st

from modelops.domain.people import Actor, Right
from modelops.errors import VerificationFailed
from modelops.services import trail
from modelops.services.keyring import open_keys
from modelops.services.named_trail import named_entries
from modelops.store import Store
from modelops.store.queries_audit import AuditFilter, actions, actors, last_checkpoint, length
from modelops.store.queries_audit import page as entries
from modelops.store.queries_people import names_of
from modelops.store.tables import AuditRow, ModelRow
from modelops.ui import frame, widgets
from modelops.ui.acts import act_choices, choice_words
from modelops.ui.audit_entries import show_entries, show_entry
from modelops.ui.text import plain, utc

SHOWN = 50
Export = Callable[..., bytes]
FORMS: dict[str, tuple[Export, str]] = {
    "CSV": (trail.export_csv, "text/csv"),
    "JSON": (trail.export_json, "application/json"),
}
page = frame.open_page("Audit trail", needs=Right.READ_AUDIT)

widgets.heading(
    "Audit trail", lead="Who did what, when, with the old and the new value. Entries are chained and never changed."
)
with page.store.reading() as reader:
    acts = act_choices(actions(reader))
    acted = actors(reader)
    names = names_of(reader)
    models = {model.id: model.name for model in reader.all(ModelRow)}
    size = length(reader)
    checkpoint = last_checkpoint(reader)

with st.container(border=True):
    facts, act = st.columns([3, 2], vertical_alignment="center")
    with facts:
        held = f"last signed checkpoint {utc(checkpoint.at)}" if checkpoint else "no signed checkpoint yet"
        st.markdown(plain(f"{size:,} entries, {held}"))
    with act, st.container(horizontal=True):
        verify = st.button("Verify all", icon=":material/verified:")
        keys = open_keys(page.settings.keys, page.store, at=page.at)
        if st.button(
            "Sign a checkpoint", icon=":material/anchor:", help="A file to keep where this app cannot reach it."
        ):
            with frame.refusals_shown():
                st.session_state["anchor"] = trail.anchor(page.store, keys, actor=page.actor, at=page.at)
    if verify:
        with frame.refusals_shown():
            try:
                report = trail.verify_trail(page.store, keys)
            except VerificationFailed as error:
                st.error(plain(error), icon=":material/report:")
            else:
                st.success(
                    f"All {report.entries:d} entries are unbroken, and fit {report.checkpoints:d} signed checkpoints.",
                    icon=":material/check_circle:",
                )
    if "anchor" in st.session_state:
        st.download_button(
            "Save the checkpoint", st.session_state["anchor"], file_name="checkpoint.txt", on_click="ignore"
        )


def people() -> dict[str, tuple[int, str]]:
    """Return who may be asked for: accounts by the name of today, and those without one by what they were called."""
    numbers = sorted({number for number, _ in acted if number}, key=lambda one: (names.get(one, "").casefold(), one))
    known = {str(number): (number, "") for number in numbers}
    return known | {name: (0, name) for number, name in acted if not number}


def called(choice: str) -> str:
    """Return the name of a choice of `people`, with the earlier names of the same account."""
    number, name = who_acted[choice]
    if not number:
        return name
    earlier = [before for one, before in acted if one == number and before != names.get(number)]
    return names.get(number, f"account {number}") + (f" (earlier {', '.join(earlier)})" if earlier else "")


def midnight(day: date) -> datetime:
    """Return when a day begins, in UTC."""
    return datetime.combine(day, time(), UTC)


who_acted = people()
with st.container(border=True):
    first, second = st.columns(4), st.columns(4)
    who = first[0].selectbox(
        "Person", ["", *who_acted], key="who", format_func=lambda one: called(one) if one else "All"
    )
    act_asked = first[1].selectbox(
        "Act", ["", *acts], key="action", format_func=lambda one: choice_words(one) if one else "All"
    )
    model = first[2].selectbox(
        "Model", [None, *models], key="model", format_func=lambda one: models[one] if one else "All"
    )
    about = first[3].text_input("About", key="about", bind="query-params", placeholder="review/3")
    since = second[0].date_input("From", value=None, key="since", format="YYYY-MM-DD", help="Days begin at 00:00 UTC.")
    until = second[1].date_input("Until", value=None, key="until", format="YYYY-MM-DD", help="This day is included.")
    text = second[2].text_input(
        "Contains", key="text", bind="query-params", placeholder="Any text", help="In what the entry itself says."
    )
    entry = second[3].number_input(
        "Entry",
        min_value=1,
        max_value=max(size, 1),
        value=None,
        key="entry",
        bind="query-params",
        placeholder="One by its number",
        help="One entry in full, with the exact bytes that are hashed.",
    )
if entry:
    with page.store.reading() as reader:
        row = reader.get(AuditRow, entry, what="entry of the audit trail")
        (named,) = named_entries(reader, [row])
    show_entry(named, row.body)
    st.stop()
actor_id, actor_name = who_acted.get(who or "", (None, ""))
wanted = AuditFilter(
    text=text,
    action=act_asked or "",
    subject=about.strip(),
    model_id=model,
    actor_id=actor_id,
    actor_name=actor_name,
    since=midnight(since) if since else None,
    until=midnight(until) + timedelta(days=1) if until else None,
)
if st.session_state.get("asked") != wanted:
    st.session_state.update(asked=wanted, before=[], made={})
turned: list[int] = st.session_state["before"]
with page.store.reading() as reader:
    rows = list(entries(reader, wanted, limit=SHOWN + 1, before=turned[-1] if turned else None))
    shown = named_entries(reader, rows[:SHOWN])
if not rows:
    widgets.empty_place("Nothing fits", "No entry has all of this. Clear a filter.")
    st.stop()
show_entries(shown)


def turn(before: int | None) -> None:
    """Go on to the entries before this number, or one step back."""
    turned.append(before) if before else turned.pop()


def export(store: Store, asked: AuditFilter, by: Actor, at: datetime, form: str) -> None:
    """Make a file of everything that fits."""
    with frame.refusals_kept("export"):
        st.session_state["made"][form] = FORMS[form][0](store, asked, actor=by, at=at)


newest, oldest = shown[0].entry.sequence, shown[-1].entry.sequence
with st.container(horizontal=True, vertical_alignment="center"):
    st.caption(f"Entries {newest:d} to {oldest:d} of those that fit, the newest first.", width="content")
    st.space("stretch")
    st.button("Newer", icon=":material/arrow_back:", disabled=not turned, on_click=turn, args=(None,))
    st.button("Older", icon=":material/arrow_forward:", disabled=len(rows) <= SHOWN, on_click=turn, args=(oldest,))
with st.container(horizontal=True):
    for form, (_, mime) in FORMS.items():
        st.button(
            f"Make a {form} of everything that fits",
            icon=":material/download:",
            on_click=export,
            args=(page.store, wanted, page.actor, page.at, form),
        )
        if form in st.session_state["made"]:
            st.download_button(
                f"Save the {form}",
                st.session_state["made"][form],
                file_name=f"audit.{form.lower()}",
                mime=mime,
                on_click="ignore",
            )
frame.show_kept("export")
