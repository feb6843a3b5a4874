"""Single sign-on, the part that talks to the browser: out, back, and the confirmation for a signature."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import asdict

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from modelops.api.callers import caller_of, cookie_of, now, origin_of, safe_next
from modelops.api.front import put_session
from modelops.api.oidc import Journey, Provider
from modelops.api.screens import Forms
from modelops.api.secret import seal, unseal
from modelops.domain.people import Authentication
from modelops.errors import ModelOpsError, NotAllowed
from modelops.services import single_sign_on
from modelops.services.sessions import SessionLimits
from modelops.settings import Settings
from modelops.store import Store

_COOKIE = "modelops-journey"
_PURPOSE = "journey"
_SECONDS = 600


class SingleSignOn:
    """The routes below ``/oidc``."""

    def __init__(self, store: Store, settings: Settings, forms: Forms, secret: bytes) -> None:
        self._store = store
        self._settings = settings
        self._forms = forms
        self._secret = secret
        self._provider = Provider(settings)
        self._role_map = single_sign_on.read_role_map(settings.oidc_roles)

    def routes(self) -> list[Route]:
        """Return them."""
        return [
            Route("/oidc/login", self.begin, methods=["GET"]),
            Route("/oidc/confirm", self.confirm, methods=["GET"]),
            Route("/oidc/callback", self.come_back, methods=["GET"]),
        ]

    async def begin(self, request: Request) -> Response:
        """Send the browser to the identity provider to log in."""
        return await self._set_out(request, confirms=False)

    async def confirm(self, request: Request) -> Response:
        """Send the browser to the identity provider to prove again who is there, before a signature."""
        caller = caller_of(request)
        if caller is None or caller.actor.authentication is not Authentication.SINGLE_SIGN_ON:
            return self._failed(request, "This log-in did not begin with single sign-on. Sign with your password.")
        return await self._set_out(request, confirms=True)

    async def come_back(self, request: Request) -> Response:
        """Take the provider's answer: begin a session, or confirm the one there is."""
        journey = self._journey(request)
        state = request.query_params.get("state", "")
        if journey is None or not hmac.compare_digest(journey.state.encode(), state.encode("utf-8", "replace")):
            return self._failed(request, "This log-in was not begun in this browser, or too long ago. Begin again.")
        if "error" in request.query_params:
            return self._failed(request, "The identity provider refused. Begin again, or ask an administrator.")
        try:
            identity = await self._provider.identity(journey, request.query_params.get("code", ""))
            response = await to_thread.run_sync(self._let_in, request, journey, identity)
        except ModelOpsError as error:
            return self._failed(request, str(error))
        response.delete_cookie(_COOKIE, path="/oidc", secure=self._settings.behind_tls, httponly=True)
        return response

    def _let_in(self, request: Request, journey: Journey, identity: single_sign_on.Identity) -> Response:
        at, origin = now(), origin_of(request)
        response = RedirectResponse(safe_next(journey.target), status_code=303, headers={"cache-control": "no-store"})
        if journey.confirms:
            token = cookie_of(request, self._settings)
            if token is None:
                raise NotAllowed("Your session has ended. Log in again.", rule="session")
            single_sign_on.confirm_identity(self._store, token, identity, origin=origin, at=at)
            return response
        limits = SessionLimits.of(self._settings)
        session = single_sign_on.log_in_identity(
            self._store, identity, role_map=self._role_map, origin=origin, at=at, limits=limits
        )
        put_session(response, session, self._settings)
        return response

    async def _set_out(self, request: Request, *, confirms: bool) -> Response:
        target = safe_next(request.query_params.get("next"))
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        journey = Journey(state, nonce, verifier, target, confirms)
        try:
            address = await self._provider.address(journey)
        except ModelOpsError as error:
            return self._failed(request, str(error))
        response = RedirectResponse(address, status_code=303, headers={"cache-control": "no-store"})
        content = {**asdict(journey), "until": now().timestamp() + _SECONDS}
        response.set_cookie(
            _COOKIE,
            seal(self._secret, _PURPOSE, content),
            max_age=_SECONDS,
            path="/oidc",
            httponly=True,
            samesite="lax",
            secure=self._settings.behind_tls,
        )
        return response

    def _journey(self, request: Request) -> Journey | None:
        content = unseal(self._secret, _PURPOSE, request.cookies.get(_COOKIE, ""))
        if content is None:
            return None
        until = content.pop("until")
        if not isinstance(until, float) or until < now().timestamp():
            return None
        return Journey(
            state=str(content["state"]),
            nonce=str(content["nonce"]),
            verifier=str(content["verifier"]),
            target=str(content["target"]),
            confirms=content["confirms"] is True,
        )

    def _failed(self, request: Request, message: str) -> Response:
        return self._forms.page(
            request,
            "message.html",
            status=403,
            heading="Not logged in",
            message=message,
            kind="error",
            link="/login",
            link_text="Back to the log-in page",
        )
