"""The door without Streamlit behind it: the real routes and middleware around one route that stands for Streamlit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from modelops.api.door import build_door
from modelops.domain.people import Authentication
from modelops.services import sessions
from modelops.settings import Settings
from modelops.store.tables import UserRow
from tests.api.door_browser import BASE, Browser


async def behind(request: Request) -> Response:
    """What everything that passes the gate reaches."""
    await request.body()
    return PlainTextResponse("behind the gate")


async def stream(socket: WebSocket) -> None:
    """What a websocket that passes the gate reaches: it tells what its opening asked for."""
    protocols = socket.headers.get("sec-websocket-protocol", "").split(",")
    await socket.accept(subprotocol=protocols[0] or None)
    await socket.send_text(socket.headers.get("sec-websocket-protocol", ""))
    await socket.close()


Open = Callable[..., Browser]


@pytest.fixture
def door(store, tmp_path: Path) -> Open:
    """Make a browser in front of the door; settings are given by name."""
    made: list[Browser] = []

    def make(**values: object) -> Browser:
        settings = Settings(home=tmp_path, **values)
        built = build_door(store, settings)
        routes = [
            *built.routes,
            WebSocketRoute("/_stcore/stream", stream),
            Route("/{path:path}", behind, methods=["GET", "POST", "PUT", "DELETE"]),
        ]
        app = Starlette(routes=routes, middleware=built.middleware)
        client = Browser(app, base_url=BASE, follow_redirects=False, client=("192.0.2.7", 50000))
        made.append(client)
        return client

    return make


@pytest.fixture
def browser(door: Open) -> Browser:
    """A browser that has not logged in."""
    return door()


@pytest.fixture
def cookie(store, people) -> Callable[[str], dict[str, str]]:
    """Begin a session for one of the people, now and without the slow hash; return the cookie."""

    def log_in(name: str) -> dict[str, str]:
        with store.transaction() as transaction:
            user = transaction.get(UserRow, people[name].user_id, what="person")
            proof = Authentication.PASSWORD
            session = sessions.open_session(transaction, user, proof, origin="192.0.2.7", at=datetime.now(UTC))
        return {"modelops": session.token}

    return log_in
