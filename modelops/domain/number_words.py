"""Numbers and texts inside sentences and titles."""

from __future__ import annotations


def quantity(value: float, *, digits: int = 4) -> str:
    """Return a number inside a sentence: ``digits`` that count, and a large one whole with its thousands apart.

    Examples
    --------
    >>> quantity(0.012345, digits=3), quantity(787.41), quantity(1263.4), quantity(-123456.7)
    ('0.0123', '787.4', '1,263', '-123,457')
    """
    return f"{value:.{digits}g}" if abs(value) < 1000 else f"{value:,.0f}"


def decimals(value: float, places: int = 2) -> str:
    """Return a number with ``places`` decimals; what rounds to zero has no sign.

    Examples
    --------
    >>> decimals(-0.001), decimals(0.628), decimals(-0.25, 1)
    ('0.00', '0.63', '-0.2')
    """
    return f"{round(value, places) + 0.0:.{places}f}"


def percent(share: float) -> str:
    """Return a share as text, the one way in which shares are written: as few decimals as it takes, and a space.

    Examples
    --------
    >>> percent(0.1234), percent(0.0012), percent(1)
    ('12.3 %', '0.12 %', '100 %')
    """
    points = share * 100
    digits = 2 if 0 < abs(points) < 1 else 1
    return f"{points:.{digits}f}".rstrip("0").rstrip(".") + " %"


def title_case(text: str) -> str:
    """Return ``text`` with its first letter as a capital; the others stay, since names may stand among them.

    Examples
    --------
    >>> title_case("score of class Other enquiry")
    'Score of class Other enquiry'
    """
    return text[:1].upper() + text[1:]
