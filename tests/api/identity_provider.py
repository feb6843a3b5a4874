"""An identity provider on loopback that tests can tell what to answer: OpenID Connect with PKCE, signed ID tokens."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey


class IdentityProvider:
    """Answers discovery, keys, token and userinfo; ``authorize`` plays the browser's visit."""

    def __init__(self):
        self.key = RSAKey.generate_key(2048, parameters={"kid": "k1", "use": "sig", "alg": "RS256"})
        self.published = [self.key]
        self.codes = {}
        self.person = {"sub": "u-1", "preferred_username": "Newcomer", "name": "New Author", "groups": ["ml-team"]}
        self.changed = {}
        self.userinfo = {}
        self.signs_with = None
        self.seen = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def authorize(self, address):
        """Visit the authorization address; return the address that the browser is sent back to."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self.seen.append(query)
        code = secrets.token_urlsafe(8)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def _token(self, form):
        query = self.codes.pop(form.get("code"), None)
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if query is None or base64.urlsafe_b64encode(challenge).rstrip(b"=").decode() != query["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": query["client_id"], "iat": now, "exp": now + 60, "nonce": query["nonce"]}
        if query.get("max_age") == "0":
            claims["auth_time"] = now
        claims = {name: value for name, value in {**claims, **self.person, **self.changed}.items() if value is not None}
        key = self.signs_with or self.key
        token = jwt.encode({"alg": key.alg or "RS256", "kid": key.kid}, claims, key, algorithms=["RS256", "HS256"])
        return 200, {"id_token": token, "access_token": "access", "token_type": "Bearer"}

    def _handler(provider):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path == "/.well-known/openid-configuration":
                    base = provider.issuer
                    self._send(
                        200,
                        {
                            "issuer": base,
                            "authorization_endpoint": base + "/authorize",
                            "token_endpoint": base + "/token",
                            "jwks_uri": base + "/jwks",
                            "userinfo_endpoint": base + "/userinfo",
                        },
                    )
                elif self.path == "/jwks":
                    self._send(200, {"keys": [key.as_dict(private=False) for key in provider.published]})
                else:
                    self._send(200, {"sub": provider.person["sub"], **provider.userinfo})

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                self._send(*provider._token({name: values[0] for name, values in parse_qs(body).items()}))

            def _send(self, status, content):
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler
