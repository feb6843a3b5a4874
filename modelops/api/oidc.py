"""OpenID Connect, the part that talks to the identity provider: authorization code with PKCE.

1. Read the provider's own description (discovery) and take its addresses from there.
2. Send the browser there with a state, a nonce and the digest of a secret (PKCE, S256).
3. Exchange the code that comes back, together with the secret, for an ID token.
4. Check the token's signature against the provider's published keys, with asymmetric algorithms only.
5. Check issuer, audience, times and nonce.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pydantic import JsonValue

from modelops.errors import InvalidInput, NotAllowed
from modelops.services.single_sign_on import Identity
from modelops.settings import Settings

if TYPE_CHECKING:
    from httpx import AsyncClient
    from joserfc.jwk import KeySet

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
SCOPE = "openid profile email"
_KEPT_SECONDS = 3600
_CLOCKS_APART = 60
Claims = dict[str, JsonValue]


@dataclass(frozen=True)
class Journey:
    """What a browser takes along on its way to the provider, and must bring back."""

    state: str
    nonce: str
    verifier: str
    target: str
    confirms: bool


class Provider:
    """One identity provider, described by the settings."""

    def __init__(self, settings: Settings) -> None:
        self._issuer = settings.oidc_issuer.rstrip("/")
        self._client_id = settings.oidc_client_id
        self._secret = settings.oidc_client_secret
        self._role_claim = settings.oidc_role_claim
        self._callback = f"{settings.address}/oidc/callback"
        self._description: dict[str, str] = {}
        self._keys: KeySet | None = None
        self._read_at = 0.0

    async def address(self, journey: Journey) -> str:
        """Return where to send the browser.

        Raises
        ------
        InvalidInput
            If the provider cannot be reached or describes itself wrongly.
        """
        description = await self._described()
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._callback,
            "scope": SCOPE,
            "state": journey.state,
            "nonce": journey.nonce,
            "code_challenge": _challenge(journey.verifier),
            "code_challenge_method": "S256",
        }
        if journey.confirms:
            query |= {"prompt": "login", "max_age": "0"}
        endpoint = description["authorization_endpoint"]
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    async def identity(self, journey: Journey, code: str) -> Identity:
        """Exchange ``code`` and return whom the provider names.

        Raises
        ------
        NotAllowed
            If the token does not prove it.
        InvalidInput
            If the provider cannot be reached or answers nonsense.
        """
        description = await self._described()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._callback,
            "client_id": self._client_id,
            "code_verifier": journey.verifier,
        }
        secret = self._secret.get_secret_value()
        if secret:
            form["client_secret"] = secret
        answer = await _fetch("POST", description["token_endpoint"], form=form)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise NotAllowed("The identity provider gave no ID token.", rule="single sign-on: token")
        claims = await self._checked(token, journey.nonce)
        if self._role_claim not in claims and "userinfo_endpoint" in description:
            claims = await self._with_user_info(claims, description["userinfo_endpoint"], answer.get("access_token"))
        return self._named(claims)

    async def _described(self) -> dict[str, str]:
        if self._description and time.monotonic() - self._read_at < _KEPT_SECONDS:
            return self._description
        found = await _fetch("GET", f"{self._issuer}/.well-known/openid-configuration")
        texts = {name: value for name, value in found.items() if isinstance(value, str)}
        missing = {"issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"} - texts.keys()
        if missing:
            raise InvalidInput(f"The identity provider's description lacks {', '.join(sorted(missing))}.")
        if texts["issuer"].rstrip("/") != self._issuer:
            raise InvalidInput(
                f"The identity provider calls itself {texts['issuer']!r}, but MODELOPS_OIDC_ISSUER is {self._issuer!r}."
            )
        self._description, self._keys, self._read_at = texts, None, time.monotonic()
        return texts

    async def _checked(self, token: str, nonce: str) -> Claims:
        from joserfc import jwt
        from joserfc.errors import JoseError

        for attempt in ("known keys", "new keys"):
            keys = await self._key_set(again=attempt == "new keys")
            try:
                claims = dict(jwt.decode(token, keys, algorithms=ALGORITHMS).claims)
                break
            except (JoseError, ValueError) as error:
                # The provider may have changed its keys since they were read.
                if attempt == "new keys":
                    message = "The ID token is not signed by the identity provider."
                    raise NotAllowed(message, rule="single sign-on: signature") from error
        _check_claims(claims, issuer=self._description["issuer"], audience=self._client_id, nonce=nonce)
        return claims

    async def _key_set(self, *, again: bool) -> KeySet:
        from joserfc.jwk import KeySet

        if self._keys is None or again:
            found = await _fetch("GET", (await self._described())["jwks_uri"])
            self._keys = KeySet.import_key_set(found)  # type: ignore[arg-type]
        return self._keys

    async def _with_user_info(self, claims: Claims, endpoint: str, access_token: JsonValue) -> Claims:
        if not isinstance(access_token, str):
            return claims
        more = await _fetch("GET", endpoint, bearer=access_token)
        return {**more, **claims} if more.get("sub") == claims["sub"] else claims

    def _named(self, claims: Claims) -> Identity:
        groups = claims.get(self._role_claim)
        listed = groups if isinstance(groups, list) else [groups]
        subject, proved = str(claims["sub"]), claims.get("auth_time")
        login = _text(claims, "preferred_username") or _text(claims, "email") or subject
        is_time = isinstance(proved, (int, float)) and not isinstance(proved, bool)
        return Identity(
            issuer=self._issuer,
            subject=subject,
            login=login,
            name=_text(claims, "name") or login,
            groups=frozenset(group for group in listed if isinstance(group, str)),
            authenticated_at=datetime.fromtimestamp(float(proved), UTC) if is_time else None,  # type: ignore[arg-type]
        )


def _check_claims(claims: Claims, *, issuer: str, audience: str, nonce: str) -> None:
    now = time.time()
    named = claims.get("aud")
    audiences = named if isinstance(named, list) else [named]
    subject, expires, issued = claims.get("sub"), claims.get("exp"), claims.get("iat")
    problems = (
        ("issuer", claims.get("iss") != issuer),
        ("audience", audience not in audiences or (len(audiences) > 1 and claims.get("azp") != audience)),
        ("expiry", not isinstance(expires, (int, float)) or expires <= now - _CLOCKS_APART),
        ("time", not isinstance(issued, (int, float)) or issued > now + _CLOCKS_APART),
        ("nonce", not hmac.compare_digest(str(claims.get("nonce")).encode(), nonce.encode())),
        ("subject", not isinstance(subject, str) or not 0 < len(subject) <= 255),
    )
    for name, is_wrong in problems:
        if is_wrong:
            raise NotAllowed(f"The ID token has a wrong {name}. Log in again.", rule=f"single sign-on: {name}")


async def _fetch(method: str, url: str, *, form: dict[str, str] | None = None, bearer: str | None = None) -> Claims:
    import httpx

    client: AsyncClient
    headers = {"accept": "application/json"} | ({"authorization": f"Bearer {bearer}"} if bearer else {})
    try:
        async with httpx.AsyncClient(timeout=10, follow_redirects=False, headers=headers) as client:
            response = await client.request(method, url, data=form)
        content = response.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise InvalidInput(f"The identity provider did not answer at {url}: {type(error).__name__}.") from error
    if response.status_code != 200 or not isinstance(content, dict):
        raise InvalidInput(f"The identity provider answered {response.status_code} at {url}.")
    return content


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _text(claims: Claims, name: str) -> str:
    value = claims.get(name)
    return value.strip() if isinstance(value, str) else ""
