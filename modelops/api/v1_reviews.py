"""``/api/v1/reviews``: evidence files, the sealed record and the report."""

from __future__ import annotations

import tempfile
from pathlib import Path

from anyio import to_thread
from pydantic import JsonValue
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from modelops.api.endpoint import ApiRoute, Call
from modelops.api.receiving import received
from modelops.domain.people import Right
from modelops.services import evidence, exporting, reporting
from modelops.services.keyring import open_keys
from modelops.services.standing import standing
from modelops.settings import MIB
from modelops.store.tables import EvidenceRow, ReviewRow

MAX_EVIDENCE = 100 * MIB


def review(call: Call) -> dict[str, JsonValue]:
    """Return where a review stands."""
    with call.store.reading() as reader:
        now = standing(reader, reader.get(ReviewRow, call.number("review"), what="review"), at=call.at)
    return {
        "id": now.review.id,
        "state": now.review.state.value,
        "gate": now.review.gate.value,
        "model": now.content.model,
        "version": now.content.version,
        "artifact": now.content.artifact,
        "content_digest": now.digest,
        "readiness": now.readiness.score,
        "progress": now.readiness.progress,
        "weakest_area": now.readiness.weakest.area_id if now.readiness.weakest else None,
        "blockers": [
            {"subject": b.subject, "why": b.why, "what_to_do": b.what_to_do, "owner": b.owner} for b in now.blockers
        ],
        "missing_signatures": [{"role": rule.role.value, "meaning": rule.meaning.value} for rule in now.missing],
    }


async def upload_evidence(call: Call) -> dict[str, JsonValue]:
    """Attach the file in the body to a question; its ``name`` and, after a submission, a ``reason`` in the query."""
    call.actor.require(Right.ANSWER)
    limit = min(MAX_EVIDENCE, call.settings.max_upload)
    async with received(call.request, call.store.blobs, limit=limit) as staged:

        def act() -> EvidenceRow:
            return evidence.attach_file(
                call.store,
                call.number("review"),
                call.text("question"),
                actor=call.actor,
                at=call.at,
                staged=staged,
                file_name=call.query("name", "file"),
                reason=call.query("reason"),
            )

        row = await to_thread.run_sync(act)
    return {"id": row.id, "digest": row.digest}


def evidence_file(call: Call) -> Response:
    """Return a file of evidence, always as a download and never as a page."""
    call.actor.require(Right.READ)
    with call.store.reading() as reader:
        row = reader.get(EvidenceRow, call.number("evidence"), what="evidence")
    content = call.store.blobs.read(row.digest)
    return _download(content, row.title)


def bundle(call: Call) -> Response:
    """Return the bundle of a sealed review."""
    number = call.number("review")
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name) / f"review-{number}.zip"
    try:
        keys = open_keys(call.settings.keys, call.store, at=call.at)
        exporting.export_bundle(call.store, number, path, keys=keys, actor=call.actor, at=call.at)
    except BaseException:
        folder.cleanup()
        raise
    return FileResponse(path, filename=path.name, background=BackgroundTask(folder.cleanup))


def report(call: Call) -> Response:
    """Return the report of a review as it stands now."""
    text = reporting.current_report(call.store, call.number("review"), actor=call.actor, at=call.at)
    return _download(text.encode(), f"review-{call.number('review')}.html")


def model_card(call: Call) -> Response:
    """Return the model card of a review as it stands now."""
    call.actor.require(Right.READ)
    with call.store.reading() as reader:
        text = reporting.card(call.store, reader, call.number("review"), at=call.at)
    return _download(text.encode(), f"model-card-{call.number('review')}.html")


def _download(content: bytes, name: str) -> Response:
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._- ") else "_" for c in name)[:120] or "file"
    headers = {"Content-Disposition": f'attachment; filename="{plain}"', "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type="application/octet-stream", headers=headers)


ROUTES = (
    ApiRoute("/api/v1/reviews/{review}", review),
    ApiRoute("/api/v1/reviews/{review}/questions/{question}/evidence", upload_evidence, methods=("PUT",), status=201),
    ApiRoute("/api/v1/evidence/{evidence}/file", evidence_file),
    ApiRoute("/api/v1/reviews/{review}/bundle", bundle),
    ApiRoute("/api/v1/reviews/{review}/report", report),
    ApiRoute("/api/v1/reviews/{review}/model-card", model_card),
)
