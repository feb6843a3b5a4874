"""``/api/v1/versions/{version}/criteria``: what a version must show, written, frozen and read by a pipeline."""

from __future__ import annotations

from pydantic import Field, JsonValue

from modelops.api.endpoint import ApiRoute, Call
from modelops.domain.criteria import Criteria
from modelops.domain.instant import instant
from modelops.domain.record import Record
from modelops.services import criteria
from modelops.store.queries_criteria import Frozen, draft, frozen_sets
from modelops.store.tables import CriteriaRow, VersionRow


class WrittenCriteria(Record):
    """A whole draft; ``seen_revision`` is that of the draft that it takes the place of."""

    body: Criteria
    seen_revision: int


class Freezing(Record):
    """Which draft is frozen, and why the bar moves if it does."""

    seen_revision: int
    reason: str = Field(default="", max_length=2000)


def read(call: Call) -> dict[str, JsonValue]:
    """Return the draft of a version's criteria and everything that was frozen, the oldest first."""
    with call.store.reading() as reader:
        version = reader.get(VersionRow, call.number("version"), what="model version")
        now, sets = draft(reader, version.id), frozen_sets(reader, version.id)
    return {
        "revision": now.revision,
        "draft": now.body.model_dump(mode="json"),
        "frozen": [_shown(one) for one in sets],
    }


def write(call: Call) -> dict[str, JsonValue]:
    """Write the draft."""
    given = call.record(WrittenCriteria)
    made = criteria.write_criteria(
        call.store,
        call.number("version"),
        given.body,
        actor=call.actor,
        at=call.at,
        seen_revision=given.seen_revision,
    )
    return {"revision": made.revision}


def freeze(call: Call) -> dict[str, JsonValue]:
    """Freeze the draft."""
    given = call.record(Freezing)
    row = criteria.freeze_criteria(
        call.store,
        call.number("version"),
        actor=call.actor,
        at=call.at,
        seen_revision=given.seen_revision,
        reason=given.reason,
    )
    return _row(row)


def _row(row: CriteriaRow) -> dict[str, JsonValue]:
    return {
        "number": row.number,
        "digest": row.digest,
        "frozen_at": instant(row.frozen_at),
        "frozen_by": row.frozen_by,
        "reason": row.reason,
    }


def _shown(one: Frozen) -> dict[str, JsonValue]:
    return {**_row(one.row), "body": one.body.model_dump(mode="json")}


ROUTES = (
    ApiRoute("/api/v1/versions/{version}/criteria", read),
    ApiRoute("/api/v1/versions/{version}/criteria", write, methods=("PUT",)),
    ApiRoute("/api/v1/versions/{version}/criteria/freeze", freeze, methods=("POST",), status=201),
)
