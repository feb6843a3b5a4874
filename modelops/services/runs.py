"""Asking for analyses, stopping them, running them again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from modelops.analyses.base import Analysis, Need, Parameters
from modelops.analyses.needs import wanted_on_screen
from modelops.analyses.registry import analysis
from modelops.domain.columns import ColumnRoles, ModelSummary, Task
from modelops.domain.digest import Digest
from modelops.domain.inventory import DatasetRole
from modelops.domain.people import Actor, Right
from modelops.domain.record import Scalar
from modelops.domain.result import AnalysisResult
from modelops.domain.review import ReviewState
from modelops.errors import Conflict, InvalidInput
from modelops.evaluation import EvaluationRequest
from modelops.evaluation.request import ModelPart
from modelops.services import catalogue
from modelops.services.datasets import check_in_use
from modelops.services.refusals import audits_refusals
from modelops.store import Reader, Store
from modelops.store.queries_contracts import published
from modelops.store.queries_criteria import frozen_sets
from modelops.store.queries_decisions import drift_limits
from modelops.store.queries_inventory import reviews_of
from modelops.store.queries_review import datasets
from modelops.store.queries_runs import inputs_of
from modelops.store.tables import TERMINAL, AnswerRow, DatasetRow, ModelRow, ReviewRow, RunRow, RunState, VersionRow

# What a run has in common with the one that it computes again: the bar too.
_KEPT = {
    *("analysis", "model_id", "version_id", "data_id", "reference_id", "train_id", "champion_id"),
    *("request", "policy", "criteria"),
}


@audits_refusals("run/0")
def request_run(
    store: Store,
    key: str,
    *,
    actor: Actor,
    at: datetime,
    data_id: int,
    version_id: int | None = None,
    reference_id: int | None = None,
    train_id: int | None = None,
    champion_id: int | None = None,
    parameters: Mapping[str, object] | None = None,
    seed: int = 0,
    review_id: int | None = None,
    question_id: str | None = None,
) -> RunRow:
    """Put an analysis into the queue.

    Raises
    ------
    NotAllowed, NotFound
        Without the right; without such an analysis, dataset or version.
    InvalidInput
        If a parameter does not fit, or the analysis needs something that is not there: it says what.
    """
    actor.require(Right.RUN)
    chosen = analysis(key)
    checked = check_parameters(chosen, parameters or {})
    with store.transaction() as t:
        data = t.get(DatasetRow, data_id, what="dataset")
        others = [t.get(DatasetRow, other, what="dataset") for other in (reference_id, train_id) if other]
        for table in (data, *others):
            check_in_use(table)
        version = t.get(VersionRow, version_id, what="model version") if version_id else None
        champion = t.get(VersionRow, champion_id, what="model version") if champion_id else None
        models = {row.model_id for row in (data, *others, version, champion) if row}
        if len(models) > 1:
            raise InvalidInput("The dataset, the version and what it is compared with belong to different models.")
        lacking = lacking_needs(
            chosen, data, version, champion, has_reference=bool(reference_id), has_train=bool(train_id)
        )
        if lacking:
            raise InvalidInput(f"The analysis {chosen.title} needs {wanted_on_screen(lacking)}.")
        review = _review_of(t, review_id, question_id, data.model_id)
        run = t.add(
            RunRow(
                analysis=key,
                model_id=data.model_id,
                version_id=version_id,
                review_id=review_id,
                question_id=question_id,
                data_id=data_id,
                reference_id=reference_id,
                train_id=train_id,
                champion_id=champion_id,
                request=_request(
                    t, chosen, checked, seed, data, reference_id, train_id, classes=_class_names(version, champion)
                ).model_dump(mode="json"),
                policy=review.policy if review else catalogue.latest(t)[1].digest,
                criteria=_criteria_of(t, version_id),
                requested_by=actor.user_id,
                requested_at=at,
            )
        )
        new = {"analysis": key, "version_id": version_id, "data_id": data_id, "reference_id": reference_id}
        new |= {"train_id": train_id, "champion_id": champion_id, "seed": seed}
        t.record(actor, "run:request", f"run/{run.id}", at=at, new=new, digest=run.criteria)
    return run


def _criteria_of(reader: Reader, version_id: int | None) -> Digest | None:
    """Return the criteria of a version that are frozen now: they judge the run, whatever is frozen later."""
    sets = frozen_sets(reader, version_id) if version_id else []
    return sets[-1].row.digest if sets else None


def _review_of(reader: Reader, review_id: int | None, question_id: str | None, model_id: int) -> ReviewRow | None:
    """Return the review that a run is for: one of the same model, and one that asks this question."""
    if review_id is None:
        if question_id is not None:
            raise InvalidInput("A question was named without its review.")
        return None
    review = reader.get(ReviewRow, review_id, what="review")
    if reader.get(VersionRow, review.version_id, what="model version").model_id != model_id:
        raise InvalidInput("The review is about another model than the data.")
    if question_id is not None:
        reader.get(AnswerRow, (review_id, question_id), what="question")
    return review


def run_for_question(store: Store, key: str, review_id: int, question_id: str, *, actor: Actor, at: datetime) -> RunRow:
    """Put an analysis that serves a question into the queue, on the data of the review and with default parameters.

    What was agreed on for the model (its data contract, its drift limits) takes the place of a default.

    Raises
    ------
    InvalidInput
        If the review rests on no dataset that it could look at.
    """
    chosen = analysis(key)
    with store.reading() as reader:
        review = reader.get(ReviewRow, review_id, what="review")
        inputs = _inputs_of(reader, chosen, review)
        model_id = reader.get(VersionRow, review.version_id, what="model version").model_id
        given = usual_parameters(reader, chosen, model_id)
    if inputs is None:
        raise InvalidInput("This review rests on no dataset yet. Add one on its overview, then run the analysis.")
    return request_run(
        store,
        key,
        actor=actor,
        at=at,
        data_id=inputs.data,
        version_id=review.version_id,
        reference_id=inputs.reference,
        train_id=inputs.train,
        champion_id=inputs.champion,
        parameters=given,
        review_id=review_id,
        question_id=question_id,
    )


def usual_parameters(reader: Reader, chosen: Analysis, model_id: int) -> dict[str, object]:
    """Return what was agreed on for a model: its published data contract, the drift limits that were accepted last."""
    contract = published(reader, model_id) if "contract" in chosen.parameters.model_fields else None
    given: dict[str, object] = {"contract": contract.body} if contract else {}
    accepted = drift_limits(reader, model_id) if chosen.key == "drift" else None
    if accepted:
        given |= accepted.body.model_dump(include={"alpha", "margin", "missing_margin"})
    return given


@dataclass(frozen=True)
class _Inputs:
    """What an analysis would look at if it were run for a review."""

    data: int
    reference: int | None
    train: int | None
    champion: int | None


def _inputs_of(reader: Reader, chosen: Analysis, review: ReviewRow) -> _Inputs | None:
    """Return what of a review an analysis takes by the roles of its data; ``None`` if there is nothing to look at.

    What was archived since is not taken.
    """
    by_role = {row.role: row.id for row in datasets(reader, review.id) if row.archived_at is None}
    data = next((by_role[role] for role in chosen.looks_at if role in by_role), None)
    if data is None:
        return None
    compared = (by_role[role] for role in chosen.compares_with if by_role.get(role, data) != data)
    train = by_role.get(DatasetRole.TRAIN)
    rival = usual_champion(reader, reader.find(VersionRow, review.version_id)) if chosen.takes(Need.CHAMPION) else None
    return _Inputs(
        data=data,
        reference=next(compared, None) if chosen.takes(Need.REFERENCE) else None,
        train=train if chosen.takes(Need.TRAIN) and train != data else None,
        champion=rival.id if rival else None,
    )


def why_not_for(reader: Reader, key: str, review: ReviewRow) -> str | None:
    """Return what an analysis lacks to be run for a review, in a sentence; ``None`` if nothing."""
    chosen = analysis(key)
    inputs = _inputs_of(reader, chosen, review)
    if inputs is None:
        return f"The review rests on no data that {chosen.title.lower()} looks at."
    lacking = lacking_needs(
        chosen,
        reader.get(DatasetRow, inputs.data, what="dataset"),
        reader.find(VersionRow, review.version_id),
        reader.find(VersionRow, inputs.champion) if inputs.champion else None,
        has_reference=inputs.reference is not None,
        has_train=inputs.train is not None,
    )
    return f"It needs {wanted_on_screen(lacking)}." if lacking else None


def usual_champion(reader: Reader, version: VersionRow | None) -> VersionRow | None:
    """Return what a version is usually held against: the approved one of its model, otherwise the one it came from.

    Only a version with a model file can be one.
    """
    if version is None:
        return None
    approved = (of for review, of in reviews_of(reader, version.model_id) if review.state is ReviewState.APPROVED)
    parent = reader.find(VersionRow, version.parent_id) if version.parent_id else None
    rivals = (of for of in (*approved, parent) if of is not None and of.id != version.id and of.artifact)
    return next(rivals, None)


def check_parameters(chosen: Analysis, values: Mapping[str, object]) -> Parameters:
    """Return the parameters of an analysis from a form or the API.

    Raises
    ------
    InvalidInput
        With the parameter that does not fit and why.
    """
    try:
        return chosen.parameters.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "parameters"
        known = ", ".join(chosen.parameters.model_fields)
        raise InvalidInput(f"{name}: {first['msg']}. The parameters of {chosen.key} are: {known}.") from error


def lacking_needs(
    chosen: Analysis,
    data: DatasetRow,
    version: VersionRow | None,
    champion: VersionRow | None = None,
    *,
    has_reference: bool,
    has_train: bool,
) -> tuple[Need, ...]:
    """Return what an analysis needs and would not get."""
    roles = ColumnRoles.model_validate(data.roles)
    has_model = version is not None and version.artifact is not None
    there = {
        Need.TARGET: roles.target is not None,
        Need.PREDICTION: roles.prediction is not None or has_model,
        Need.SCORE: bool(roles.scores) or has_model,
        Need.SENSITIVE: bool(roles.sensitive),
        Need.FEATURES: bool(roles.features),
        Need.TIME: roles.time is not None,
        Need.REFERENCE: has_reference,
        Need.TRAIN: has_train,
        Need.MODEL: has_model,
        Need.CHAMPION: champion is not None and champion.artifact is not None,
    }
    return tuple(need for need in Need if need in chosen.needs and not there[need])


def _request(
    reader: Reader,
    chosen: Analysis,
    parameters: Parameters,
    seed: int,
    data: DatasetRow,
    reference_id: int | None,
    train_id: int | None,
    *,
    classes: dict[ModelPart, tuple[str, ...]],
) -> EvaluationRequest:
    def roles(dataset_id: int | None) -> ColumnRoles | None:
        row = reader.get(DatasetRow, dataset_id, what="dataset") if dataset_id else None
        return ColumnRoles.model_validate(row.roles) if row else None

    plain: dict[str, Scalar | list[Scalar]] = parameters.model_dump(mode="json")
    return EvaluationRequest(
        analysis=chosen.key,
        parameters=plain,
        seed=seed,
        task=data.task or Task.CLASSIFICATION,
        positive=data.positive,
        data_roles=ColumnRoles.model_validate(data.roles),
        reference_roles=roles(reference_id),
        train_roles=roles(train_id),
        classes=classes,
    )


def _class_names(version: VersionRow | None, champion: VersionRow | None) -> dict[ModelPart, tuple[str, ...]]:
    parts: dict[ModelPart, VersionRow | None] = {"model": version, "champion": champion}
    summaries = {part: ModelSummary.model_validate(row.summary) for part, row in parts.items() if row and row.summary}
    return {part: summary.class_names for part, summary in summaries.items() if summary.class_names}


@audits_refusals("run/{run_id}")
def run_again(store: Store, run_id: int, *, actor: Actor, at: datetime) -> RunRow:
    """Recompute a finished run from its record: same bytes, parameters and seed.

    Raises
    ------
    Conflict
        If it has no result, or a file that it looked at is no longer kept.
    """
    actor.require(Right.RUN)
    with store.transaction() as t:
        old = t.get(RunRow, run_id, what="analysis run")
        if old.result is None:
            raise Conflict(f"Run {run_id} is {old.state}: there is no result to compare with.")
        if missing := missing_files(store, t, old):
            raise Conflict(f"Run {run_id} cannot be computed again. {' '.join(missing)}")
        run = t.add(
            RunRow(**old.model_dump(include=_KEPT), repeats_id=run_id, requested_by=actor.user_id, requested_at=at)
        )
        t.record(actor, "run:again", f"run/{run.id}", at=at, new={"repeats": run_id})
    return run


def missing_files(store: Store, reader: Reader, run: RunRow) -> tuple[str, ...]:
    """Return which files of a run the store no longer holds, in sentences; empty if it can be computed again."""
    digests, names = inputs_of(reader, run)
    wanted = {part: (digest, names[part]) for part, digest in digests.items()}
    if run.result is not None:
        wanted["result"] = (run.result, "the result itself")
    return tuple(
        f"The file of {part!r} is no longer kept: {name}, {digest}."
        for part, (digest, name) in wanted.items()
        if not store.blobs.holds(digest)
    )


@audits_refusals("run/{run_id}")
def cancel_run(store: Store, run_id: int, *, actor: Actor, at: datetime) -> RunRow:
    """Stop a run: at once if it waits, within a second or two if it works."""
    actor.require(Right.RUN)
    with store.transaction() as t:
        run = t.get(RunRow, run_id, what="analysis run")
        if run.state in TERMINAL:
            raise Conflict(f"Run {run_id} is {run.state} already.")
        run.cancel_requested = True
        if run.state is RunState.QUEUED:
            run.state, run.finished_at, run.message = RunState.CANCELLED, at, f"Cancelled by {actor.name}"
        t.record(actor, "run:cancel", f"run/{run_id}", at=at)
    return run


def result(store: Store, run: RunRow) -> AnalysisResult | None:
    """Return the stored result of a run, checked against its digest; ``None`` if it has none."""
    return read_result(store, run.result) if run.result else None


def read_result(store: Store, digest: Digest) -> AnalysisResult:
    """Return a stored result.

    Raises
    ------
    VerificationFailed
        If its bytes are no longer those of its digest.
    """
    return AnalysisResult.model_validate_json(store.blobs.read(digest))


def model_name(reader: Reader, run: RunRow) -> str:
    """Return the name of the model that a run is about."""
    return reader.get(ModelRow, run.model_id, what="model").name
