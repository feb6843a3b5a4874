"""How every HTML report is made: one file, nothing fetched, nothing runs, whatever text it shows."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from modelops.domain.instant import for_people
from modelops.domain.metric_words import metric_phrase

# What does not show but changes how text reads: controls, formats (bidirectional marks), surrogates, private use.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co"})

_LONGEST = 2_000


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("modelops.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters |= {
        "metric": metric_phrase,
        "number": number,
        "when": for_people,
        "count": count,
        "scope": scope,
        "short": short,
        "start": start,
    }
    return environment


def render(template: str, **content: object) -> str:
    """Return the page that ``template`` makes of ``content``; every text in it is escaped."""
    return _environment().get_template(template).render(content)


def _shown(value: object) -> object:
    if isinstance(value, str) and not isinstance(value, Markup):
        return "".join(c for c in value if c in "\n\t" or unicodedata.category(c) not in _HIDDEN)
    return value


def number(value: object) -> str:
    """Return a value for people: four significant digits, thousands grouped.

    Examples
    --------
    >>> number(0.123456), number(1234567.0), number(2066.69), number(12345), number(None), number(True)
    ('0.1235', '1,234,567', '2,067', '12,345', 'not measured', 'yes')
    """
    if value is None:
        return "not measured"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if 1e3 <= abs(value) < 1e15 else f"{value:.4g}"
    return str(value)


def count(amount: int, one: str, many: str | None = None) -> str:
    """Return an amount with its noun.

    Examples
    --------
    >>> count(1, "waiver"), count(2, "waiver")
    ('1 waiver', '2 waivers')
    """
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"


def start(text: str) -> str:
    """Return a text, or where it is longer than a page can show, its beginning.

    Examples
    --------
    >>> start("brief"), start("x" * 2_500)[-49:]
    ('brief', 'xxx... (2,500 characters, all in the result file)')
    """
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}... ({len(text):,} characters, all in the result file)"


def scope(of: dict[str, object]) -> str:
    """Return a scope for people.

    Examples
    --------
    >>> scope({"group": {"sex": "female", "race": "Asian"}}), scope({})
    ('sex = female, race = Asian', 'overall')
    """
    parts = []
    for kind, value in of.items():
        if isinstance(value, dict):
            parts += [f"{name} = {label}" for name, label in value.items()]
        else:
            parts.append(f"{kind} {value}")
    return ", ".join(parts) or "overall"


def short(digest: str) -> str:
    """Return the first twelve digits of a digest.

    Examples
    --------
    >>> short("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    'ba7816bf8f01'
    """
    return digest.removeprefix("sha256:")[:12]
