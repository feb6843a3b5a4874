"""What people take away: reports and model cards as self-contained HTML, and the gate's answer in four forms.

Nothing is drawn or loaded before the first report is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelops.domain.result import AnalysisResult
    from modelops.reports.content import ReportContent

__all__ = ["model_card", "result_report", "review_report"]


def result_report(result: AnalysisResult, *, origin: str = "") -> str:
    """Return the report of one analysis as one HTML file of less than 1 MB, see `modelops.reports.result`."""
    from modelops.reports.result import result_report as make

    return make(result, origin=origin)


def review_report(content: ReportContent) -> str:
    """Return the report of a review as one HTML file, see `modelops.reports.review`."""
    from modelops.reports.review import review_report as make

    return make(content)


def model_card(content: ReportContent) -> str:
    """Return the model card of a review as one HTML file, see `modelops.reports.review`."""
    from modelops.reports.review import model_card as make

    return make(content)
