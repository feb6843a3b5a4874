"""Points in time as text: UTC, microseconds, always the same width, so that their order is the order of the text."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator

from modelops.errors import InvalidInput

_FORM = "%Y-%m-%dT%H:%M:%S.%fZ"
_PATTERN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


def instant(moment: datetime) -> str:
    """Return ``moment`` in UTC with microseconds and ``Z``.

    Raises
    ------
    InvalidInput
        If it does not say its time zone.

    Examples
    --------
    >>> instant(datetime(2026, 11, 23, 9, 30, tzinfo=UTC))
    '2026-11-23T09:30:00.000000Z'
    """
    if moment.tzinfo is None:
        raise InvalidInput(f"Got the time {moment.isoformat()} without a time zone, expected one in UTC.")
    # strftime does not pad years below 1000 on every platform; isoformat does.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def moment(text: str) -> datetime:
    """Return the time that `instant` wrote.

    Raises
    ------
    InvalidInput
        If the text has another form or is no date of the calendar.
    """
    if not _PATTERN.fullmatch(text):
        raise InvalidInput(f"Got {text[:40]!r} as a time, expected UTC as in '2026-11-23T09:30:00.000000Z'.")
    try:
        return datetime.strptime(text, _FORM).replace(tzinfo=UTC)
    except ValueError as error:
        raise InvalidInput(f"Got {text!r} as a time: {error}.") from error


def for_people(text: str) -> str:
    """Return a time that `instant` wrote as people read it, to the second.

    Examples
    --------
    >>> for_people("2026-11-23T09:30:00.000000Z")
    '2026-11-23 09:30:00 UTC'
    """
    return moment(text).strftime("%Y-%m-%d %H:%M:%S UTC")


def _checked(text: str) -> str:
    try:
        moment(text)
    except InvalidInput as error:
        raise ValueError(str(error)) from error
    return text


Instant = Annotated[str, AfterValidator(_checked)]
