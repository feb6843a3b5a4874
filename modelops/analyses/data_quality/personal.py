"""Personal data: found by what the values look like, and by what columns are called. The values are never shown."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from modelops.analyses.data_quality import check_digits
from modelops.analyses.data_quality.given_names import GIVEN_NAMES
from modelops.analyses.data_quality.texts import Counts, Levels

MOST_LOOKED_AT = 50_000
"""How many distinct values of a column and kind are looked at by check digit; the others are counted by their share."""

_EMAIL = r"[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(\.[A-Za-z0-9\-]+)*\.[A-Za-z]{2,}"
_PHONE = re.compile(r"(?:\+|00)\d[\d\s().\-/]{6,17}\d|\(?0\d{1,4}\)?[\s\-/.]{1,3}\d[\d\s\-/.]{4,12}\d"
                    r"|\(?[2-9]\d{2}\)?[\s.\-]\d{3}[.\-]\d{4}")  # fmt: skip
_DATE = re.compile(r"\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(\D|$)")
_TITLE = re.compile(r"(?:Mr|Mrs|Ms|Miss|Dr|Prof|Herr|Frau|Mme|Sr|Sra)\.?\s+[A-Z\u00c0-\u00de]")
_WORD = r"[A-Z\u00c0-\u00de][\w'\u2019.\-]*"
_NAME = re.compile(rf"{_WORD}(?:,?\s+{_WORD}){{1,3}}")


def _digits(text: str) -> str:
    return re.sub(r"[\s.\-/]", "", text)


def _is_email(_text: str) -> bool:
    return True  # the pattern that chose it is the whole test


def _is_address(text: str) -> bool:
    for part in re.split(r"[\s,;\[\]]+", text):
        try:
            ipaddress.ip_address(part)
        except ValueError:
            continue
        return True
    return False


def _is_phone(text: str) -> bool:
    found = None if _DATE.match(text) else _PHONE.search(text)
    return found is not None and 7 <= len(_digits(found.group()).strip("+()")) <= 15


def _holds_iban(text: str) -> bool:
    found = re.findall(r"\b[A-Z]{2}\d{2}(?:\s?[A-Z0-9]){11,30}\b", text.upper())
    return any(check_digits.is_iban(candidate.replace(" ", "")) for candidate in found)


def _holds_card(text: str) -> bool:
    found = re.findall(r"(?<![\d.])\d(?:[ \-]?\d){12,18}(?![\d.])", text)
    return any(check_digits.is_card(_digits(candidate)) for candidate in found)


def _is_identity(text: str) -> bool:
    stripped = text.strip()
    if any(check(stripped) for check in _WRITTEN):
        return True
    digits = _digits(stripped)
    return digits.isdecimal() and any(check(digits) for check in _NUMBERED)


_WRITTEN = (
    check_digits.is_us_social_security,
    check_digits.is_uk_national_insurance,
    check_digits.is_spanish_identity,
    check_digits.is_italian_fiscal_code,
    check_digits.is_swiss_insurance,
)
_NUMBERED = (
    check_digits.is_german_tax_number,
    check_digits.is_polish_identity,
    check_digits.is_french_social_security,
    check_digits.is_dutch_citizen_number,
)


def _is_person(text: str) -> bool:
    if _TITLE.match(text):
        return True
    if not _NAME.fullmatch(text.strip()):
        return False
    last, _, first = text.partition(",")
    return (first or last).split()[0].strip(".").casefold() in GIVEN_NAMES


@dataclass(frozen=True)
class Kind:
    """One kind of personal data.

    ``pattern`` (RE2, on all distinct values at once) chooses candidates, ``test`` decides. ``least`` is the share of
    values from which it counts: what other values also hit by chance (a tenth of all long numbers pass a check digit)
    counts only where most do.
    """

    name: str
    pattern: str
    test: Callable[[str], bool]
    least: float = 0.0


KINDS = (
    Kind("e-mail address", _EMAIL, _is_email),
    Kind("bank account (IBAN)", r"(?i)\b[A-Z]{2}[0-9]{2}( ?[A-Z0-9]){11,30}", _holds_iban),
    Kind("payment card", r"[0-9]([ \-]?[0-9]){12,18}", _holds_card, 0.3),
    Kind("IP address", r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+|[0-9a-fA-F]*:[0-9a-fA-F]*:[0-9a-fA-F:]+", _is_address),
    Kind("telephone number", r"(\+|00?|\()?[0-9][0-9\s().\-/]{5,}[0-9]", _is_phone, 0.05),
    Kind(
        "national identity number",
        r"^\s*([0-9]{3}-[0-9]{2}-[0-9]{4}|[A-Za-z]{2} ?([0-9]{2} ?){3}[A-Da-d]|[XYZxyz0-9][0-9]{7}-?[A-Za-z]"
        r"|[A-Za-z]{6}[0-9]{2}[A-Za-z][0-9]{2}[A-Za-z][0-9]{3}[A-Za-z]|[0-9]([ .]?[0-9]){8,14})\s*$",
        _is_identity,
        0.5,
    ),
    Kind("name of a person", r"^\s*(Mr|Mrs|Ms|Miss|Dr|Prof|Herr|Frau|Mme|Sra?)?\.?\s*[\p{Lu}].*\s", _is_person, 0.1),
)

_BY_NAME = {
    "name of a person": (
        r"(^|_)(first|last|given|family|full|middle|maiden|sur|fore|nick|user|customer|client|patient|employee|person|"
        r"applicant|contact|holder|owner|doctor|author)_?names?$|^(name|surname|forename|firstname|lastname|fullname|"
        r"nachname|vorname|nom|prenom|apellidos?|nombre)$"
    ),
    "e-mail address": r"(^|_)e_?mails?(_|$)",
    "telephone number": r"(^|_)(tele)?phones?(_|$)|(^|_)(mobile|cell|fax|tel)(_(no|nr|number))?$",
    "address": (
        r"(^|_)(street|address|addr|strasse|adresse|house_(no|number)|post_?code|zip(_?code)?|postal(_code)?)(_|$)"
    ),
    "date of birth": r"(^|_)(dob|birth_?(date|day)|date_of_birth|born(_on|_at)?|geburtsdatum)(_|$)",
    "national identity number": (
        r"(^|_)(ssn|social_security|national_(id|insurance)|nino|passport|driver_?s?_?licen[cs]e|tax_(id|number)|tin|"
        r"identity_(card|number)|pesel|bsn|dni|nif|cpf|aadhaar|ahv)(_|$)"
    ),
    "bank account (IBAN)": r"(^|_)(iban|bic|account_(no|nr|number)|bank_account|sort_code)(_|$)",
    "payment card": r"(^|_)((credit_?|debit_?)?card_(no|nr|number)|ccn|cc_number|pan)(_|$)",
    "IP address": r"(^|_)(ip|ip_?addr(ess)?|mac_address|device_id|imei|imsi)(_|$)",
    "position": r"(^|_)(latitude|longitude|lat|lon|lng|gps|geo_?location|coordinates)(_|$)",
    "licence plate": r"(^|_)(licen[cs]e_plate|plate_(no|number)|vin)(_|$)",
    "health record": r"(^|_)(mrn|medical_record|patient_id|patient_no|insurance_(no|number))(_|$)",
}


@dataclass(frozen=True)
class Personal:
    """Rows of one column that hold one kind of personal data, of those with a value."""

    kind: str
    rows: float
    of: int
    looked_at: int


def by_name(column: str) -> str | None:
    """Return the kind of personal data that the name of a column speaks of.

    Examples
    --------
    >>> by_name("customerEmail"), by_name("DateOfBirth"), by_name("income")
    ('e-mail address', 'date of birth', None)
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column)
    plain = re.sub(r"[\W_]+", "_", words).strip("_").lower()
    return next((kind for kind, pattern in _BY_NAME.items() if re.search(pattern, plain)), None)


def by_pattern(levels: Levels, *, named: str | None = None) -> tuple[Personal, ...]:
    """Return the kinds of personal data that the values show, as rows of all rows with a value.

    Parameters
    ----------
    named : str, optional
        The kind that the column's name speaks of: of that one any value counts.

    Examples
    --------
    >>> from modelops.analyses.data_quality.texts import levels_of
    >>> found = by_pattern(levels_of(pa.chunked_array([["ask me", "write to who@example.org", None]])))
    >>> [(one.kind, one.rows, one.of) for one in found]
    [('e-mail address', 1.0, 2)]
    """
    total = int(levels.counts.sum())
    found = []
    for kind in KINDS:
        chosen = pc.match_substring_regex(levels.texts, kind.pattern).to_numpy(zero_copy_only=False)
        places = np.flatnonzero(chosen)
        some = places[:: max(1, -(-len(places) // MOST_LOOKED_AT))]
        rows = _rows(levels.texts, levels.counts, some, kind.test)
        share = int(levels.counts[places].sum()) / max(1, int(levels.counts[some].sum()))
        least = 0.0 if kind.name == named else kind.least
        if rows and rows * share >= least * total:
            found.append(Personal(kind.name, rows * share, total, len(some)))
    return tuple(found)


def _rows(texts: pa.Array, counts: Counts, places: NDArray[np.intp], test: Callable[[str], bool]) -> int:
    values = texts.take(pa.array(places)).to_pylist()
    hits = np.fromiter((test(value) for value in values), dtype=np.bool_, count=len(values))
    return int(counts[places][hits].sum())


def in_numbers(ordered_distinct: NDArray[np.int64]) -> tuple[Personal, ...]:
    """Return what whole numbers of nine digits and more show: cards and identity numbers.

    Parameters
    ----------
    ordered_distinct : ndarray of shape (n,)
        The distinct values; each counts once.
    """
    some = ordered_distinct[:: max(1, -(-len(ordered_distinct) // MOST_LOOKED_AT))].tolist()
    texts = [str(value) for value in some if value >= 10**8]
    found = []
    for kind in KINDS:
        if kind.name in ("payment card", "national identity number"):
            hits = sum(map(kind.test, texts))
            if hits and hits >= max(kind.least * len(some), 1):
                rows = hits / len(some) * len(ordered_distinct)
                found.append(Personal(kind.name, rows, len(ordered_distinct), len(some)))
    return tuple(found)
