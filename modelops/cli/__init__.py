"""The command line. Exit codes: 0 done or allowed, 1 judged and not allowed, 2 could not judge."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
import typer.exceptions

from modelops.cli import inventory, rerun, store
from modelops.errors import ModelOpsError, RefusedFile, TooLarge

if TYPE_CHECKING:
    from modelops.domain.result import AnalysisResult

DONE, NOT_ALLOWED, COULD_NOT_JUDGE = 0, 1, 2

app = typer.Typer(
    name="modelops",
    help="Readiness reviews of machine-learning models: run the tests, hold the sign-off, prove both.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Column = Annotated[str | None, typer.Option(metavar="COL")]
Columns = Annotated[list[str] | None, typer.Option(metavar="COL[,COL]")]
File = Annotated[Path | None, typer.Option(metavar="FILE")]


@app.callback()
def _root() -> None:
    """Keep the commands named even while there is only one."""


@app.command()
def analyses(
    *,
    as_json: AsJson = False,
    metrics: Annotated[bool, typer.Option("--metrics", help="Print what each metric says, as Markdown.")] = False,
) -> None:
    """List the analyses, with what they need and their parameters."""
    from modelops.cli.text import analyses_as_json, analyses_as_text, metrics_as_markdown

    if metrics:
        print(metrics_as_markdown())
        return
    print(analyses_as_json() if as_json else analyses_as_text())


@app.command()
def inspect(file: Annotated[Path, typer.Argument(metavar="FILE")], *, as_json: AsJson = False) -> None:
    """Say what a model or a table is: format, digest, schema. Exit code 1 if it is of a kind that is never opened."""
    from modelops.cli.support import existing
    from modelops.cli.text import Inspected

    existing(file)
    try:
        found = Inspected.of(file)
    except (RefusedFile, TooLarge) as error:
        _complain(str(error))
        raise typer.Exit(NOT_ALLOWED) from error
    print(found.as_json() if as_json else found.as_text())


@app.command()
def analyze(
    key: Annotated[str, typer.Argument(metavar="KEY", help="Which analysis; see 'modelops analyses'.")],
    *,
    data: Annotated[Path, typer.Option(metavar="FILE", help="The table to evaluate.")],
    out: Annotated[Path, typer.Option(metavar="RESULT.json", help="Where to write the result.")],
    model: File = None,
    champion: File = None,
    reference: File = None,
    train: File = None,
    target: Column = None,
    prediction: Column = None,
    score: Columns = None,
    sensitive: Columns = None,
    features: Columns = None,
    ids: Annotated[list[str] | None, typer.Option("--id", metavar="COL")] = None,
    time: Column = None,
    weight: Column = None,
    positive: Annotated[str | None, typer.Option(metavar="LABEL", help="The class that counts as positive.")] = None,
    classes: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LABEL,...",
            help="What the classes 0, 1, ... of the model's file stand for. May be given several times; a label that"
            " holds a comma stands in double quotes, as in a CSV file.",
        ),
    ] = None,
    task: Annotated[str | None, typer.Option(metavar="classification|regression")] = None,
    param: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="May be given several times.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of everything random.")] = 0,
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Judge the result; exit 1 if a rule fails.")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="REPORT.html", help="Also write a report to read.")] = None,
) -> None:
    """Run one analysis on files. Roles that are not given are guessed, and the result says how."""
    from modelops.cli import support
    from modelops.cli.text import result_as_text
    from modelops.evaluation import InputFiles, evaluate

    files = InputFiles(data=data, reference=reference, train=train, model=model, champion=champion)
    support.check_paths(files, outputs=(out, html), policy=policy)
    rules = support.read_policy(policy, key)
    request = support.request(
        key,
        param or [],
        seed=seed,
        task=task,
        positive=positive,
        classes=classes,
        roles=support.roles(
            target=target,
            prediction=prediction,
            score=score,
            sensitive=sensitive,
            features=features,
            ids=ids,
            when=time,
            weight=weight,
        ),
    )
    with support.progress_line() as progress:
        result = evaluate(request, files, policy=rules, progress=progress)
    support.write_result(result, out)
    if html is not None:
        _write_report(result, html)
    print(result_as_text(result))
    if support.fails(result):
        raise typer.Exit(NOT_ALLOWED)


def _write_report(result: AnalysisResult, path: Path) -> None:
    from modelops.cli.support import write_atomically
    from modelops.reports import result_report

    write_atomically(path, result_report(result).encode())


rerun.add_to(app)
store.add_to(app)
inventory.add_to(app)


def main() -> None:
    """Run a command; a reason in one line instead of a traceback."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command line ``arguments`` and return its exit code."""
    try:
        code = app(args=arguments or ["--help"], prog_name="modelops", standalone_mode=False)
    except typer.Exit as error:
        return error.exit_code
    except (KeyboardInterrupt, Exception) as error:  # noqa: BLE001 - a reason in one line instead of a traceback
        return _complain(_reason(error))
    if not arguments:
        return COULD_NOT_JUDGE
    return code if isinstance(code, int) else DONE


def _reason(error: BaseException) -> str:
    if isinstance(error, typer.exceptions.TyperException):
        return f"{error.format_message()} (see 'modelops --help')"
    if isinstance(error, ModelOpsError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return "Stopped."
    return f"Unexpected {type(error).__name__}: {error}. This is a defect; please report it."


def _complain(reason: str) -> int:
    print(" ".join(reason.split()), file=sys.stderr)
    return COULD_NOT_JUDGE
