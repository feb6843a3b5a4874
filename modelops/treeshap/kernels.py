"""The compiled loops. Importing this imports numba and compiles: do it inside the function that runs them.

All of them are in one file: numba looks at the file of the outermost function alone when it decides whether kept code
is still that of today.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import from_dtype, njit, types

from modelops.treeshap.ensemble import NODE


class Way(NamedTuple):
    """The stack of a walk through a tree: for each waiting node, the different features above it and their shares."""

    node: np.ndarray
    length: np.ndarray
    feature: np.ndarray
    share: np.ndarray


def _constant(item: types.Type, ndim: int = 1) -> types.Array:
    return types.Array(item, ndim, "C", readonly=True)


_NODES = from_dtype(NODE)
_ONE = np.uint64(1)
_NONE = np.uint64(0)
_ZERO = float(np.float32(1e-35))


@njit(nogil=True)
def decide(column: np.ndarray, nodes: np.ndarray, words: np.ndarray, node: int, goes_left: np.ndarray) -> None:
    """Say for each row whether a split sends it to the left; the rules are those of `ensemble.Rule`."""
    rule = nodes[node].rule
    threshold = nodes[node].threshold
    if rule == 0:
        for row in range(len(column)):
            goes_left[row] = column[row] <= threshold
    elif rule == 1:
        for row in range(len(column)):
            goes_left[row] = not column[row] > threshold
    elif rule == 4:
        first = nodes[node].first_word
        size = nodes[node].n_categories
        others = bool(nodes[node].flags & 1)
        missing = bool(nodes[node].flags & 2)
        for row in range(len(column)):
            value = column[row]
            if np.isnan(value):
                goes_left[row] = missing
            elif -1 < value < size:
                category = int(value)
                goes_left[row] = (words[first + (category >> 5)] >> (category & 31)) & 1
            else:
                goes_left[row] = others
    else:
        for row in range(len(column)):
            value = column[row]
            goes_left[row] = rule == 3 if np.isnan(value) or abs(value) <= _ZERO else value <= threshold


@njit(nogil=True)
def step(nodes: np.ndarray, way: Way, top: int) -> int:
    """Put both children of the split at ``top`` in its place, the left one above; return its feature's position."""
    node = way.node[top]
    feature = nodes[node].feature
    up = top + 1
    n = way.length[top]
    slot = 0
    while slot < n and way.feature[top, slot] != feature:
        slot += 1
    for j in range(n):
        way.feature[up, j] = way.feature[top, j]
        way.share[up, j] = way.share[top, j]
    before = way.share[top, slot] if slot < n else 1.0
    for at, child in ((top, nodes[node].right), (up, nodes[node].left)):
        way.feature[at, slot] = feature
        way.share[at, slot] = before * nodes[child].share
        way.length[at] = max(n, slot + 1)
        way.node[at] = child
    return slot


@njit(nogil=True)
def branch(below: np.ndarray, above: np.ndarray, slot: int, is_new: bool, goes_left: np.ndarray, size: int) -> None:
    """Give ``above`` the patterns in the left child and ``below`` those in the right one.

    Bit ``slot`` says whether every condition on the feature holds; a new feature has had none yet.
    """
    word = slot >> 6
    bit = _ONE << np.uint64(slot & 63)
    for k in range(len(below)):
        if k != word:
            for s in range(size):
                above[k, s] = below[k, s]
    lower = below[word]
    upper = above[word]
    if is_new:
        for s in range(size):
            held = lower[s]
            upper[s] = held | (bit if goes_left[s] else _NONE)
            lower[s] = held | (_NONE if goes_left[s] else bit)
    else:
        for s in range(size):
            held = lower[s]
            upper[s] = held if goes_left[s] else held & ~bit
            lower[s] = held & ~bit if goes_left[s] else held


@njit(nogil=True, fastmath={"contract"})
def tabulate(
    patterns: np.ndarray,
    size: int,
    n: int,
    leaf: float,
    shares: np.ndarray,
    points: np.ndarray,
    weights: np.ndarray,
    product: np.ndarray,
    places: np.ndarray,
    table: np.ndarray,
) -> None:
    """Add the contributions of one leaf, for each pattern s of held conditions, to ``table[places[i], s]``.

    With o the pattern, z the shares and v the leaf, feature i gets v (o_i - z_i) times the integral over t from 0 to 1
    of the product over the others of t o_j + (1 - t) z_j: a polynomial that the quadrature integrates exactly.
    """
    for q in range(len(points)):
        t = points[q]
        start = weights[q] * leaf
        for s in range(size):
            product[s] = start
        for j in range(n):
            unmet = (1.0 - t) * shares[j]
            met = unmet + t
            held = patterns[j >> 6]
            bit = np.uint64(j & 63)
            for s in range(size):
                product[s] *= met if (held[s] >> bit) & _ONE else unmet
        without = -1.0 / (1.0 - t)
        for i in range(n):
            inside = (1.0 - shares[i]) / ((1.0 - t) * shares[i] + t)
            held = patterns[i >> 6]
            bit = np.uint64(i & 63)
            entries = table[places[i]]
            for s in range(size):
                entries[s] += product[s] * (inside if (held[s] >> bit) & _ONE else without)


@njit(nogil=True)
def different(key: np.ndarray, known: np.ndarray, index: np.ndarray, slots: np.ndarray) -> int:
    """List the different keys in ``known``, write each row's position there to ``index``; return their number."""
    mask = len(slots) - 1
    for k in range(len(slots)):
        slots[k] = -1
    found = 0
    for row in range(len(key)):
        own = key[row]
        k = int((own * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)) & mask
        while slots[k] >= 0 and known[slots[k]] != own:
            k = (k + 1) & mask
        if slots[k] < 0:
            slots[k] = found
            known[found] = own
            found += 1
        index[row] = slots[k]
    return found


@njit(nogil=True)
def read_block(
    columns: np.ndarray,
    nodes: np.ndarray,
    words: np.ndarray,
    waiting: np.ndarray,
    top: int,
    n: int,
    patterns: np.ndarray,
    key: np.ndarray,
    goes_left: np.ndarray,
) -> None:
    """Write each row's pattern at the root of a block to ``key``, with one bit more for each split of the block.

    The splits come in the order of the walk in `fill`.
    """
    for row in range(len(key)):
        key[row] = patterns[0, row]
    root = waiting[top]
    shift = np.uint64(n)
    at = top
    while at >= top:
        node = waiting[at]
        if nodes[node].left < 0:
            at -= 1
            continue
        decide(columns[nodes[node].feature], nodes, words, node, goes_left)
        for row in range(len(key)):
            key[row] |= np.uint64(goes_left[row]) << shift
        shift += _ONE
        waiting[at] = nodes[node].right
        waiting[at + 1] = nodes[node].left
        at += 1
    waiting[top] = root


@njit(nogil=True)
def list_patterns(
    patterns: np.ndarray,
    n: int,
    n_bits: int,
    bits: int,
    key: np.ndarray,
    slots: np.ndarray,
    known: np.ndarray,
    held: np.ndarray,
    index: np.ndarray,
) -> int:
    """List the patterns of a block in ``known``, the part about its root in ``held``; return their number.

    Up to ``bits`` bits they are all that there can be, beyond those that occur; with more features on the way than a
    word has bits (a block is a leaf then), each row is one. ``index`` says which pattern a row has.
    """
    if n_bits > 64:
        for row in range(len(key)):
            index[row] = row
            for k in range(len(patterns)):
                held[k, row] = patterns[k, row]
        return len(key)
    size = 1 << n_bits
    if n_bits <= bits:
        for s in range(size):
            known[s] = s
        for row in range(len(key)):
            index[row] = key[row]
    else:
        size = different(key, known, index, slots)
    own = ~_NONE if n == 64 else (_ONE << np.uint64(n)) - _ONE
    for s in range(size):
        held[0, s] = known[s] & own
    return size


@njit(nogil=True)
def clear(entries: np.ndarray, size: int) -> None:
    """Set to zero."""
    for s in range(size):
        entries[s] = 0.0


@njit(nogil=True)
def fill(
    nodes: np.ndarray,
    first_point: np.ndarray,
    points: np.ndarray,
    weights: np.ndarray,
    way: Way,
    top: int,
    size: int,
    known: np.ndarray,
    patterns: np.ndarray,
    turns_left: np.ndarray,
    product: np.ndarray,
    players: np.ndarray,
    places: np.ndarray,
    table: np.ndarray,
) -> int:
    """Tabulate all leaves of a block for each of its patterns; return how many features get something.

    The patterns walk through the block as rows do: bits behind the features of the way say where each split sends them.
    """
    n_players = way.length[top]
    shift = np.uint64(n_players)
    for i in range(n_players):
        players[i] = way.feature[top, i]
        clear(table[i], size)
    at = top
    while at >= top:
        node = way.node[at]
        n = way.length[at]
        held = patterns[at - top]
        if nodes[node].left < 0:
            for i in range(n):
                place = 0
                while players[place] != way.feature[at, i]:
                    place += 1
                places[i] = place
            first, last = first_point[n], first_point[n + 1]
            tabulate(
                held,
                size,
                n,
                nodes[node].value,
                way.share[at],
                points[first:last],
                weights[first:last],
                product,
                places,
                table,
            )
            at -= 1
            continue
        slot = step(nodes, way, at)
        place = 0
        while place < n_players and players[place] != nodes[node].feature:
            place += 1
        if place == n_players:
            players[place] = nodes[node].feature
            clear(table[place], size)
            n_players += 1
        for s in range(size):
            turns_left[s] = (known[s] >> shift) & _ONE
        shift += _ONE
        branch(held, patterns[at - top + 1], slot, slot == n, turns_left, size)
        at += 1
    return int(n_players)


@njit(
    types.void(
        _constant(types.float64, 2),
        _constant(types.int64),
        _constant(_NODES),
        _constant(types.uint32),
        _constant(types.int64),
        _constant(types.float64),
        _constant(types.float64),
        types.int64,
        types.int64,
        types.int64,
        types.int64,
        types.float64[:, ::1],
    ),
    cache=True,
    nogil=True,
)
def explain(
    columns: np.ndarray,
    roots: np.ndarray,
    nodes: np.ndarray,
    words: np.ndarray,
    first_point: np.ndarray,
    points: np.ndarray,
    weights: np.ndarray,
    depth: int,
    longest: int,
    bits: int,
    block_splits: int,
    phi: np.ndarray,
) -> None:
    """Add the contributions of all trees to ``phi``; few enough rows for the cache, as columns.

    On the way down a tree the pattern of held conditions is kept for all rows: bit j says whether a row meets every
    split on the j-th different feature so far. The lowest parts of a tree are done at once, as blocks: those with at
    most ``block_splits`` splits, or with features above and splits together not more than ``bits``.
    """
    n_rows = columns.shape[1]
    n_words = (longest + 63) >> 6
    levels = max(bits, block_splits) + 2
    room = max(n_rows, 1 << bits)
    n_slots = 64
    while n_slots < 4 * n_rows:
        n_slots *= 2
    patterns = np.zeros((depth + 2, n_words, n_rows), np.uint64)
    way = Way(
        np.zeros(depth + 2, np.int64),
        np.zeros(depth + 2, np.int64),
        np.zeros((depth + 2, longest + 1), np.int64),
        np.zeros((depth + 2, longest + 1)),
    )
    goes_left = np.zeros(n_rows, np.bool_)
    key = np.zeros(n_rows, np.uint64)
    index = np.zeros(n_rows, np.int32)
    slots = np.zeros(n_slots, np.int32)
    known = np.zeros(room, np.uint64)
    held = np.zeros((levels, n_words, room), np.uint64)
    turns_left = np.zeros(room, np.bool_)
    product = np.zeros(room)
    players = np.zeros(longest + levels, np.int64)
    places = np.zeros(longest + levels, np.int64)
    table = np.zeros((longest + levels, room))
    for root in roots:
        top: Any = np.int64(0)  # typed, or each function is compiled for the constant too
        way.node[0] = root
        way.length[0] = 0
        for k in range(n_words):
            for row in range(n_rows):
                patterns[0, k, row] = 0
        while top >= 0:
            node = way.node[top]
            n = way.length[top]
            n_bits = n + nodes[node].splits
            if n_bits > max(n, bits) and (n_bits > n + block_splits or n_bits > 64):
                decide(columns[nodes[node].feature], nodes, words, node, goes_left)
                slot = step(nodes, way, top)
                branch(patterns[top], patterns[top + 1], slot, slot == n, goes_left, n_rows)
                top += 1
                continue
            read_block(columns, nodes, words, way.node, top, n, patterns[top], key, goes_left)
            size = list_patterns(patterns[top], n, n_bits, bits, key, slots, known, held[0], index)
            n_players = fill(
                nodes,
                first_point,
                points,
                weights,
                way,
                top,
                size,
                known,
                held,
                turns_left,
                product,
                players,
                places,
                table,
            )
            for i in range(n_players):
                entries = table[i]
                out = phi[players[i]]
                for row in range(n_rows):
                    out[row] += entries[index[row]]
            top -= 1
