"""The Merkle tree over the audit trail (RFC 9162, which continues RFC 6962, section 2.1), with SHA-256.

The leaves are the 32 bytes of the entries' hashes, see `modelops.domain.audit`. Proofs are checked in
`modelops.attest.verifier.log`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from modelops.attest.verifier.log import is_consistent, leaf_hash, node_hash, root_of_inclusion
from modelops.errors import InvalidInput, VerificationFailed

EMPTY_ROOT = hashlib.sha256(b"").digest()


class Tree:
    """All hashes of a tree, so that each root and proof takes only a logarithmic number of steps.

    Parameters
    ----------
    leaves : iterable of bytes
        The leaves in order, unhashed.

    Examples
    --------
    >>> Tree([]).root().hex()[:8]
    'e3b0c442'
    """

    def __init__(self, leaves: Iterable[bytes]) -> None:
        level = [leaf_hash(leaf) for leaf in leaves]
        self._levels = [level]  # of the complete subtrees of 1, 2, 4, ... leaves
        while len(level) > 1:
            level = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
            self._levels.append(level)

    def __len__(self) -> int:
        return len(self._levels[0])

    def root(self, size: int | None = None) -> bytes:
        """Return the root over the first ``size`` leaves, or all.

        Raises
        ------
        InvalidInput
            If there are fewer leaves.
        """
        end = self._size(size)
        return self._hash(0, end) if end else EMPTY_ROOT

    def inclusion_proof(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """Return the proof that leaf ``index`` is in the tree of ``size`` leaves (RFC 9162, 2.1.3.1).

        Raises
        ------
        InvalidInput
            If there is no such leaf.
        """
        end = self._size(size)
        if not 0 <= index < end:
            raise InvalidInput(f"Got leaf {index} of a tree of {end} leaves.")
        return tuple(self._path(index, 0, end))

    def consistency_proof(self, old: int, size: int | None = None) -> tuple[bytes, ...]:
        """Return the proof that the tree of ``size`` leaves continues that of ``old`` (RFC 9162, 2.1.4.1).

        Raises
        ------
        InvalidInput
            If ``old`` is not between 1 and ``size``.
        """
        end = self._size(size)
        if not 0 < old <= end:
            raise InvalidInput(
                f"Got a proof from {old} to {end} leaves, expected at least 1 and not fewer than before."
            )
        return tuple(self._between(old, 0, end, is_whole=True))

    def _size(self, size: int | None) -> int:
        end = len(self) if size is None else size
        if not 0 <= end <= len(self):
            raise InvalidInput(f"Got the size {end} of a tree of {len(self)} leaves.")
        return end

    def _hash(self, start: int, end: int) -> bytes:
        """Return the hash over the leaves ``start`` to ``end``; ``start`` is a multiple of the size's power of two."""
        count = end - start
        if count & (count - 1) == 0:
            level = count.bit_length() - 1
            return self._levels[level][start >> level]
        middle = start + _split(count)
        return node_hash(self._hash(start, middle), self._hash(middle, end))

    def _path(self, index: int, start: int, end: int) -> list[bytes]:
        if end - start == 1:
            return []
        middle = start + _split(end - start)
        if index < middle:
            return [*self._path(index, start, middle), self._hash(middle, end)]
        return [*self._path(index, middle, end), self._hash(start, middle)]

    def _between(self, old: int, start: int, end: int, *, is_whole: bool) -> list[bytes]:
        if old == end:
            return [] if is_whole else [self._hash(start, end)]
        middle = start + _split(end - start)
        if old <= middle:
            return [*self._between(old, start, middle, is_whole=is_whole), self._hash(middle, end)]
        return [*self._between(old, middle, end, is_whole=False), self._hash(start, middle)]


def _split(count: int) -> int:
    """Return the largest power of two below ``count``."""
    return 1 << (count - 1).bit_length() - 1


@dataclass(frozen=True)
class Frontier:
    """What is needed to go on with a tree: the hashes of its complete subtrees, largest first.

    A store that keeps the frontier of its last checkpoint gets the next root from the new leaves alone.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def extended(self, leaves: Iterable[bytes]) -> Frontier:
        """Return the frontier after more leaves."""
        size, hashes = self.size, list(self.hashes)
        for leaf in leaves:
            node, height = leaf_hash(leaf), size
            while height & 1:
                node, height = node_hash(hashes.pop(), node), height >> 1
            hashes.append(node)
            size += 1
        return Frontier(size, tuple(hashes))

    @property
    def root(self) -> bytes:
        """The root over all leaves so far."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for node in reversed(self.hashes[:-1]):
            root = node_hash(node, root)
        return root


def verify_inclusion(leaf: bytes, index: int, *, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Check that ``leaf`` is number ``index`` of the tree of ``size`` leaves with ``root``.

    Raises
    ------
    VerificationFailed
        With the root that was found and the one expected.
    """
    found = root_of_inclusion(index, size, leaf, proof)
    if found != root:
        shown = found.hex() if found else "no root (the proof has the wrong length)"
        raise VerificationFailed(f"Leaf {index} is not in the tree of {size}: got {shown}, expected {root.hex()}.")


def verify_consistency(old: int, old_root: bytes, *, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree of ``size`` leaves with ``root`` continues the tree of ``old`` leaves with ``old_root``.

    Raises
    ------
    VerificationFailed
        If it does not, or the proof does not show it.
    """
    if not is_consistent(old, old_root, size, root, proof):
        raise VerificationFailed(f"The tree of {size} leaves is not shown to continue that of {old}.")
