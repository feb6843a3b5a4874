"""The signing key of this installation, and the public keys that others know it by."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from modelops.attest.keys import KeyRing, SigningKey, check_pair, create_key, load_key
from modelops.domain.people import SYSTEM, Actor, Right
from modelops.store import Store

_KEY, _RING = "signing_key.pem", "public_keys.json"


@dataclass(frozen=True)
class Keys:
    """What seals, and what everybody may know of it."""

    key: SigningKey
    ring: KeyRing

    @property
    def origin(self) -> str:
        """The name of this installation's audit trail in checkpoints; it outlives rotations of the key."""
        return f"modelops-{self.ring.keys[0].id.short}"


def open_keys(folder: Path, store: Store, *, at: datetime) -> Keys:
    """Return the keys in ``folder``; made, with an audit entry, where there are none yet.

    Raises
    ------
    NotFound, InvalidInput, VerificationFailed
        If the ring is there but its key is not, or the two do not belong together: keys are never made anew silently.
    """
    if not (folder / _RING).exists():
        key = load_key(folder / _KEY) if (folder / _KEY).exists() else create_key(folder / _KEY)
        ring = KeyRing.of(key, at=at)
        with store.transaction() as t:
            t.record(SYSTEM, "key:create", f"key/{key.id.short}", at=at, digest=key.id)
        _write(folder / _RING, ring)
    keys = Keys(load_key(folder / _KEY), KeyRing.read((folder / _RING).read_bytes()))
    check_pair(keys.ring, keys.key)
    return keys


def rotate(folder: Path, store: Store, *, actor: Actor, at: datetime) -> Keys:
    """Replace the signing key: the old one signs for the new one, and its private half is gone afterwards."""
    actor.require(Right.ADMINISTER)
    old = open_keys(folder, store, at=at)
    fresh = folder / f"signing_key.{secrets.token_hex(4)}.pem"
    new = create_key(fresh)
    ring = old.ring.rotated(old.key, new, at=at)
    with store.transaction() as t:
        t.record(actor, "key:rotate", f"key/{new.id.short}", at=at, old={"key": old.key.id}, digest=new.id)
    fresh.replace(folder / _KEY)
    _write(folder / _RING, ring)
    return Keys(new, ring)


def _write(path: Path, ring: KeyRing) -> None:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with beside.open("wb") as file:
        file.write(ring.to_bytes())
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
