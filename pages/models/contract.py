"""The data contract of a model: what is assumed of its data, check by check; edited, accepted, published, run."""

import streamlit as st

from modelops.analyses.data_contract import DATA_CONTRACT
from modelops.domain.columns import TableSummary
from modelops.domain.contract import Check, Contract, demand
from modelops.domain.inventory import DatasetRole
from modelops.domain.people import Right
from modelops.services import contracts, runs
from modelops.store.queries_contracts import newest
from modelops.store.queries_inventory import datasets_of
from modelops.store.queries_review import names as people_named
from modelops.store.queries_runs import runs_of
from modelops.store.tables import ModelRow, RunState
from modelops.ui import frame, widgets
from modelops.ui.contract_versions import versions
from modelops.ui.contracts import WORDS, alarm_words, fits, list_of, read_rule, rule_fields, standing
from modelops.ui.models import MODEL, crumbs, fact
from modelops.ui.runs import RUN, names_for, run_line
from modelops.ui.text import ago, plain
from modelops.ui.widgets import Tone

CHECKS, HOLD, VERSIONS = "Checks", "Run it", "Versions and files"
CHOSEN, JUST_ADDED, LINES = "the check to work on", "the check that was added", "lines of checks"
MANY = 8
FIRST_ROLES = (DatasetRole.REFERENCE, DatasetRole.TRAIN, DatasetRole.TEST)

page = frame.open_page("Data contract", needs=Right.READ)
actor = page.actor
with page.store.reading() as reader:
    model = reader.get(ModelRow, page.wanted("model", what="model"), what="model")
    row = newest(reader, model.id)
    datasets = {dataset.id: dataset for dataset in datasets_of(reader, model.id)}
    finished = [
        run
        for run in runs_of(reader, model_id=model.id)
        if run.analysis == DATA_CONTRACT.key and run.state is RunState.FINISHED
    ]
    writer = people_named(reader, [row.created_by]).get(row.created_by, "ModelOps") if row else ""
contract = contracts.contract_of(row) if row else Contract(name=model.name)
seen = row.revision if row else 0
may_edit = Right.ANSWER in actor.rights
columns = list(
    dict.fromkeys(
        column.name for dataset in datasets.values() for column in TableSummary.model_validate(dataset.summary).columns
    )
)
titles = {number: f"{dataset.name} ({dataset.role}, {dataset.rows:,} rows)" for number, dataset in datasets.items()}


def choose_dataset(label: str, *roles: DatasetRole, key: str) -> int | None:
    """Ask for a dataset; the newest with the first of ``roles`` that there is comes first."""
    options = list(titles)
    likely = (number for role in roles for number, dataset in datasets.items() if dataset.role is role)
    return st.selectbox(
        label, options, index=options.index(next(likely, options[0])), format_func=lambda each: titles[each], key=key
    )


def show_learning() -> None:
    """Learn checks from a dataset, and take over what a run learned."""
    if not datasets:
        st.info("Checks are learned from a table of rows that are known to be good. Add a dataset to the model first.")
        st.page_link(MODEL, label="Add a dataset", query_params={"model": str(model.id), "tab": "Data"})
        return
    with st.form("learn", border=False):
        data_id = choose_dataset("Good rows to learn from", *FIRST_ROLES, key="learn from")
        st.caption("From one half of the rows checks are learned, on the other half their false alarms are counted.")
        asked = st.form_submit_button("Learn checks", type="primary", icon=":material/auto_awesome:")
    if asked and data_id:
        with frame.refusals_shown():
            run = runs.request_run(
                page.store,
                DATA_CONTRACT.key,
                actor=page.actor,
                at=page.at,
                data_id=data_id,
                reference_id=data_id,
            )
            st.switch_page(RUN, query_params={"run": str(run.id)})
    if finished:
        latest = finished[0]
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            taken = st.button(f"Take over the checks of run {latest.id:d}", icon=":material/download_done:")
            st.page_link(RUN, label=f"see run {latest.id:d}", query_params={"run": str(latest.id)}, width="content")
        if taken:
            with frame.refusals_shown():
                contracts.take_over(page.store, model.id, latest.id, actor=page.actor, at=page.at, seen=seen)
                st.rerun()


def show_beginning() -> None:
    """Say what a contract is, and start one."""
    if not may_edit:
        st.info("This model has no data contract yet. An author starts one.")
        return
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Learn one from data", anchor=False)
        show_learning()
    with right:
        st.subheader("Or write it yourself", anchor=False)
        with st.form("begin", border=False):
            name = st.text_input("Name of the contract", f"Data of {model.name}"[:150], max_chars=150)
            begun = st.form_submit_button("Start an empty contract")
        if begun:
            with frame.refusals_shown():
                contracts.begin_contract(page.store, model.id, actor=page.actor, at=page.at, name=name)
                st.rerun()


def show_checks() -> None:
    """List the checks, work on one of them, add one."""
    if JUST_ADDED in st.session_state:
        st.session_state[CHOSEN] = st.session_state.pop(JUST_ADDED)
    shown = list(contract.checks)
    if len(shown) > MANY:
        text = st.text_input("Find a check", placeholder="a column, a kind, “not accepted”", key="find")
        shown = [check for check in shown if fits(check, text)]
    if shown:
        names = [check.id for check in shown]

        def choose_line() -> None:
            lines = st.session_state[LINES]["selection"]["rows"]
            if lines and lines[0] < len(names):
                st.session_state[CHOSEN] = names[lines[0]]

        list_of(shown, choose=choose_line, key=LINES)
        if st.session_state.get(CHOSEN) not in names:
            st.session_state.pop(CHOSEN, None)
        chosen = st.selectbox(
            "Check to work on", names, index=None, placeholder="choose a line above, or here", key=CHOSEN
        )
        if chosen:
            show_one(contract.check(chosen))
    elif contract.checks:
        st.caption("No check fits.")
    else:
        st.caption("No checks yet. Learn them from good rows, or add what you know.")
    if may_edit:
        with st.expander("Add a check", icon=":material/add:", expanded=not contract.checks):
            show_adding()
        with st.expander("Learn more checks", icon=":material/auto_awesome:"):
            st.caption("What you stated, changed or accepted stays as it is.")
            show_learning()
        show_accepting()


def show_one(check: Check) -> None:
    """Show one check in full, and what can be done with it."""
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{plain(check.id)}**", width="content")
            widgets.tag(check.origin)
            if check.is_accepted:
                widgets.badge(f"accepted by {check.accepted_by}", Tone.GOOD, note=f"{check.accepted_at}")
            else:
                widgets.badge("not accepted", Tone.QUIET, note="Nobody stands for this assumption yet.")
        fact("Demands", demand(check.rule))
        fact("Why", check.why or "not said")
        fact("False alarms", alarm_words(check))
        if not may_edit:
            return
        with st.container(horizontal=True, gap="small"):
            accepted = not check.is_accepted and st.button(
                f"Accept as {plain(actor.name)}", type="primary", icon=":material/check:"
            )
            with st.popover("Remove", icon=":material/delete:"), st.form(f"remove {seen} {check.id}", border=False):
                why_not = st.text_input("Why is it removed?", max_chars=2000)
                removed = st.form_submit_button("Remove the check")
        with st.expander("Change it", icon=":material/edit:"), st.form(f"change {seen} {check.id}", border=False):
            fields = rule_fields(check.rule.kind, columns, check.rule, f"change {seen} {check.id}")
            why = st.text_area("Why is this demanded?", check.why, max_chars=2000, height=80)
            st.caption("A changed rule has to be accepted anew, and its false alarms counted anew.")
            changed = st.form_submit_button("Save the change", type="primary")
    with frame.refusals_shown():
        if accepted:
            contracts.accept_checks(page.store, model.id, [check.id], actor=page.actor, at=page.at, seen=seen)
            st.rerun()
        if removed:
            contracts.remove_check(
                page.store, model.id, check.id, actor=page.actor, at=page.at, seen=seen, reason=why_not
            )
            st.rerun()
        if changed:
            contracts.put_check(
                page.store,
                model.id,
                read_rule(check.rule.kind, fields),
                why=why,
                actor=page.actor,
                at=page.at,
                seen=seen,
                check_id=check.id,
            )
            st.rerun()


def show_adding() -> None:
    """Add one check."""
    kind = st.selectbox("What is it about?", list(WORDS), format_func=WORDS.__getitem__, key="kind of check")
    with st.form(f"add {seen} {kind}", border=False):
        fields = rule_fields(kind, columns, None, f"add {seen} {kind}")
        why = st.text_area("Why is this demanded?", max_chars=2000, height=80, key=f"why {seen} {kind}")
        added = st.form_submit_button("Add the check", type="primary")
    if added:
        with frame.refusals_shown():
            rule = read_rule(kind, fields)
            contracts.put_check(page.store, model.id, rule, why=why, actor=page.actor, at=page.at, seen=seen)
            st.session_state[JUST_ADDED] = contract.free_id(rule)
            st.rerun()


def show_accepting() -> None:
    """Accept everything that nobody stands for yet."""
    waiting = [check.id for check in contract.checks if not check.is_accepted]
    if len(waiting) < 2:
        return
    with st.popover(f"Accept all {len(waiting):d} that are open", icon=":material/done_all:"):
        st.caption("Your name will stand beside each of them. Read them first: an assumption that nobody read is none.")
        if st.button(f"Accept {len(waiting):d} checks as {plain(actor.name)}", type="primary"):
            with frame.refusals_shown():
                contracts.accept_checks(page.store, model.id, waiting, actor=page.actor, at=page.at, seen=seen)
                st.rerun()


def show_holding() -> None:
    """Hold the contract against a dataset, and show the latest runs."""
    if not contract.checks or not datasets:
        st.info("A contract with checks and a dataset are needed." if datasets else "Add a dataset to the model first.")
    elif Right.RUN in actor.rights:
        with st.form("hold", border=False):
            roles = (DatasetRole.PRODUCTION, DatasetRole.TEST, DatasetRole.TRAIN)
            data_id = choose_dataset("Dataset", *roles, key="hold against")
            asked = st.form_submit_button("Run the contract", type="primary", icon=":material/play_arrow:")
        if asked and data_id:
            with frame.refusals_shown():
                run = contracts.run_contract(page.store, model.id, actor=page.actor, at=page.at, data_id=data_id)
                st.switch_page(RUN, query_params={"run": str(run.id)})
    with page.store.reading() as reader:
        names = names_for(reader, finished)
    for run in finished[:MANY]:
        run_line(run, names, at=page.at, with_model=False)
    if not finished:
        st.caption("It was not run yet.")


def show_versions() -> None:
    """Publish, download, and see the history."""
    if row is not None:
        versions(page, row, contract, may_publish=may_edit)


widgets.breadcrumbs(crumbs(model))
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    st.title("Data contract", anchor=False, width="content")
    if contract.version:
        widgets.badge(f"version {contract.version}", Tone.GOOD, note="This is the published version.")
    elif row:
        widgets.badge("draft", Tone.BUSY, note="Not published as it stands.")
st.caption(
    "What is assumed of the data, as checks that run on every batch; each with its reason, and who stands for it."
)
if row is None:
    show_beginning()
else:
    st.markdown(f"**{plain(contract.name)}**")
    st.caption(plain(f"{standing(contract)}  ·  last changed by {writer}, {ago(row.created_at, page.at)}"))
    part = st.segmented_control(
        "Part",
        [CHECKS, HOLD, VERSIONS],
        default=CHECKS,
        key="part",
        bind="query-params",
        required=True,
        label_visibility="collapsed",
    )
    {CHECKS: show_checks, HOLD: show_holding, VERSIONS: show_versions}[part or CHECKS]()
