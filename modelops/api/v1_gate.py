"""``/api/v1/gate/{digest}``: whether exactly these bytes may go to production."""

from __future__ import annotations

from modelops.api.endpoint import ApiRoute, Call
from modelops.domain.digest import Digest
from modelops.domain.gate import GateDecision
from modelops.services.gating import ask
from modelops.services.keyring import open_keys


def gate(call: Call) -> GateDecision:
    """Return the decision; ``allowed`` is the answer, ``checks`` say why."""
    text = call.text("digest")
    digest = Digest(text if ":" in text else f"sha256:{text}")
    keys = open_keys(call.settings.keys, call.store, at=call.at)
    environment = call.query("environment")
    return ask(call.store, digest, keys=keys, actor=call.actor, at=call.at, environment=environment)


ROUTES = (ApiRoute("/api/v1/gate/{digest}", gate),)
