"""The command `rerun`: a stored result is computed again, and the numbers are held against each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelops.errors import InvalidInput

if TYPE_CHECKING:
    from modelops.domain.result import AnalysisResult
    from modelops.evaluation import Comparison, Difference

REPRODUCED, DRIFTED = 0, 1
_SHOWN = 40

File = Annotated[Path | None, typer.Option(metavar="FILE")]


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(rerun)


def rerun(
    result: Annotated[Path, typer.Argument(metavar="RESULT.json", help="The result file to compute again.")],
    *,
    data: Annotated[Path, typer.Option(metavar="FILE", help="The table that was evaluated.")],
    model: File = None,
    champion: File = None,
    reference: File = None,
    train: File = None,
    out: Annotated[Path | None, typer.Option(metavar="NEW.json", help="Also write the new result.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compute a result again from its record: exit 0 reproduced, 1 drifted, 2 cannot."""
    from modelops.cli import support
    from modelops.evaluation import InputFiles, Reproduction, repeat

    files = InputFiles(data=data, reference=reference, train=train, model=model, champion=champion)
    support.check_paths(files, outputs=(out,), policy=None)
    old = read_result(support.existing(result))
    with support.progress_line() as progress:
        found, again = repeat(old, files, progress=progress)
    if again is not None and out is not None:
        support.write_result(again, out)
    if as_json:
        print(found.model_dump_json(indent=1))
    elif found.outcome is not Reproduction.CANNOT:
        print(as_text(found))
    if found.outcome is Reproduction.CANNOT:
        raise InvalidInput(f"Cannot be computed again: {found.because}")
    raise typer.Exit(REPRODUCED if found.outcome is Reproduction.REPRODUCED else DRIFTED)


def read_result(path: Path) -> AnalysisResult:
    """Read a result file.

    Raises
    ------
    InvalidInput
        If it is none.
    """
    import pydantic

    from modelops.domain.result import RESULT_SCHEMA, AnalysisResult

    try:
        return AnalysisResult.model_validate_json(path.read_bytes())
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise InvalidInput(f"{path.name!r} is no result file ({RESULT_SCHEMA}): {place}: {first['msg']}.") from error


def as_text(found: Comparison) -> str:
    """Return what came of it for reading: which numbers are not the same, and by how much."""
    lines = [f"{found.outcome.value}: {found.because}"]
    lines += [f"  {difference(one)}" for one in found.differences[:_SHOWN]]
    if len(found.differences) > _SHOWN:
        lines.append(f"  ... and {len(found.differences) - _SHOWN:,} more; --json lists all")
    return "\n".join(lines)


def difference(one: Difference) -> str:
    """Return one number that is not the same: what it was, is, and by how much it moved."""
    from modelops.cli.text import scope_as_text

    about = f" [{scope_as_text(one.scope)}]" if one.scope else ""
    was, now = ("none" if value is None else f"{value:.6g}" for value in (one.old, one.new))
    change = f" ({one.change:+.3g})" if one.change is not None else ""
    return f"{one.metric}{about} {one.part}: {was} -> {now}{change}"
