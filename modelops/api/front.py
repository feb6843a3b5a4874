"""Log-in, log-out, set-up and change of password."""

from __future__ import annotations

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from modelops.api.callers import caller_of, cookie_of, find_caller, now, origin_of, safe_next
from modelops.api.screens import Forms, Value
from modelops.errors import InvalidInput, ModelOpsError, NotAllowed
from modelops.services import sessions, setup, throttle
from modelops.services.sessions import LogIn, SessionLimits, cookie_name
from modelops.settings import Settings
from modelops.store import Store


class Front:
    """The routes of the door's own pages."""

    def __init__(self, store: Store, settings: Settings, forms: Forms) -> None:
        self._store = store
        self._settings = settings
        self._forms = forms
        self._limits = SessionLimits.of(settings)

    def routes(self) -> list[Route]:
        """Return them."""
        return [
            Route("/login", self.show_login, methods=["GET"]),
            Route("/login", self.log_in, methods=["POST"]),
            Route("/logout", self.show_logout, methods=["GET"]),
            Route("/logout", self.log_out, methods=["POST"]),
            Route("/setup", self.show_setup, methods=["GET"]),
            Route("/setup", self.set_up, methods=["POST"]),
            Route("/password", self.show_password, methods=["GET"]),
            Route("/password", self.change_password, methods=["POST"]),
        ]

    async def show_login(self, request: Request) -> Response:
        """Show the form, or go on if somebody is logged in already."""
        target = safe_next(request.query_params.get("next"))
        if await to_thread.run_sync(setup.needs_setup, self._store):
            return _to("/setup")
        if await to_thread.run_sync(find_caller, request, self._store, self._settings) is not None:
            return _to(target)
        info = "You are logged out." if "out" in request.query_params else ""
        return self._login_page(request, next=target, info=info)

    async def log_in(self, request: Request) -> Response:
        """Begin a session, or show the form again with what is wrong."""
        try:
            fields = await self._forms.read(request)
        except NotAllowed as refusal:
            return self._login_page(request, status=403, message=str(refusal), next="/")
        login, target = fields.get("login", ""), safe_next(fields.get("next"))

        def begin() -> LogIn:
            password, origin = fields.get("password", ""), origin_of(request)
            return sessions.log_in(self._store, login, password, origin=origin, at=now(), limits=self._limits)

        try:
            session = await to_thread.run_sync(begin)
        except NotAllowed as refusal:
            status = 429 if refusal.rule == throttle.THROTTLED else 401
            return self._login_page(request, status=status, message=str(refusal), login=login, next=target)
        return self._enter(session, "/password" if session.must_change_password else target)

    async def show_logout(self, request: Request) -> Response:
        """Ask before ending the session: a link alone, on any page, must not end it."""
        return self._forms.page(
            request,
            "message.html",
            heading="Log out?",
            form="/logout",
            button="Log out",
            link="/",
            link_text="Stay logged in",
        )

    async def log_out(self, request: Request) -> Response:
        """End the session. The gate has made sure that no other site sent this."""

        def end() -> None:
            sessions.log_out(self._store, cookie_of(request, self._settings), at=now())

        await to_thread.run_sync(end)
        response = _to("/login?out=1")
        name = cookie_name(self._settings)
        response.delete_cookie(name, path="/", secure=self._settings.behind_tls, httponly=True, samesite="lax")
        return response

    async def show_setup(self, request: Request) -> Response:
        """Show the form to whoever has the link, and say where the link is to everybody else."""
        if not await to_thread.run_sync(setup.needs_setup, self._store):
            return _to("/login")
        token = request.query_params.get("token", "")
        if not token:
            return self._setup_page(request)
        if not await to_thread.run_sync(setup.is_setup_token, self._store, token):
            message = "This link is not valid any more. Use the one that was printed when the app was started last."
            return self._setup_page(request, status=403, message=message)
        return self._setup_page(request, token=token)

    async def set_up(self, request: Request) -> Response:
        """Make the first administrator and log them in."""
        try:
            fields = await self._forms.read(request)
        except NotAllowed as refusal:
            return self._setup_page(request, status=403, message=str(refusal))

        def make() -> LogIn:
            _check_repeated(fields["password"], fields.get("again", ""))
            return setup.create_first_administrator(
                self._store,
                fields.get("token", ""),
                login=fields.get("login", ""),
                name=fields.get("name", ""),
                password=fields["password"],
                origin=origin_of(request),
                at=now(),
                limits=self._limits,
            )

        fields.setdefault("password", "")
        try:
            session = await to_thread.run_sync(make)
        except InvalidInput as error:
            kept: dict[str, Value] = {name: fields.get(name, "") for name in ("token", "login", "name")}
            return self._setup_page(request, status=422, message=str(error), **kept)
        except ModelOpsError as error:
            return self._setup_page(request, status=403, message=str(error))
        return self._enter(session, "/")

    async def show_password(self, request: Request) -> Response:
        """Show the form to change one's own password."""
        return self._password_page(request, next=safe_next(request.query_params.get("next")))

    async def change_password(self, request: Request) -> Response:
        """Change it, and begin a new session in the place of all others."""
        try:
            fields = await self._forms.read(request)
        except NotAllowed as refusal:
            return self._password_page(request, status=403, message=str(refusal))

        def change() -> LogIn:
            _check_repeated(fields.get("new", ""), fields.get("again", ""))
            return sessions.change_password(
                self._store,
                cookie_of(request, self._settings) or "",
                current=fields.get("current", ""),
                new=fields.get("new", ""),
                origin=origin_of(request),
                at=now(),
                limits=self._limits,
            )

        try:
            session = await to_thread.run_sync(change)
        except ModelOpsError as error:
            status = 422 if isinstance(error, InvalidInput) else 403
            target = safe_next(fields.get("next"))
            return self._password_page(request, status=status, message=str(error), next=target)
        return self._enter(session, safe_next(fields.get("next")))

    def _login_page(self, request: Request, *, status: int = 200, **values: Value) -> Response:
        name = self._settings.oidc_name if self._settings.oidc_issuer else ""
        response = self._forms.page(request, "login.html", status=status, single_sign_on=name, **values)
        if status == 429:
            response.headers["retry-after"] = "30"
        return response

    def _setup_page(self, request: Request, *, status: int = 200, **values: Value) -> Response:
        return self._forms.page(request, "setup.html", status=status, address=self._settings.address, **values)

    def _password_page(self, request: Request, *, status: int = 200, **values: Value) -> Response:
        caller = caller_of(request)
        given_out = caller is not None and caller.session is not None and caller.session.must_change_password
        login = caller.actor.login if caller is not None else ""
        return self._forms.page(request, "password.html", status=status, given_out=given_out, login=login, **values)

    def _enter(self, session: LogIn, target: str) -> Response:
        response = _to(target)
        put_session(response, session, self._settings)
        return response


def put_session(response: Response, session: LogIn, settings: Settings) -> None:
    """Give the browser the cookie of a new session. It ends with the session; scripts cannot read it."""
    response.set_cookie(
        cookie_name(settings),
        session.token,
        expires=session.expires_at,
        path="/",
        httponly=True,
        samesite="lax",
        secure=settings.behind_tls,
    )


def _check_repeated(password: str, again: str) -> None:
    if password != again:
        raise InvalidInput("The two new passwords differ. Type the same one twice.")


def _to(path: str) -> Response:
    return RedirectResponse(path, status_code=303, headers={"cache-control": "no-store"})
