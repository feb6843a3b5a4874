"""The gate: whether exactly these bytes may go to production."""

import streamlit as st

from modelops.domain.digest import Digest
from modelops.domain.instant import moment
from modelops.domain.people import Right
from modelops.services.gating import ask
from modelops.services.keyring import open_keys
from modelops.ui import frame, widgets
from modelops.ui.text import plain, utc

page = frame.open_page("Gate", needs=Right.GATE)
widgets.heading(
    "Gate", lead="It opens for exactly the bytes that were approved and sealed, for as long as the approval holds."
)
with st.form("gate"):
    text = st.text_input(
        "Digest of the model file", placeholder="sha256:...", help="From 'sha256sum FILE', or from the version's page."
    )
    environment = st.text_input("Environment (optional)", max_chars=80, placeholder="production")
    asked = st.form_submit_button("Ask", type="primary")
if asked:
    with frame.refusals_shown():
        value = text.strip()
        digest = Digest(value if ":" in value else f"sha256:{value}")
        keys = open_keys(page.settings.keys, page.store, at=page.at)
        decision = ask(
            page.store, digest, keys=keys, actor=page.actor, at=page.at, environment=environment.strip() or None
        )
        with st.container(border=True):
            if decision.allowed:
                st.success("Allowed", icon=":material/lock_open:")
            else:
                st.error("Not allowed", icon=":material/lock:")
            if decision.model:
                st.markdown(f"**{plain(f'{decision.model} {decision.version}')}**")
            if decision.valid_until:
                st.caption(f"The approval ends {utc(moment(decision.valid_until))}.")
            for check in decision.checks:
                widgets.status_line(check.outcome, check.because)
            if decision.review_id:
                st.page_link(
                    "pages/reviews/record.py", label="Open the record", query_params={"review": decision.review_id}
                )
st.subheader("From a pipeline", anchor=False)
st.caption("Exit code 0 lets the bytes through, 1 stops them, 2 says that nothing could be judged.")
st.code(
    f"modelops gate --model model.skops --environment production\n"
    f'curl -H "Authorization: Bearer $TOKEN" {page.settings.address}/api/v1/gate/sha256:...',
    language="shell",
    wrap_lines=True,
)
