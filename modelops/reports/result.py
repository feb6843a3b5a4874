"""The report of one analysis: what the policy says of it first, then the numbers, then how to get them again."""

from __future__ import annotations

from dataclasses import dataclass

from modelops.analyses.registry import ANALYSES
from modelops.domain.result import AnalysisResult, Outcome, Verdict
from modelops.reports.command import command_line
from modelops.reports.page import render
from modelops.reports.pictures import pictures

MAX_PAGE = 1_000_000
# How many rows of each kind and how many bytes of charts a page has: the first pair with which it is small enough.
_SIZES = ((600, 560_000), (200, 280_000), (50, 100_000), (10, 0))
_WORST_FIRST = (
    *(Outcome.FAILED, Outcome.NOT_ENOUGH_DATA, Outcome.NOT_RUN, Outcome.WAIVED),
    *(Outcome.IMMATERIAL, Outcome.PASSED, Outcome.NOT_APPLICABLE),
)


@dataclass(frozen=True)
class Method:
    """What an analysis is called, which question it answers, where its method comes from, whether it takes times."""

    title: str
    question: str
    source: str
    has_costs: bool = False


def result_report(result: AnalysisResult, *, origin: str = "") -> str:
    """Return one HTML file: verdicts, measurements, charts, inputs with their digests, and how to run it again.

    ``origin`` says of which model, data and run it is, where that is known: a result names nothing but digests.
    It holds what the result holds, and so no rows of the data. It needs no network, runs no script and stays below
    1 MB: charts and rows beyond that are left out, and it says so.
    """
    verdicts = sorted(result.verdicts, key=lambda verdict: _WORST_FIRST.index(verdict.verdict))
    shared = {
        "result": result,
        "origin": origin,
        "verdicts": verdicts,
        "method": method_of(result.analysis),
        "conclusion": conclusion(result.verdicts),
        "command": command_line(result),
    }
    page = ""
    for rows, space in _SIZES:
        page = render("result.html", **shared, rows=rows, pictures=pictures(result.curves, space=space))
        if len(page.encode()) <= MAX_PAGE:
            break
    return page


def method_of(key: str) -> Method:
    """Return what is known of the analysis ``key``; a result of another version may name one that is gone."""
    found = next((analysis for analysis in ANALYSES if analysis.key == key), None)
    if found is None:
        return Method(key.replace("_", " ").capitalize(), "", "")
    return Method(found.title, found.question, found.source, bool(found.costs))


def conclusion(verdicts: tuple[Verdict, ...]) -> str:
    """Return in one sentence what the policy says.

    Examples
    --------
    >>> conclusion(())
    'No policy has judged this result.'
    """
    if not verdicts:
        return "No policy has judged this result."
    counts = {outcome: sum(v.verdict is outcome for v in verdicts) for outcome in _WORST_FIRST}
    shown = ", ".join(f"{number} {outcome}" for outcome, number in counts.items() if number)
    return f"Of {len(verdicts)} rules: {shown}." if len(verdicts) > 1 else f"One rule: {shown}."
