"""A stored result computed once more from given files: reproduced, drifted, or it cannot be done and why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from modelops.domain.digest import Digest
from modelops.domain.result import AnalysisResult
from modelops.errors import Cancelled, ModelOpsError
from modelops.evaluation.comparing import Comparison, Reproduction, compare, request_of
from modelops.evaluation.environment import environment
from modelops.evaluation.request import MODEL_PARTS, InputFiles
from modelops.evaluation.running import evaluate
from modelops.evaluation.workers import Progress, quiet


def repeat(
    result: AnalysisResult, files: InputFiles, *, progress: Progress = quiet
) -> tuple[Comparison, AnalysisResult | None]:
    """Compute ``result`` again from its record and hold the new numbers against it.

    Returns
    -------
    tuple of Comparison and (AnalysisResult or None)
        The new result is ``None`` where there is none: a file is missing or is another one, the analysis or a parameter
        is unknown to this version, or the computation fails. The comparison says which.
    """
    if reasons := list(unusable_inputs(result, files)):
        return Comparison(outcome=Reproduction.CANNOT, because=" ".join(reasons)), None
    try:
        again = evaluate(request_of(result), files, progress=progress)
    except Cancelled:
        raise
    except ModelOpsError as error:
        return Comparison(outcome=Reproduction.CANNOT, because=failed(result, error)), None
    return compare(result, again), again


def unusable_inputs(result: AnalysisResult, files: InputFiles) -> Iterator[str]:
    """Yield why the files are not those of the record: missing, too many, or with other bytes."""
    given: dict[str, Path] = {**files.tables, **files.models}
    for part, record in result.inputs.items():
        if part not in given:
            yield f"The file of {part!r} is missing: the one with the digest {record.digest}."
        elif (found := Digest.of_file(given[part])) != record.digest:
            yield f"{files.name(part)!r} is another file than the {part!r} of the record: {found}, not {record.digest}."
    for part in given:
        if part not in result.inputs:
            yield f"The record has no {part!r}: leave {files.name(part)!r} out."


def failed(result: AnalysisResult, error: ModelOpsError) -> str:
    """Return why a result could not be computed again, and which libraries are not those of then."""
    formats = [record.format for part, record in result.inputs.items() if part in MODEL_PARTS and record.format]
    now = environment(*formats)
    names = sorted(set(result.environment) | set(now))
    changed = [
        f"{name} {result.environment.get(name, 'absent')} -> {now.get(name, 'absent')}"
        for name in names
        if result.environment.get(name) != now.get(name)
    ]
    versions = f" Changed since: {', '.join(changed)}." if changed else ""
    return f"{error}{versions}"
