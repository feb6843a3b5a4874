"""Run an analysis: on which data, compared with what, with which settings; what is missing is said before."""

from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from modelops.analyses.base import Need
from modelops.analyses.registry import ANALYSES
from modelops.domain.columns import ModelSummary, TableSummary
from modelops.domain.inventory import DatasetRole
from modelops.domain.people import Right
from modelops.evaluation import EvaluationRequest
from modelops.services import catalogue, runs
from modelops.store.queries_inventory import datasets_of
from modelops.store.tables import DatasetRow, ModelRow, ReviewRow, RunRow, VersionRow
from modelops.ui import frame, widgets
from modelops.ui.columns import likely_classes
from modelops.ui.guessed import show_guessed
from modelops.ui.learned_rows import show_learned_rows
from modelops.ui.models import MODEL
from modelops.ui.needs import lacking
from modelops.ui.parameters import parameter_form
from modelops.ui.runs import RUN, TITLES
from modelops.ui.text import plain
from modelops.ui.widgets import Crumb

page = frame.open_page("Run an analysis", needs=Right.RUN)
number = page.number("from")
with page.store.reading() as reader:
    before = reader.get(RunRow, number, what="analysis run") if number else None
    models = {model.id or 0: model.name for model in reader.all(ModelRow)}
    review = reader.get(ReviewRow, page.number("review"), what="review") if page.number("review") else None
    reviewed = reader.get(VersionRow, review.version_id, what="model version") if review else None
    question = None
    if review and page.query("question"):
        question = catalogue.template(reader, review.template).question(page.query("question") or "")
given = EvaluationRequest.model_validate(before.request) if before else None


def first(*numbers: int | None, among: dict[int, str]) -> int | None:
    """Return the place of the first number that can be chosen."""
    return next((list(among).index(each) for each in numbers if each in among), None)


def of_role(*roles: DatasetRole, but: int | None = None) -> int | None:
    """Return the newest dataset with the first of these roles that there is."""
    found = (row.id for role in roles for row in datasets if row.role is role and row.id != but)
    return next(found, None)


widgets.breadcrumbs((Crumb("Analyses", "pages/analyses/analyses.py"),))
st.title("Run an analysis", anchor=False)
if question:
    st.caption(plain(f"For the question: {question.text}"))
if not models:
    widgets.empty_place(
        "No model yet",
        "An analysis looks at the data of a model. Register a model, then add a dataset.",
        page="pages/models/models.py",
        action="Go to the models",
    )
    st.stop()

left, right = st.columns(2)
keys = list(TITLES)
wanted = page.query("analysis") or (before.analysis if before else None)
key = left.selectbox(
    "Analysis", keys, index=keys.index(wanted) if wanted in keys else 0, format_func=lambda each: TITLES[each]
)
chosen = next(one for one in ANALYSES if one.key == key)
model_id = right.selectbox(
    "Model",
    list(models),
    index=first(
        page.number("model"), reviewed.model_id if reviewed else None, before.model_id if before else None, among=models
    )
    or 0,
    format_func=lambda each: models[each],
)
st.caption(plain(chosen.question))
with page.store.reading() as reader:
    datasets = list(datasets_of(reader, model_id))
    versions = {row.id or 0: row for row in reversed(reader.all(VersionRow, model_id=model_id))}
    agreed = runs.usual_parameters(reader, chosen, model_id)
titles = {row.id or 0: f"{row.name} ({row.role}, {row.rows:,} rows)" for row in datasets}
if not datasets:
    widgets.empty_place(
        "This model has no data yet",
        "An analysis looks at a table: features, predictions, what came true. Add one to the model.",
        page=MODEL,
        action="Add a dataset",
        query={"model": str(model_id), "tab": "Data"},
    )
    st.stop()

compares = chosen.takes(Need.REFERENCE)
looked_at = (*chosen.looks_at, *DatasetRole)
left, right = st.columns(2)
data_id = left.selectbox(
    "Data",
    list(titles),
    index=first(page.number("data"), before.data_id if before else None, of_role(*looked_at), among=titles) or 0,
    format_func=lambda each: titles[each],
    help="The table that is looked at.",
)
data = next(row for row in datasets if row.id == data_id)
labels = {number: f"{row.label} ({row.artifact_name or 'predictions only'})" for number, row in versions.items()}
version_id = right.selectbox(
    "Version",
    list(labels),
    index=first(
        page.number("version"),
        reviewed.id if reviewed else None,
        before.version_id if before else None,
        next(iter(versions), None),
        among=labels,
    ),
    format_func=lambda each: labels[each],
    placeholder="none: the predictions in the table",
    help="With a model file, predictions and scores that the table lacks come from the model.",
)
others = {number: title for number, title in titles.items() if number != data_id}
left, right = st.columns(2)


def other_dataset(place: DeltaGenerator, label: str, need: Need, start: int | None, note: str) -> int | None:
    """Ask for another dataset than the data: for none of them, where it can be done without."""
    options: list[int | None] = [*([] if need in chosen.needs else [None]), *others]
    return place.selectbox(
        label,
        options,
        index=options.index(start) if start in options else (0 if None in options else None),
        format_func=lambda each: "none" if each is None else others[each],
        placeholder="choose a dataset",
        help=note,
    )


def first_of(*numbers: int | None) -> int | None:
    """Return the first number of another dataset than the data."""
    return next((number for number in numbers if number in others), None)


reference_id, train_id = None, None
if compares:
    usual = of_role(*chosen.compares_with, *(chosen.looks_at if Need.REFERENCE in chosen.needs else ()), but=data_id)
    likely = first_of(before.reference_id) if before else usual
    reference_id = other_dataset(left, "Compare with", Need.REFERENCE, likely, "What the data is held against.")
if chosen.takes(Need.TRAIN):
    likely = first_of(before.train_id) if before else of_role(DatasetRole.TRAIN, but=data_id)
    train_id = other_dataset(
        right if compares else left, "Training data", Need.TRAIN, likely, "What the model learned from."
    )
version: VersionRow | None = versions.get(version_id or 0)
champion: VersionRow | None = None
if chosen.takes(Need.CHAMPION):
    rivals: list[int | None] = [None, *(each for each, row in versions.items() if row.artifact and each != version_id)]
    with page.store.reading() as reader:
        today = versions.get(before.champion_id or 0) if before else runs.usual_champion(reader, version)
    champion_id = st.selectbox(
        "Champion",
        rivals,
        index=rivals.index(today.id) if today and today.id in rivals else 0,
        format_func=lambda each: labels[each] if each else "none",
        help="The model in use today. The version above is held against it on the same rows.",
    )
    champion = versions.get(champion_id or 0)
is_lacking = lacking(chosen, data, version, champion, has_reference=bool(reference_id), has_train=bool(train_id))
if data.task not in chosen.tasks and data.task is not None:
    st.warning(plain(f"{chosen.title} is not made for {data.task}."), icon=":material/warning:")

show_learned_rows(page, chosen, data_id=data_id, reference_id=reference_id)
show_guessed(page, dict.fromkeys(number for number in (data_id, reference_id, train_id) if number))


def classes_of(row: DatasetRow) -> list[str]:
    """Return the classes that the model or the table knows."""
    if version and version.summary:
        found = list(ModelSummary.model_validate(version.summary).classes)
        if found:
            return found
    return likely_classes(TableSummary.model_validate(row.summary), row.roles.get("target"))


with st.form(f"settings of {key}"):
    values, seed = {}, 0
    with st.expander("Settings", icon=":material/tune:", expanded=given is not None):
        st.caption("The defaults are right for most cases. They stand in the result, and so does the seed.")
        choices = {"column": [column["name"] for column in data.summary["columns"]], "class": classes_of(data)}
        start: Mapping[str, object] = agreed
        if given and given.analysis == key:
            start = given.parameters
        elif agreed:
            st.caption(plain(f"Agreed on for this model: {', '.join(agreed).replace('_', ' ')}."))
        values = parameter_form(chosen.parameters, given=start, choices=choices, key=key)
        seed = st.number_input(
            "Seed",
            min_value=0,
            max_value=2**32 - 1,
            value=given.seed if given else 0,
            step=1,
            help="Where chance plays a part, the same seed gives the same numbers.",
        )
    submitted = st.form_submit_button(
        f"Run {plain(chosen.title.lower())}", type="primary", icon=":material/play_arrow:", disabled=is_lacking
    )
if submitted:
    with frame.refusals_shown():
        run = runs.request_run(
            page.store,
            key,
            actor=page.actor,
            at=page.at,
            data_id=data_id,
            version_id=version_id,
            reference_id=reference_id,
            train_id=train_id,
            champion_id=champion.id if champion else None,
            parameters=values,
            seed=int(seed),
            review_id=review.id if review else None,
            question_id=question.id if question else None,
        )
        st.switch_page(RUN, query_params={"run": str(run.id)})
