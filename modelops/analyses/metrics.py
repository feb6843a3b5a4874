"""Every metric that an analysis may report, and what it says in one line: for pages, reports and the documentation.

Each family of analyses says what its own metrics mean; a metric that several report stands with the one that it is
named for.
"""

from __future__ import annotations

from modelops.analyses.drift.metrics import METRICS as _DRIFT
from modelops.analyses.explainability.metrics import METRICS as _EXPLAINABILITY
from modelops.analyses.fairness.metrics import METRICS as _FAIRNESS
from modelops.analyses.performance.metrics import METRICS as _PERFORMANCE

METRICS: dict[str, str] = _PERFORMANCE | _FAIRNESS | _DRIFT | _EXPLAINABILITY
