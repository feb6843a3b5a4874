"""The door: routes and middleware that stand in front of Streamlit, put together."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route

from modelops.api import screens
from modelops.api.endpoint import Endpoints, unknown_path
from modelops.api.front import Front
from modelops.api.gate import Gate
from modelops.api.headers import Headers, screen_policy
from modelops.api.health import Health
from modelops.api.oidc_routes import SingleSignOn
from modelops.api.routes import ROUTES
from modelops.api.secret import door_secret
from modelops.api.startup import running
from modelops.settings import Settings
from modelops.store import Store

_ANY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True)
class Door:
    """What the server is given. The first middleware is the outermost."""

    routes: list[BaseRoute]
    middleware: list[Middleware]
    lifespan: Callable[[object], AbstractAsyncContextManager[None]]


def build_door(store: Store, settings: Settings, *, index: Path | None = None) -> Door:
    """Put the door together.

    Parameters
    ----------
    index : Path, optional
        Streamlit's first page, whose one inline script the content security policy allows.
    """
    secret = door_secret(settings.keys)
    forms = screens.Forms(secret, behind_tls=settings.behind_tls)
    endpoints = Endpoints(store, settings)
    routes: list[BaseRoute] = [
        *Front(store, settings, forms).routes(),
        Route("/healthz", Health(store).show, methods=["GET"]),
        Route("/door.css", screens.stylesheet, methods=["GET"]),
        Route("/favicon.png", screens.favicon, methods=["GET"]),
        *(endpoints.route(declared) for declared in ROUTES),
        Route("/api/{path:path}", unknown_path, methods=_ANY_METHOD),
    ]
    if settings.oidc_issuer:
        routes += SingleSignOn(store, settings, forms, secret).routes()

    @contextlib.asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        async with running(store, settings):
            yield

    middleware = [
        Middleware(Headers, policy=screen_policy(index), behind_tls=settings.behind_tls),
        Middleware(Gate, store=store, settings=settings),
    ]
    return Door(routes, middleware, lifespan)
