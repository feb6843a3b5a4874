"""What the commands read from their arguments, and write."""

from __future__ import annotations

import contextlib
import csv
import os
import sys
import tempfile
import time
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelops.domain.columns import ColumnRoles, Task
from modelops.domain.result import AnalysisResult, Outcome
from modelops.errors import InvalidInput, NotFound
from modelops.evaluation import EvaluationRequest, InputFiles

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from modelops.analyses.base import Analysis
    from modelops.domain.policy import Policy

_REFRESH = 0.2


def existing(path: Path) -> Path:
    """Return ``path`` if it is a file.

    Raises
    ------
    NotFound
        If it is not.
    """
    if not path.is_file():
        raise NotFound(f"There is no file {str(path)!r}.")
    return path


def check_paths(files: InputFiles, *, outputs: tuple[Path | None, ...], policy: Path | None) -> None:
    """Refuse missing inputs, and outputs that could not be written or would replace an input, before any work."""
    inputs = [existing(path) for path in (*files.tables.values(), *files.models.values(), policy) if path is not None]
    for output in filter(None, outputs):
        if not output.absolute().parent.is_dir():
            raise NotFound(f"There is no folder {str(output.absolute().parent)!r} to write {output.name!r} to.")
        if output.is_dir():
            raise InvalidInput(f"{str(output)!r} is a folder, the name of a file is needed.")
        if output.exists() and any(output.samefile(path) for path in inputs):
            raise InvalidInput(f"{str(output)!r} is an input; it will not be overwritten.")


def roles(
    *,
    target: str | None,
    prediction: str | None,
    score: list[str] | None,
    sensitive: list[str] | None,
    features: list[str] | None,
    ids: list[str] | None,
    when: str | None,
    weight: str | None,
) -> ColumnRoles:
    """Return the roles that were given on the command line.

    A score is ``COL``, or ``CLASS=COL`` once for each class.

    Raises
    ------
    InvalidInput
        If one column has two roles that exclude each other.
    """
    import pydantic

    scores = [item.rpartition("=") for item in _listed(score)]
    by_class = [label for label, equals, _ in scores if equals]
    try:
        return ColumnRoles(
            target=target,
            prediction=prediction,
            scores=tuple(column for _, _, column in scores),
            score_classes=tuple(by_class),
            sensitive=_listed(sensitive),
            features=_listed(features),
            ids=_listed(ids),
            time=when,
            weight=weight,
        )
    except pydantic.ValidationError as error:
        problem = error.errors()[0]["msg"].removeprefix("Value error, ")
        hint = " (--score CLASS=COL for each class)" if len(scores) > 1 else ""
        raise InvalidInput(f"The roles of the columns do not fit together: {problem}{hint}.") from error


def request(
    key: str,
    assignments: list[str],
    *,
    seed: int,
    task: str | None,
    positive: str | None,
    classes: list[str] | None,
    roles: ColumnRoles,
) -> EvaluationRequest:
    """Return what the command line asks for.

    Raises
    ------
    InvalidInput
        If the analysis, a parameter or the task is unknown.
    """
    from modelops.analyses.registry import analysis

    if task is not None and task not in list(Task):
        raise InvalidInput(f"Got the task {task!r}, expected {' or '.join(Task)}.")
    return EvaluationRequest(
        analysis=key,
        parameters=parameters(analysis(key), assignments),
        seed=seed,
        task=Task(task) if task else None,
        positive=positive,
        data_roles=roles,
        guess_roles=True,
        classes={"model": class_labels(classes)} if classes else {},
    )


def class_labels(given: list[str]) -> tuple[str, ...]:
    """Return the labels of the classes, in their order: each of ``given`` is a line of CSV.

    Raises
    ------
    InvalidInput
        If a quote is left open or stands inside a label, or a label is empty.

    Examples
    --------
    >>> class_labels(["no,yes"]), class_labels(['"maybe, later"', "no"])
    (('no', 'yes'), ('maybe, later', 'no'))
    """
    labels: list[str] = []
    for line in given:
        try:
            rows = list(csv.reader([line], skipinitialspace=True, strict=True))
        except csv.Error as error:
            raise InvalidInput(
                f"Got --classes {line!r}: {error}. A label that holds a comma stands in double quotes, and a quote in"
                " it twice."
            ) from error
        labels += [label.strip() for row in rows for label in row]
    if "" in labels or not labels:
        raise InvalidInput(f"Got --classes {', '.join(map(repr, given))}: a label is empty.")
    return tuple(labels)


def parameters(declared: Analysis, assignments: list[str]) -> dict[str, Any]:
    """Return ``NAME=VALUE`` pairs as values for the analysis's parameters.

    ``null`` is no value; a parameter that is a list takes its items separated by commas. Everything else is for the
    parameter's own type to read.

    Raises
    ------
    InvalidInput
        If one has no equals sign or is given twice.
    """
    values: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals or not name:
            raise InvalidInput(f"Got --param {assignment!r}, expected NAME=VALUE.")
        if name in values:
            raise InvalidInput(f"The parameter {name!r} is given twice.")
        values[name] = _value(declared.parameters.model_fields.get(name), text)
    return values


def _value(field: FieldInfo | None, text: str) -> str | list[str] | None:
    kinds = _kinds(field.annotation) if field else set()
    if text == "null" and type(None) in kinds:
        return None
    if kinds & {tuple, list, set, frozenset}:
        return [item.strip() for item in text.split(",") if item.strip()]
    return text


def _kinds(annotation: Any) -> set[Any]:
    """Return the outer types that an annotation allows."""
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        return set().union(*map(_kinds, typing.get_args(annotation)))
    return {origin or annotation}


def read_policy(path: Path | None, key: str) -> Policy | None:
    """Read a policy file that judges the analysis ``key``.

    Raises
    ------
    InvalidInput
        If it is no policy, or demands nothing of this analysis: without a demand nothing could be said to pass.
    """
    from modelops.domain.policy import load_policy

    if path is None:
        return None
    try:
        policy = load_policy(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise InvalidInput(f"The policy {path.name!r} is not text in UTF-8.") from error
    if not any(rule.analysis == key for rule in policy.rules):
        raise InvalidInput(f"The policy {path.name!r} has no rule for {key!r}, so it cannot judge the result.")
    return policy


def fails(result: AnalysisResult) -> bool:
    """Say whether a rule of the policy failed."""
    return any(verdict.verdict is Outcome.FAILED for verdict in result.verdicts)


def write_result(result: AnalysisResult, path: Path) -> None:
    """Write the result file, whole or not at all."""
    write_atomically(path, (result.model_dump_json(by_alias=True, indent=1) + "\n").encode())


def write_atomically(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content``: nobody ever sees half of it."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:50]}.", dir=path.absolute().parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def progress_line() -> Iterator[Callable[[float, str], None]]:
    """Show progress on one line of a terminal; nothing where errors go to a file."""
    shows = sys.stderr.isatty()
    last = 0.0

    def show(fraction: float, text: str) -> None:
        nonlocal last
        if shows and time.monotonic() - last > _REFRESH:
            last = time.monotonic()
            sys.stderr.write(f"\r\x1b[K{100 * fraction:3.0f} % {text[:70]}")
            sys.stderr.flush()

    try:
        yield show
    finally:
        if shows:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _listed(items: list[str] | None) -> tuple[str, ...]:
    return tuple(name.strip() for item in items or () for name in item.split(",") if name.strip())
