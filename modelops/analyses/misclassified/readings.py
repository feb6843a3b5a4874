"""What people found in the queue of mistakes: how far they agree, and what it does to the accuracy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modelops.analyses.statistics.agreement import Kappa, cohen_kappa
from modelops.analyses.statistics.intervals import LEVEL, Interval, wilson
from modelops.domain.case_reading import CaseVerdict, Reading


@dataclass(frozen=True)
class Queue:
    """What was queued: how many rows were judged, how many of them wrong, which were queued in which order."""

    judged: int
    wrong: int
    rows: tuple[int, ...]
    predicted: Mapping[int, str]
    order: str

    @property
    def is_complete(self) -> bool:
        """Whether every mistake is in the queue."""
        return len(self.rows) >= self.wrong


@dataclass(frozen=True)
class Adjusted:
    """Accuracy as the readers see it. ``how`` says what it stands on; ``read`` of ``wrong`` mistakes were read."""

    name: str
    value: float
    interval: Interval
    how: str


def adjusted_accuracy(queue: Queue, settled: Mapping[int, Reading], *, level: float = LEVEL) -> tuple[Adjusted, ...]:
    """Return the accuracy with wrong labels put right, and with rows left out whose label or data were wrong.

    Where every mistake was read, the counts are known. Where a random sample of them was, the share of wrong labels
    among all of them is estimated, and its uncertainty is in the interval. Otherwise only what was read is put right,
    and the accuracy is at least that. Labels that the model agrees with were not read: some of those may be wrong too.

    Parameters
    ----------
    settled : mapping of int to Reading
        The verdict on each row that was read, as it stands.
    """
    if not queue.judged or not settled:
        return ()
    read = [settled[row] for row in queue.rows if row in settled]
    if not read:
        return ()
    put_right = sum(_is_put_right(one, queue) for one in read)
    left_out = sum(one.verdict in {CaseVerdict.LABEL_ERROR, CaseVerdict.DATA_ERROR} for one in read)
    all_read = queue.is_complete and len(read) == len(queue.rows)
    if all_read:
        how = "every mistake was read and settled"
    elif queue.order == "random":
        how = f"{len(read):,} mistakes drawn at random stand for all {queue.wrong:,}"
    else:
        how = f"at least: the {queue.wrong - len(read):,} mistakes without a settled verdict count as the model's"
    estimated = queue.order == "random" and not all_read
    wrong = queue.wrong
    if not estimated:
        right = queue.judged - wrong + put_right
        kept = queue.judged - left_out
        corrected = right / queue.judged, wilson(right, queue.judged, level=level)
        some_left = kept > 0
        removed = (
            ((queue.judged - wrong) / kept, wilson(queue.judged - wrong, kept, level=level)) if some_left else None
        )
    else:
        corrected = _estimated(queue, len(read), put_right, level, removed=False)
        # Where every row is a mistake and none of those read stays one, no row would be left.
        some_left = queue.wrong < queue.judged or left_out < len(read)
        removed = _estimated(queue, len(read), left_out, level, removed=True) if some_left else None
    found = [Adjusted("accuracy with wrong labels put right", *corrected, how)]
    if removed is not None:
        found.append(Adjusted("accuracy without rows of wrong label or data", *removed, how))
    return tuple(found)


def _is_put_right(one: Reading, queue: Queue) -> bool:
    """A wrong label is put right in the model's favour, unless the reader named another one."""
    if one.verdict is not CaseVerdict.LABEL_ERROR:
        return False
    return one.right_label is None or one.right_label == queue.predicted.get(one.row)


def _estimated(queue: Queue, read: int, hits: int, level: float, *, removed: bool) -> tuple[float, Interval]:
    """Return the accuracy if ``hits`` of ``read`` mistakes, drawn at random, stand for all of them.

    The error left is the product of two shares: mistakes among rows, and those that stay mistakes among mistakes. Its
    interval is made from both Wilson intervals on the logarithm (G. Y. Zou, A. Donner, 2008).
    """
    error, stays = queue.wrong / queue.judged, (read - hits) / read
    of_error = wilson(queue.wrong, queue.judged, level=level)
    # A sample of most of a finite number of mistakes leaves less to doubt than one of endlessly many.
    left = 1 - read / queue.wrong if queue.wrong > read else 0.0
    of_stays = _drawn_towards(stays, wilson(read - hits, read, level=level), math.sqrt(left))
    low, high = _product_interval(error, of_error, stays, of_stays)
    value = error * stays
    if not removed:
        return 1 - value, (1 - high, 1 - low)

    def without(share: float) -> float:
        # Rows that do not stay mistakes are left out: right / (right + remaining mistakes).
        return (1 - error) / (1 - error + share)

    return without(value), (without(high), without(low))


def _drawn_towards(value: float, interval: Interval, factor: float) -> Interval:
    return value - (value - interval[0]) * factor, value + (interval[1] - value) * factor


def _product_interval(one: float, of_one: Interval, other: float, of_other: Interval) -> Interval:
    if min(one, other, of_one[0], of_other[0]) <= 0:
        return 0.0, of_one[1] * of_other[1]
    centre = math.log(one) + math.log(other)
    below = math.hypot(math.log(one / of_one[0]), math.log(other / of_other[0]))
    above = math.hypot(math.log(of_one[1] / one), math.log(of_other[1] / other))
    return math.exp(centre - below), min(1.0, math.exp(centre + above))


def readers_agreement(readings: Sequence[Reading], *, level: float = LEVEL) -> Kappa:
    """Return the agreement of the two people who read most cases both; always their own verdicts, before settling."""
    by_reader: dict[int, dict[int, Reading]] = {}
    for one in readings:
        by_reader.setdefault(one.reader_id, {})[one.row] = one
    people = sorted(by_reader)
    pairs = [(one, other) for k, one in enumerate(people) for other in people[k + 1 :]]
    shared = {pair: sorted(by_reader[pair[0]].keys() & by_reader[pair[1]].keys()) for pair in pairs}
    best = max(pairs, key=lambda pair: (len(shared[pair]), (-pair[0], -pair[1])), default=None)
    if best is None:
        return cohen_kappa([], [], level=level)
    first, second = (by_reader[reader] for reader in best)
    rows = shared[best]
    return cohen_kappa([first[row].verdict for row in rows], [second[row].verdict for row in rows], level=level)
