"""What a person takes away from a result: the result file, the report, and tables for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator

from modelops.domain.canonical import canonical_bytes
from modelops.domain.result import AnalysisResult
from modelops.reports import result_report
from modelops.ui.chart_files import POINTS, points_of
from modelops.ui.safe_csv import safe_csv
from modelops.ui.text import scope_name

_NUMBERS = ("metric", "about", "value", "unit", "low", "high", "level", "sample_size", "note")


def json_file(result: AnalysisResult) -> bytes:
    """Return the result file, byte for byte as it is stored."""
    return canonical_bytes(result)


def report_file(result: AnalysisResult, *, origin: str) -> bytes:
    """Return the report as one HTML file; ``origin`` says of which model, data and run it is."""
    return result_report(result, origin=origin).encode()


def numbers_file(result: AnalysisResult) -> bytes:
    """Return every measurement as CSV."""
    return safe_csv(_NUMBERS, _numbers(result))


def points_file(result: AnalysisResult) -> bytes:
    """Return the points of every chart as CSV."""
    return safe_csv(POINTS, _points(result))


def _numbers(result: AnalysisResult) -> Iterator[tuple[object, ...]]:
    for one in result.measurements:
        low, high = one.interval or (None, None)
        about = scope_name(one.scope)
        yield one.metric, about, one.value, one.unit, low, high, one.level, one.sample_size, one.note


def _points(result: AnalysisResult) -> Iterator[tuple[object, ...]]:
    for curve in result.curves:
        yield from points_of(curve)
