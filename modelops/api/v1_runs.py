"""``/api/v1/analyses`` and ``/api/v1/runs``: what can be run, asking for a run, watching, stopping, its result."""

from __future__ import annotations

from pydantic import Field, JsonValue
from starlette.responses import Response

from modelops.analyses.registry import ANALYSES
from modelops.api.endpoint import ApiRoute, Call
from modelops.domain.record import Record
from modelops.errors import Conflict
from modelops.services import runs
from modelops.store.queries_criteria import bar
from modelops.store.tables import RunRow


class NewRun(Record):
    """What is asked for: an analysis by its key, on which data."""

    analysis: str
    data_id: int
    version_id: int | None = None
    reference_id: int | None = None
    train_id: int | None = None
    champion_id: int | None = None
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    seed: int = Field(default=0, ge=0, le=2**32 - 1)
    review_id: int | None = None
    question_id: str | None = None


def analyses(_: Call) -> list[JsonValue]:
    """Return every analysis with its needs and parameters."""
    return [
        {
            "key": one.key,
            "title": one.title,
            "question": one.question,
            "serves": [*one.serves],
            "needs": [*sorted(need.value for need in one.needs)],
            "tasks": [*sorted(task.value for task in one.tasks)],
            "parameters": one.parameters.model_json_schema(),
        }
        for one in ANALYSES
    ]


def request_run(call: Call) -> dict[str, JsonValue]:
    """Put an analysis into the queue."""
    asked = call.record(NewRun)
    run = runs.request_run(
        call.store,
        asked.analysis,
        actor=call.actor,
        at=call.at,
        data_id=asked.data_id,
        version_id=asked.version_id,
        reference_id=asked.reference_id,
        train_id=asked.train_id,
        champion_id=asked.champion_id,
        parameters=asked.parameters,
        seed=asked.seed,
        review_id=asked.review_id,
        question_id=asked.question_id,
    )
    return _shown(run)


def run(call: Call) -> dict[str, JsonValue]:
    """Return how far a run is."""
    with call.store.reading() as reader:
        row = reader.get(RunRow, call.number("run"), what="analysis run")
        moved = bar(reader, row).moved(row)
    return {**_shown(row), "bar_moved": moved.model_dump(mode="json") if moved else None}


def result(call: Call) -> Response:
    """Return the result file of a finished run, byte for byte as it is stored."""
    with call.store.reading() as reader:
        row = reader.get(RunRow, call.number("run"), what="analysis run")
    if row.result is None:
        raise Conflict(f"Run {row.id} is {row.state}: it has no result.")
    return Response(call.store.blobs.read(row.result), media_type="application/json")


def cancel(call: Call) -> dict[str, JsonValue]:
    """Stop a run."""
    return _shown(runs.cancel_run(call.store, call.number("run"), actor=call.actor, at=call.at))


def again(call: Call) -> dict[str, JsonValue]:
    """Recompute a finished run from its record."""
    return _shown(runs.run_again(call.store, call.number("run"), actor=call.actor, at=call.at))


def _shown(row: RunRow) -> dict[str, JsonValue]:
    return {
        "id": row.id,
        "analysis": row.analysis,
        "state": row.state.value,
        "progress": row.progress,
        "message": row.message,
        "summary": row.summary,
        "verdict": row.verdict,
        "result": row.result,
        "criteria": row.criteria,
    }


ROUTES = (
    ApiRoute("/api/v1/analyses", analyses),
    ApiRoute("/api/v1/runs", request_run, methods=("POST",), status=201),
    ApiRoute("/api/v1/runs/{run}", run),
    ApiRoute("/api/v1/runs/{run}/result", result),
    ApiRoute("/api/v1/runs/{run}/cancel", cancel, methods=("POST",)),
    ApiRoute("/api/v1/runs/{run}/again", again, methods=("POST",), status=201),
)
