"""The real server with Streamlit behind the door, started as a person starts it."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time

import httpx
import pytest
import websockets.exceptions
from websockets.sync.client import connect

from modelops.settings import ROOT

PASSWORD = "violet kettle sings at noon"
VISIT = {"accept": "text/html"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(home, port):
    environment = {**os.environ, "MODELOPS_HOME": str(home), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-c", f"from modelops.serve import serve; serve(port={port})"]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


class Server:
    def __init__(self, home):
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.process = start(home, self.port)
        self.printed = ""
        self.clients = []
        while "/setup?token=" not in self.printed:
            line = self.process.stdout.readline()
            assert line, self.printed
            self.printed += line
        self.link = re.search(r"^Set up: (\S+)$", self.printed, re.MULTILINE).group(1)
        self._wait()

    def _wait(self):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                if httpx.get(self.base + "/healthz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError(self.printed)

    def stop(self):
        for client in self.clients:
            client.close()
        self.process.terminate()
        self.process.communicate(timeout=30)

    def browser(self):
        client = httpx.Client(base_url=self.base, headers={"origin": self.base}, timeout=30)
        self.clients.append(client)
        return client

    def socket(self, cookie=None, origin=None):
        headers = {"Cookie": f"modelops={cookie}"} if cookie else {}
        address = f"ws://127.0.0.1:{self.port}/_stcore/stream"
        return connect(address, origin=origin or self.base, additional_headers=headers, subprotocols=["streamlit"])


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("home"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def administrator(server):
    """A browser in which the first administrator was made by the printed link."""
    browser = server.browser()
    page = browser.get(server.link, headers=VISIT)
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.text).group(1)
    token = server.link.partition("token=")[2]
    fields = {"csrf": csrf, "token": token, "name": "First Person", "login": "first"}
    answer = browser.post("/setup", data={**fields, "password": PASSWORD, "again": PASSWORD})
    assert answer.headers["location"] == "/", answer.text
    return browser


def streamlit_paths():
    """Every path that Streamlit itself declares, from its source."""
    from streamlit.web.server.starlette import starlette_agent_routes as agent
    from streamlit.web.server.starlette import starlette_auth_routes as auth
    from streamlit.web.server.starlette import starlette_routes as core
    from streamlit.web.server.starlette import starlette_websocket as stream

    found = set()
    for module in (core, agent, auth, stream):
        for name, value in vars(module).items():
            if re.fullmatch(r"_?ROUTE_[A-Z0-9_]+", name) and isinstance(value, str):
                found.add("/" + re.sub(r"\{[^}]*\}", "x", value))
    return sorted(found - {"/_stcore/health"})


def test_the_first_hit_of_a_fresh_server_is_not_past_the_door(server):
    answer = server.browser().get("/people", headers=VISIT)
    assert answer.status_code == 303
    assert answer.headers["location"] in {"/setup", "/login?next=%2Fpeople"}


@pytest.mark.parametrize("path", streamlit_paths())
def test_no_route_of_streamlit_is_reached_without_a_session(server, path):
    stranger = server.browser()
    for method in ("GET", "POST", "PUT", "DELETE"):
        assert stranger.request(method, path).status_code in {401, 403}


@pytest.mark.parametrize("path", ["/static/js/index.js", "/index.html", "/pages/admin/people.py", "/app.py"])
def test_no_file_is_reached_without_a_session(server, path):
    assert server.browser().get(path).status_code == 401


def test_no_websocket_opens_without_a_session(server):
    with pytest.raises(websockets.exceptions.InvalidStatus) as refusal, server.socket():
        pass
    assert refusal.value.response.status_code == 403


def test_no_websocket_opens_with_a_made_up_session(server, administrator):
    with pytest.raises(websockets.exceptions.InvalidStatus), server.socket(cookie="x" * 43):
        pass


def test_no_websocket_opens_for_another_site(server, administrator):
    cookie = administrator.cookies["modelops"]
    with pytest.raises(websockets.exceptions.InvalidStatus), server.socket(cookie, origin="https://evil.example"):
        pass


def test_a_websocket_opens_with_a_session(server, administrator):
    with server.socket(administrator.cookies["modelops"]) as opened:
        assert opened.subprotocol == "streamlit"


def test_the_page_is_streamlits_with_our_policy(server, administrator):
    page = administrator.get("/", headers=VISIT)
    assert page.status_code == 200
    assert "script-src 'self' 'wasm-unsafe-eval' 'sha256-" in page.headers["content-security-policy"]
    assert page.headers["x-frame-options"] == "DENY"


def test_an_unknown_path_of_the_api_is_no_page(server, administrator):
    assert administrator.get("/api/v1/nothing").status_code == 404


def test_a_request_under_another_host_name_is_refused(server):
    assert httpx.get(server.base + "/login", headers={"host": "evil.example"}).status_code == 400


def test_the_port_of_a_running_app_is_not_taken_twice(server, tmp_path):
    second = start(tmp_path, server.port)
    printed, _ = second.communicate(timeout=60)
    assert second.returncode != 0
    assert "cannot be used" in printed


def test_after_a_restart_no_set_up_link_is_printed_and_the_session_still_holds(tmp_path):
    first = Server(tmp_path)
    browser = first.browser()
    page = browser.get(first.link, headers=VISIT)
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.text).group(1)
    fields = {"csrf": csrf, "token": first.link.partition("token=")[2], "name": "First Person", "login": "first"}
    browser.post("/setup", data={**fields, "password": PASSWORD, "again": PASSWORD})
    session = browser.cookies["modelops"]
    first.stop()
    again = start(tmp_path, first.port)
    try:
        lines = []
        while not any(line.startswith("ModelOps:") for line in lines):
            lines.append(again.stdout.readline())
        first._wait()
        found = httpx.get(first.base + "/api/v1/me", headers={"cookie": f"modelops={session}"})
        assert found.json()["login"] == "first"
        assert httpx.get(first.base + "/setup", headers=VISIT).headers["location"] == "/login"
    finally:
        again.terminate()
        rest, _ = again.communicate(timeout=30)
    assert "/setup?token=" not in "".join(lines) + rest
