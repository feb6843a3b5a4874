"""The pages of the door: rendered here, without scripts, with nothing from elsewhere."""

from __future__ import annotations

import secrets
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from modelops.api.headers import DOOR_POLICY
from modelops.api.secret import seal, unseal
from modelops.errors import NotAllowed
from modelops.version import VERSION

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE = Path(__file__).parent
_FORM_COOKIE = "modelops-form"
_PURPOSE = "form"
Value = str | bool


class Forms:
    """Renders pages whose forms only this app's own pages can send.

    A form carries a sealed copy of a random number that also stands in a cookie: another site can neither read the one
    nor set the other.
    """

    def __init__(self, secret: bytes, *, behind_tls: bool) -> None:
        self._secret = secret
        self._secure = behind_tls

    def page(self, request: Request, template: str, *, status: int = 200, **values: Value) -> Response:
        """Render a template; a missing value is empty."""
        number = request.cookies.get(_FORM_COOKIE) or secrets.token_urlsafe(16)
        csrf = seal(self._secret, _PURPOSE, {"number": number})
        text = _templates().get_template(template).render(csrf=csrf, version=VERSION, **values)
        response = HTMLResponse(text, status_code=status, headers={"content-security-policy": DOOR_POLICY})
        if request.cookies.get(_FORM_COOKIE) != number:
            response.set_cookie(
                _FORM_COOKIE, number, max_age=86400, httponly=True, samesite="strict", secure=self._secure
            )
        return response

    async def read(self, request: Request) -> dict[str, str]:
        """Return the fields of a form that was sent.

        Raises
        ------
        NotAllowed
            If it was not made by `page` for this browser.
        """
        async with request.form(max_files=0, max_fields=20) as form:
            fields = {name: value for name, value in form.items() if isinstance(value, str)}
        sealed = unseal(self._secret, _PURPOSE, fields.get("csrf", ""))
        number = request.cookies.get(_FORM_COOKIE)
        if not number or sealed is None or sealed.get("number") != number:
            raise NotAllowed("This form is out of date. Open it again and send it once more.", rule="form token")
        return fields


def stylesheet(_: Request) -> Response:
    """Serve the style of the door's pages."""
    return FileResponse(_HERE / "assets" / "door.css", media_type="text/css", headers=_CACHED)


def favicon(_: Request) -> Response:
    """Serve the icon of the browser's tab."""
    return FileResponse(_HERE / "assets" / "favicon.png", media_type="image/png", headers=_CACHED)


_CACHED = {"cache-control": "public, max-age=86400"}


@lru_cache(maxsize=1)
def _templates() -> Environment:
    from jinja2 import Environment, FileSystemLoader

    return Environment(loader=FileSystemLoader(_HERE / "templates"), autoescape=True, trim_blocks=True)
