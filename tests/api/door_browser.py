"""A browser for the door's tests: what it sends, and how it sends a form."""

from __future__ import annotations

import re
import warnings

with warnings.catch_warnings():
    # Starlette's client warns about the HTTP library that it was given.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

__all__ = ["BASE", "ORIGIN", "VISIT", "Browser", "TestClient", "csrf_in", "submit"]
BASE = "http://localhost:8501"
ORIGIN = {"origin": BASE}
VISIT = {"accept": "text/html,application/xhtml+xml"}


class Browser(TestClient):
    """A client that can send cookies with one request and forget them again."""

    def request(self, method, url, *, cookies=None, headers=None, **sent):
        if cookies:
            line = "; ".join(f"{name}={value}" for name, value in cookies.items())
            headers = {**(headers or {}), "cookie": line}
        return super().request(method, url, headers=headers, **sent)


def csrf_in(response) -> str:
    """Return the form token of a page."""
    found = re.search(r'name="csrf" value="([^"]+)"', response.text)
    assert found is not None, response.text[:500]
    return found.group(1)


def submit(client: TestClient, path: str, **fields: str):
    """Open a page and send its form, as a browser does."""
    page = client.get(path, headers=VISIT)
    return client.post(path.partition("?")[0], data={"csrf": csrf_in(page), **fields}, headers=ORIGIN)
