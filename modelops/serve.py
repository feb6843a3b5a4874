"""One command, one address: migrations, app, API and job runner in one process."""

from __future__ import annotations

import importlib
import logging
import os
import socket
import sys

from modelops.errors import InvalidInput
from modelops.settings import ROOT, settings

_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - compared with, not bound to


def serve(host: str | None = None, port: int | None = None) -> None:
    """Serve until stopped, and print the address, and the set-up link if there is no account yet.

    Parameters
    ----------
    host, port : optional
        In the place of the settings of the same names.

    Raises
    ------
    InvalidInput
        If another program listens on this port already.
    """
    _prepare(host, port)
    from modelops.sandbox import protect_parent
    from modelops.services.setup import offer_setup
    from modelops.store.opened import opened

    chosen = settings()
    _check_port(chosen.host, chosen.port)
    protect_parent()
    _check_level(chosen.require_level)
    token = offer_setup(opened(chosen))
    sys.path.insert(0, str(ROOT))
    # Streamlit looks for its configuration beside the program that was started.
    sys.argv = [str(ROOT / "app.py")]
    app = importlib.import_module("app").app
    _send_at_once()
    _announce(token)
    app.run(config=_options(chosen.host, chosen.port, chosen.address))


def _prepare(host: str | None, port: int | None) -> None:
    """The address that was asked for holds for everything that reads the settings."""
    if host is not None:
        os.environ["MODELOPS_HOST"] = host
    if port is not None:
        os.environ["MODELOPS_PORT"] = str(port)
    settings.cache_clear()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for noisy in ("httpx", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise InvalidInput(
                f"Port {port} on {host} cannot be used: {error.strerror}. Choose another with --port."
            ) from error


def _send_at_once() -> None:
    """Streamlit's socket does not say that it speaks TCP, so that asyncio leaves Nagle's algorithm on: 40 ms a page."""
    from streamlit.web.server.starlette import starlette_server

    bind = starlette_server._bind_socket  # noqa: SLF001 - there is no option for it

    def bound(address: str, port: int, backlog: int) -> socket.socket:
        listening = bind(address, port, backlog)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what it accepts inherits this
        return listening

    starlette_server._bind_socket = bound  # noqa: SLF001


def _check_level(required: str) -> None:
    if required == "C":
        return
    from modelops.sandbox.protection import protection

    found = protection()
    if found.level > required:
        raise InvalidInput(
            f"This machine walls uploaded files in at level {found.level} ({', '.join(found.layers) or 'no layer'}), "
            f"but MODELOPS_REQUIRE_LEVEL asks for {required}. Start on a system with Landlock and seccomp."
        )


def _announce(token: str | None) -> None:
    address = settings().address
    for name, shown in _ANY_ADDRESS.items():
        address = address.replace(f"//{name}:", f"//{shown}:")
    lines = [f"ModelOps: {address}"]
    if token is not None:
        lines.append(f"Set up: {address}/setup?token={token}")
    print("\n" + "\n".join(lines) + "\n", flush=True)  # noqa: T201 - the one thing that is for the terminal


def _options(host: str, port: int, address: str) -> dict[str, object]:
    """Return what depends on the settings; everything else stands in ``.streamlit/config.toml``."""
    from urllib.parse import urlsplit

    from modelops.api.origins import allowed_hosts

    return {
        "server.address": host,
        "server.port": port,
        "server.headless": True,
        "server.allowedHosts": sorted(allowed_hosts(settings())),
        "browser.serverAddress": urlsplit(address).hostname or host,
        "logger.hideWelcomeMessage": True,
    }
