"""A browser's side of one page of the app, over the websocket: what was drawn, and reruns with their times."""

from __future__ import annotations

import http.cookiejar
import re
import time
import urllib.parse
import urllib.request
from typing import NamedTuple

from google.protobuf.message import Message
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

_TIMEOUT = 60


class Widget(NamedTuple):
    """A widget as it was drawn last, and the fragment that it stands in (empty: the page itself)."""

    id: str
    element: Message
    fragment: str


class Screen:
    """One page in one browser. ``cookie`` is that of a log-in, empty where nobody needs one."""

    def __init__(self, port: int, *, page: str = "", query: str = "", cookie: str = "") -> None:
        headers = {"Origin": f"http://127.0.0.1:{port}"} | ({"Cookie": cookie} if cookie else {})
        address = f"ws://127.0.0.1:{port}/_stcore/stream"
        self._socket = connect(address, additional_headers=headers, subprotocols=["streamlit"], max_size=None)  # type: ignore[list-item]
        self._page, self._query, self._hash = page, query, ""
        self.widgets: dict[str, Widget] = {}
        self.run()

    def run(self, *, fragment: str = "", texts: dict[str, str] | None = None, pressed: str = "") -> float:
        """Draw the page again, or one fragment of it, with texts typed and a button pressed; return the seconds."""
        message = BackMsg()
        client = message.rerun_script
        client.query_string, client.page_name, client.page_script_hash = self._query, self._page, self._hash
        client.fragment_id = fragment
        client.context_info.timezone = "UTC"
        for widget_id, text in (texts or {}).items():
            client.widget_states.widgets.add(id=widget_id, string_value=text)
        if pressed:
            client.widget_states.widgets.add(id=pressed, trigger_value=True)
        start = time.perf_counter()
        self._socket.send(message.SerializeToString())
        while not self._is_end(self._receive(), fragment):
            pass
        return time.perf_counter() - start

    def close(self) -> None:
        """Close the tab."""
        self._socket.close()

    def _receive(self) -> ForwardMsg:
        answer = ForwardMsg()
        answer.ParseFromString(self._socket.recv(timeout=_TIMEOUT))
        return answer

    def _is_end(self, answer: ForwardMsg, fragment: str) -> bool:
        kind = answer.WhichOneof("type")
        if kind == "new_session":
            kept = [found for found in self.widgets.values() if fragment and found.fragment != fragment]
            self.widgets = {found.id: found for found in kept}
        elif kind == "navigation":
            # Before it the server does not know which page the address names, and says that it is the first.
            self._hash = answer.navigation.page_script_hash
        elif kind == "delta" and answer.delta.WhichOneof("type") == "new_element":
            element = answer.delta.new_element
            inside = getattr(element, element.WhichOneof("type"))
            if getattr(inside, "id", ""):
                self.widgets[inside.id] = Widget(inside.id, inside, answer.delta.fragment_id)
        return kind == "script_finished" and answer.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN


def log_in(port: int, login: str, password: str) -> str:
    """Log in as a browser does; return the cookies."""
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    address = f"http://127.0.0.1:{port}/login"
    token = re.search(r'name="csrf" value="([^"]*)"', opener.open(address).read().decode())
    assert token
    form = urllib.parse.urlencode({"csrf": token[1], "next": "/", "login": login, "password": password}).encode()
    opener.open(urllib.request.Request(address, form, {"Origin": f"http://127.0.0.1:{port}"}))
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)
