"""Routes of the API from plain functions.

A function gets one `Call` (who calls, the store, the time, what was sent) and returns a record, plain JSON or a
response. It says nothing about HTTP: an error of `modelops.errors` becomes the status that fits, with its message, and
anything unexpected becomes a number that also stands in the log, without a trace of the program.
"""

from __future__ import annotations

import inspect
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar, cast

from anyio import to_thread
from pydantic import BaseModel, JsonValue, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from modelops.api.callers import caller_of, now
from modelops.domain.people import Actor
from modelops.errors import (
    Conflict,
    InvalidInput,
    ModelOpsError,
    NotAllowed,
    NotFound,
    NotMeasured,
    TooLarge,
    VerificationFailed,
    WorkerFailed,
)
from modelops.settings import MIB, Settings
from modelops.store import Store

_LOG = logging.getLogger("modelops.api")
_STATUS: tuple[tuple[type[ModelOpsError], int], ...] = (
    (TooLarge, 413),
    (InvalidInput, 422),
    (NotMeasured, 422),
    (WorkerFailed, 422),
    (NotFound, 404),
    (NotAllowed, 403),
    (Conflict, 409),
    (VerificationFailed, 409),
)
Model = TypeVar("Model", bound=BaseModel)
Answer = Response | BaseModel | dict[str, JsonValue] | list[JsonValue]
Plain = Callable[["Call"], Answer]
Streaming = Callable[["Call"], Awaitable[Answer]]


@dataclass(frozen=True)
class Call:
    """One call of the API. ``body`` is empty for a function that reads the stream itself."""

    request: Request
    actor: Actor
    store: Store
    settings: Settings
    at: datetime
    body: bytes = b""

    def number(self, name: str) -> int:
        """Return a whole number from the path.

        Raises
        ------
        NotFound
            If it is none: nothing has such a number.
        """
        text = str(self.request.path_params[name])
        if not (text.isascii() and text.isdigit() and len(text) < 16):
            raise NotFound(f"There is nothing with the number {text[:40]!r}.")
        return int(text)

    def text(self, name: str) -> str:
        """Return a text from the path."""
        return str(self.request.path_params[name])

    def query(self, name: str, default: str = "") -> str:
        """Return a text from the query."""
        return self.request.query_params.get(name, default)

    def record(self, kind: type[Model]) -> Model:
        """Return the body as a record.

        Raises
        ------
        InvalidInput
            If it is not JSON of this form; the message names the first field that is wrong.
        """
        try:
            return kind.model_validate_json(self.body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "the body"
            raise InvalidInput(f"In {place}: {first['msg']}.") from error


class Endpoints:
    """Makes routes that share a store and settings."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def route(self, declared: ApiRoute) -> Route:
        """Return the Starlette route of a declaration."""

        async def answer(request: Request) -> Response:
            try:
                return _response(await self._called(declared, request), declared.status)
            except ModelOpsError as error:
                return error_response(error)
            except HTTPException as error:
                return _error(error.status_code, "Refused", str(error.detail))
            except Exception:  # noqa: BLE001 - the last resort: logged, and answered without a trace of the program
                number = secrets.token_hex(6)
                _LOG.exception("Error %s at %s %s", number, request.method, declared.path)
                message = f"Something went wrong here. The log has the reason under the number {number}."
                return _error(500, "Unexpected", message)

        return Route(declared.path, answer, methods=list(declared.methods))

    async def _called(self, declared: ApiRoute, request: Request) -> Answer:
        caller = caller_of(request)
        if caller is None:
            raise HTTPException(401, "Log in first, or send an API token.")
        call = Call(request, caller.actor, self._store, self._settings, now())
        if inspect.iscoroutinefunction(declared.function):
            return await cast("Streaming", declared.function)(call)
        body = await _read(request, declared.largest_body)
        whole = Call(request, call.actor, call.store, call.settings, call.at, body)
        return await to_thread.run_sync(cast("Plain", declared.function), whole)


@dataclass(frozen=True)
class ApiRoute:
    """One route of the API. A function that is ``async`` reads the body itself, from ``call.request.stream()``."""

    path: str
    function: Plain | Streaming
    methods: tuple[str, ...] = ("GET",)
    status: int = 200
    largest_body: int = MIB


def error_response(error: ModelOpsError) -> Response:
    """Return the answer that says what was refused and why."""
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 400)
    rule = error.rule if isinstance(error, NotAllowed) else None
    return _error(status, type(error).__name__, str(error), rule)


def unknown_path(_: Request) -> Response:
    """Answer for a path below ``/api`` that does not exist."""
    return _error(404, "NotFound", "There is no such path in this API.")


def _error(status: int, kind: str, message: str, rule: str | None = None) -> Response:
    content = {"kind": kind, "message": message} | ({"rule": rule} if rule else {})
    return JSONResponse({"error": content}, status_code=status)


def _response(answer: Answer, status: int) -> Response:
    if isinstance(answer, Response):
        return answer
    if isinstance(answer, BaseModel):
        return Response(answer.model_dump_json(by_alias=True), status_code=status, media_type="application/json")
    return JSONResponse(answer, status_code=status)


async def _read(request: Request, limit: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLarge(f"This request is larger than {limit:,} bytes, which is the limit here.")
    return bytes(body)
