"""Cases read by people: who was wrong in each, and which verdict stands where two people read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class CaseVerdict(StrEnum):
    """Who was wrong in a case that the model got wrong."""

    MODEL_ERROR = "model error"
    LABEL_ERROR = "label error"
    AMBIGUOUS = "ambiguous"
    DATA_ERROR = "data error"


@dataclass(frozen=True)
class Reading:
    """What one person says of one case; ``right_label`` is what the label should be, where that is what was wrong."""

    row: int
    reader_id: int
    verdict: CaseVerdict
    note: str
    right_label: str | None = None


def settled_readings(readings: Sequence[Reading], settlements: Mapping[int, Reading]) -> dict[int, Reading]:
    """Return the verdict on each case as it stands: settled, agreed by both, or of its only reader.

    Cases on which two readers differ and that nobody settled are left out: they stay what they were counted as.
    """
    by_row: dict[int, list[Reading]] = {}
    for one in readings:
        by_row.setdefault(one.row, []).append(one)
    stands: dict[int, Reading] = {}
    for row, given in by_row.items():
        if row in settlements:
            stands[row] = settlements[row]
        elif len({(one.verdict, one.right_label) for one in given}) == 1:
            stands[row] = given[0]
    return stands
