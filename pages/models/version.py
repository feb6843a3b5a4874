"""One version of a model: its file as the sandbox read it, its reviews, and whether the gate lets it through."""

import streamlit as st

from modelops.domain.columns import ModelSummary
from modelops.domain.people import Right
from modelops.domain.result import Protection
from modelops.domain.review import ReviewState
from modelops.services.exporting import changes_since_approval
from modelops.store.queries_criteria import draft, frozen_sets
from modelops.store.queries_decisions import decisions_of_version
from modelops.store.queries_inventory import reviews_of
from modelops.store.queries_review import names
from modelops.store.tables import BlobRow, ModelRow, VersionRow
from modelops.ui import frame, widgets
from modelops.ui.criteria import CRITERIA, criteria_list, frozen_line
from modelops.ui.decisions import decision_box
from modelops.ui.models import MODEL, VERSION, crumbs, fact, tier_badge
from modelops.ui.protection import protection_note
from modelops.ui.reviews import GATES, STATES
from modelops.ui.text import ago, plain, size, utc
from modelops.ui.upload import upload
from modelops.ui.what_if import WHAT_IF

FORMATS = {
    "skops": "skops",
    "onnx": "ONNX",
    "xgboost_json": "XGBoost, JSON",
    "xgboost_ubj": "XGBoost, UBJ",
    "lightgbm": "LightGBM, text",
    "catboost": "CatBoost, binary",
}
page = frame.open_page("Version", needs=Right.READ)
with page.store.reading() as reader:
    version = reader.get(VersionRow, page.wanted("version", what="model version"), what="model version")
    version_id = version.id
    model = reader.get(ModelRow, version.model_id, what="model")
    parent = reader.find(VersionRow, version.parent_id) if version.parent_id else None
    maker = names(reader, [version.created_by]).get(version.created_by, "ModelOps")
    reviews = [review for review, of in reviews_of(reader, version.model_id) if of.id == version.id]
    approved = next((review for review in reviews if review.state is ReviewState.APPROVED), None)
    differences = changes_since_approval(page.store, reader, approved) if approved else ()
    blob = reader.find(BlobRow, version.artifact) if version.artifact else None
    criteria_sets = frozen_sets(reader, version.id)
    criteria_draft = draft(reader, version.id)
    freezers = names(reader, [one.row.frozen_by for one in criteria_sets])
    decided = decisions_of_version(reader, version.model_id, version.id)
    deciders = names(reader, [one.row.decided_by for one in decided])
summary = ModelSummary.model_validate(version.summary) if version.summary else None


def gate_badge() -> None:
    """Say in a word what the gate would say, from the reviews alone; asking it is an act of its own."""
    if version.artifact is None:
        widgets.badge("no file for the gate", widgets.Tone.QUIET, note="The gate looks a model file up by its digest.")
    elif approved is None:
        widgets.badge("gate closed", widgets.Tone.QUIET, note="No approved review of this version.")
    elif differences:
        note = "Approved for an earlier state: something that was signed has changed since."
        widgets.badge("gate closed", widgets.Tone.BAD, note=note)
    elif approved.valid_until and approved.valid_until <= page.at:
        widgets.badge("gate closed", widgets.Tone.BAD, note=f"The approval ended {utc(approved.valid_until)}.")
    else:
        until = f" Valid until {utc(approved.valid_until)}." if approved.valid_until else ""
        widgets.badge("approved", widgets.Tone.GOOD, note=f"Signed and sealed.{until}")


def show_file() -> None:
    """Show the file of the version and what the sandbox read from it."""
    st.subheader("Model file", anchor=False)
    if version.artifact is None or summary is None:
        st.caption(
            "None: this version is known by its predictions alone. Analyses that call the model (explainability, "
            "robustness) need a file; everything else works with a table that holds predictions."
        )
        return
    n_bytes = size(blob.size if blob else summary.size)
    st.caption(plain(f"{version.artifact_name}, {n_bytes}. The digest names exactly these bytes."))
    widgets.digest(version.artifact, whole=True)
    one, two = st.columns(2)
    with one:
        fact("Format", FORMATS.get(summary.format, summary.format))
        fact("Framework", summary.framework)
    with two:
        fact("Task", summary.task or "not said by the file")
        fact("Classes", ", ".join(summary.labels) or "none")
    if summary.steps:
        fact("Steps", "  →  ".join(summary.steps))
    if version.protection:
        protection_note(Protection.model_validate(version.protection))
    for note in summary.notes:
        st.caption(plain(note))
    asked = {"version": str(version_id)}
    st.page_link(WHAT_IF, label="Ask it about one case", icon=":material/alt_route:", query_params=asked)


def show_inside() -> None:
    """Show features and parameters, as long as they may be."""
    if summary is None:
        return
    with st.expander(f"Features ({len(summary.features):d})"):
        if summary.features:
            st.dataframe(
                [{"#": place, "Feature": name} for place, name in enumerate(summary.features, start=1)],
                hide_index=True,
                width="stretch",
                height="content" if len(summary.features) <= 12 else 400,
            )
        else:
            st.caption("The file holds no names for its columns: it takes them in the order of the training data.")
    with st.expander(f"Parameters ({len(summary.parameters):d})"):
        if summary.parameters:
            st.dataframe(
                [{"Parameter": name, "Value": value} for name, value in sorted(summary.parameters.items())],
                hide_index=True,
                width="stretch",
            )
        else:
            st.caption("The file holds none.")


def show_origin() -> None:
    """Show where the version comes from."""
    st.subheader("Where it comes from", anchor=False)
    fact("Added", f"{utc(version.created_at)} by {maker}")
    if parent:
        st.caption("Made from")
        st.page_link(VERSION, label=plain(parent.label), query_params={"version": str(parent.id)})
    if version.notes:
        fact("Notes", version.notes)
    st.caption("Dependency lock")
    if version.dependencies:
        st.text(version.dependencies_name)
        widgets.digest(version.dependencies, whole=True)
    elif Right.REGISTER in page.actor.rights:
        st.caption("None yet. It says which libraries the model was made with, and is added once.")
        path = f"/api/v1/versions/{version.id}/dependencies"
        if upload("requirements.txt, uv.lock, conda.yml ...", path, key="lock", limit=1 << 20):
            st.rerun()
    else:
        st.text("none")


def show_criteria() -> None:
    """Show the acceptance criteria that are in force, and the way to their page."""
    st.subheader("Acceptance criteria", anchor=False)
    if criteria_sets:
        st.caption(plain(frozen_line(criteria_sets[-1], freezers)))
        criteria_list(criteria_sets[-1].body)
        if not criteria_sets[-1].body.criteria:
            st.caption("They hold no criterion: results are judged by the policy alone.")
    elif criteria_draft.body.criteria:
        st.caption("A draft, which judges nothing. Freeze it before the first result.")
        criteria_list(criteria_draft.body)
    else:
        st.caption("None yet: what must be true before this version counts as finished is not written down.")
    st.page_link(CRITERIA, label="Open the criteria", icon=":material/rule:", query_params={"version": str(version_id)})


def show_decisions() -> None:
    """Show what was decided with a result in view; the newest of a kind is in force."""
    if not decided:
        return
    st.subheader("Decisions", anchor=False)
    newest = list({one.row.kind: one for one in reversed(decided)}.values())
    for one in newest:
        decision_box(page, one, deciders, link=True)
    earlier = [one for one in decided if one not in newest]
    if earlier:
        with st.expander(f"{len(earlier):d} earlier"):
            for one in earlier:
                decision_box(page, one, deciders, link=True)


def show_reviews() -> None:
    """List the reviews of this version."""
    st.subheader("Reviews", anchor=False)
    for review in reviews:
        with st.container(border=True, gap="small"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.page_link(
                    "pages/reviews/review.py",
                    label=f"**{GATES[review.gate]}**",
                    query_params={"review": str(review.id)},
                    width="content",
                )
                widgets.status(review.state, note=STATES[review.state])
            st.caption(plain(f"Round {review.round}, opened {ago(review.opened_at, page.at)}"))
    if not reviews:
        st.caption("None yet.")
        st.page_link(
            MODEL,
            label="Open a review",
            icon=":material/arrow_forward:",
            query_params={"model": str(model.id), "tab": "Reviews"},
        )
    if version.artifact:
        st.caption("What a release pipeline asks")
        st.code(f"python -m modelops gate --digest {version.artifact}", language="shell", wrap_lines=True)


widgets.breadcrumbs(crumbs(model))
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    st.title(plain(f"{model.name} {version.label}"), anchor=False, width="content")
    gate_badge()
    tier_badge(model.risk_tier)
left, right = st.columns([3, 2], gap="large")
with left:
    show_criteria()
    show_decisions()
    show_file()
    show_inside()
with right:
    show_reviews()
    show_origin()
