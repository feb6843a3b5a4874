"""The versions of a data contract: publishing one, the files it is handed out as, every change."""

from __future__ import annotations

import streamlit as st

from modelops.domain.contract import Contract
from modelops.reports import contract_formats
from modelops.services import contracts
from modelops.store.queries_contracts import revisions
from modelops.store.queries_review import names as people_named
from modelops.store.tables import ContractRow
from modelops.ui import frame, widgets
from modelops.ui.frame import Page
from modelops.ui.text import utc

_MOST = 50


def versions(page: Page, row: ContractRow, contract: Contract, *, may_publish: bool) -> None:
    """Show how to publish the contract, the files it is handed out as, and every change of it."""
    left, right = st.columns(2, gap="large")
    with left:
        _publishing(page, row, contract, may_publish=may_publish)
    with right:
        _files(row.model_id, contract)
    st.subheader("Every change", anchor=False)
    with page.store.reading() as reader:
        rows = revisions(reader, row.model_id, limit=_MOST)
        people = people_named(reader, [each.created_by for each in rows])
    st.dataframe(
        [
            {
                "Revision": each.revision,
                "Version": each.version,
                "Act": each.act,
                "What": each.subject,
                "Who": people.get(each.created_by, "ModelOps"),
                "When": utc(each.created_at),
                "Reason": each.reason,
                "Digest": each.digest.short,
            }
            for each in rows
        ],
        hide_index=True,
        width="stretch",
        placeholder="",
        column_config={"Version": st.column_config.NumberColumn(help="Filled where the revision was published.")},
    )


def _publishing(page: Page, row: ContractRow, contract: Contract, *, may_publish: bool) -> None:
    st.subheader("Publish", anchor=False)
    if contract.version:
        st.caption(
            f"Version {contract.version:d} is published, and nothing changed since. Under the questions of a review"
            " that ask for the data contract, it is attached by one click."
        )
    elif may_publish and contract.checks:
        with st.form(f"publish {row.revision}", border=False):
            reason = st.text_input("What changed, and why?", max_chars=2000)
            done = st.form_submit_button("Publish the next version", type="primary")
        if done:
            with frame.refusals_shown():
                contracts.publish(
                    page.store, row.model_id, actor=page.actor, at=page.at, seen=row.revision, reason=reason
                )
                st.rerun()
    else:
        st.caption("This draft is not published yet.")


def _files(model_id: int, contract: Contract) -> None:
    st.subheader("Take it along", anchor=False)
    name = f"data-contract-{model_id}" + (f"-v{contract.version}" if contract.version else "-draft")
    files = (
        ("The contract (JSON)", contract.text, f"{name}.json", "application/json"),
        ("JSON Schema of its rows", contract_formats.json_schema(contract), f"{name}.schema.json", "application/json"),
        ("Python for pandera", contract_formats.pandera_source(contract), f"{name}_pandera.py", "text/x-python"),
    )
    for label, content, file_name, kind in files:
        st.download_button(
            label, content, file_name=file_name, mime=kind, on_click="ignore", icon=":material/download:", key=file_name
        )
    st.caption("A row of JSON Schema knows nothing of other rows; pandera gets every check.")
    st.caption("Digest of the contract")
    widgets.digest(contract.digest, whole=True)
