"""What the commands print."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from modelops.analyses.base import Analysis
from modelops.domain.columns import ColumnSummary, ModelSummary, TableSummary
from modelops.domain.digest import Digest
from modelops.domain.result import AnalysisResult, Measurement
from modelops.evaluation import file_kind, inspect_model, inspect_table

_SHOWN = 40
_METRICS_HEAD = """# The metrics

What the names in [the result file](result-file.md) mean. They are those of scikit-learn and fairlearn where these have
one; a metric that several analyses report stands with the one that it is named for. This page is what
`python -m modelops analyses --metrics` prints."""


def analyses_as_json() -> str:
    """Return every analysis with its needs and the JSON schema of its parameters."""
    from modelops.analyses.registry import ANALYSES

    return json.dumps([_declaration(one) for one in ANALYSES], indent=1, ensure_ascii=False)


def _declaration(one: Analysis) -> dict[str, object]:
    return {
        "key": one.key,
        "title": one.title,
        "question": one.question,
        "serves": list(one.serves),
        "needs": sorted(one.needs),
        "uses": sorted(one.uses),
        "tasks": sorted(one.tasks),
        "parameters": one.parameters.model_json_schema(),
        "source": one.source,
    }


def analyses_as_text() -> str:
    """Return every analysis for reading: the question it answers, its needs, its parameters with their defaults."""
    from modelops.analyses.registry import ANALYSES

    return "\n\n".join(_described(one) for one in ANALYSES)


def _described(one: Analysis) -> str:
    lines = [f"{one.key}: {one.question}"]
    lines.append(f"  needs: {', '.join(sorted(one.needs)) or 'a table'}; for {' and '.join(sorted(one.tasks))}")
    if one.uses:
        lines.append(f"  also looks at, where it is there: {', '.join(sorted(one.uses))}")
    for name, field in one.parameters.model_fields.items():
        default = json.dumps(field.get_default(call_default_factory=True), default=str)
        lines.append(f"  --param {name}={default}  {field.description or ''}".rstrip())
    return "\n".join(lines)


def metrics_as_markdown() -> str:
    """Return the list of all metrics that stands in the documentation: by the analysis that each is named for."""
    from modelops.analyses.metrics import FAMILIES
    from modelops.analyses.registry import analysis

    parts = [_METRICS_HEAD]
    for key, metrics in FAMILIES.items():
        rows = [f"| `{name}` | {sentence} |" for name, sentence in metrics.items()]
        parts.append("\n".join([f"\n## {analysis(key).title}\n", "| metric | what it says |", "|---|---|", *rows]))
    return "\n".join(parts)


@dataclass(frozen=True)
class Inspected:
    """One file: its digest and what it turned out to be."""

    name: str
    digest: Digest
    summary: TableSummary | ModelSummary

    @classmethod
    def of(cls, path: Path) -> Self:
        """Open ``path`` in the sandbox."""
        kind = file_kind(path, name=path.name)
        summary = inspect_model(path, name=path.name) if kind.is_model else inspect_table(path, name=path.name)
        return cls(path.name, Digest.of_file(path), summary)

    @property
    def kind(self) -> str:
        """``"model"`` or ``"table"``."""
        return "model" if isinstance(self.summary, ModelSummary) else "table"

    def as_json(self) -> str:
        """Return all of it."""
        summary = self.summary.model_dump(mode="json")
        content = {"file": self.name, "kind": self.kind, "digest": self.digest, **summary}
        return json.dumps(content, indent=1, ensure_ascii=False)

    def as_text(self) -> str:
        """Return it for reading."""
        head = [f"{self.name}: {self.kind}, {self.summary.format}", f"digest {self.digest}"]
        body = _table(self.summary) if isinstance(self.summary, TableSummary) else _model(self.summary)
        return "\n".join([*head, *body, *(f"note: {note}" for note in self.summary.notes)])


def _table(summary: TableSummary) -> list[str]:
    task = f", {summary.task.value}" if summary.task else ""
    lines = [f"{summary.rows:,} rows, {len(summary.columns):,} columns{task}"]
    width = min(_SHOWN, max(len(column.name) for column in summary.columns))
    for column in summary.columns:
        roles = ", ".join(role.value for role in summary.roles.of(column.name)) or "-"
        name = _clean(column.name)[:_SHOWN]
        lines.append(f"  {name:{width}}  {column.kind:16} {roles:20} {_statistics(column)}".rstrip())
    return lines


def _statistics(column: ColumnSummary) -> str:
    parts = [f"{column.missing:,} missing"] if column.missing else []
    if column.distinct is not None:
        parts.append(f"{column.distinct:,} distinct")
    if column.minimum is not None:
        low, high = (f"{end:.6g}" if isinstance(end, float) else end for end in (column.minimum, column.maximum))
        parts.append(f"{low} to {high}")
    if column.top:
        parts.append(", ".join(f"{_clean(value)[:20]} ({count:,})" for value, count in column.top[:3]))
    return "; ".join(parts)


def _model(summary: ModelSummary) -> list[str]:
    lines = [f"{summary.framework}, {summary.task.value if summary.task else 'task unknown'}, {summary.size:,} bytes"]
    lines.append(f"{len(summary.features)} features: {', '.join(map(_clean, summary.features[:_SHOWN]))}")
    if summary.classes:
        lines.append(f"{len(summary.classes)} classes: {', '.join(map(_clean, summary.classes[:_SHOWN]))}")
    return lines + ([f"steps: {' > '.join(map(_clean, summary.steps))}"] if summary.steps else [])


def result_as_text(result: AnalysisResult) -> str:
    """Return the summary, the first measurements and all verdicts of a result for reading."""
    lines = [result.summary]
    lines += [f"  {_measurement(one)}" for one in result.measurements[:_SHOWN]]
    if len(result.measurements) > _SHOWN:
        lines.append(f"  ... and {len(result.measurements) - _SHOWN:,} more in the result file")
    lines += [f"note: {note}" for note in result.notes]
    lines += [f"{verdict.verdict.value}: {verdict.rule} ({verdict.because})" for verdict in result.verdicts]
    return _clean("\n".join(lines))


def _measurement(one: Measurement) -> str:
    scope = f" [{scope_as_text(one.scope)}]" if one.scope else ""
    if one.value is None:
        return f"{one.metric}{scope}: not measured. {one.note}"
    interval = f" ({_number(one.interval[0])} to {_number(one.interval[1])})" if one.interval else ""
    return f"{one.metric}{scope}: {_number(one.value)}{interval}, n = {one.sample_size:,}"


def scope_as_text(scope: Mapping[str, object]) -> str:
    """Return what a measurement is about: ``sex = f, feature income``."""
    parts = []
    for key, value in scope.items():
        if isinstance(value, Mapping):
            parts += [f"{name} = {level}" for name, level in value.items()]
        else:
            parts.append(f"{key} {value}")
    return ", ".join(parts)


def _number(value: float) -> str:
    return f"{value:,.0f}" if math.isclose(value, round(value)) and abs(value) >= 1000 else f"{value:.6g}"


def _clean(text: str) -> str:
    """Names and values come from uploads: a terminal must not obey them."""
    return "".join(char if char.isprintable() or char == "\n" else "\ufffd" for char in text)
