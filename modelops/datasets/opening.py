"""The one door to a table."""

from __future__ import annotations

from pathlib import Path

from modelops.datasets.limits import DEFAULT_LIMITS, TableFormat, TableLimits
from modelops.datasets.table import Table
from modelops.errors import TooLarge


def open_table(path: Path, form: TableFormat, *, limits: TableLimits = DEFAULT_LIMITS) -> Table:
    """Open a table whose format is known (by content, see the sandbox's ``detect``).

    Runs only inside a sandboxed process. A Parquet file is not read but mapped; the others are held in memory.

    Parameters
    ----------
    path : Path
        The file. Its name plays no role.
    form : TableFormat
        How it is written.
    limits : TableLimits
        How large it may be.

    Raises
    ------
    RefusedFile
        If the file is not what it claims to be, or cannot be read without guessing.
    TooLarge
        If a limit is exceeded, or the process has no memory left.
    """
    try:
        return _open(path, TableFormat(form), limits)
    except MemoryError as error:
        raise TooLarge("The table needs more memory than is allowed. Save it as Parquet, or use a sample.") from error


def _open(path: Path, form: TableFormat, limits: TableLimits) -> Table:
    if form is TableFormat.PARQUET:
        from modelops.datasets.parquet import open_parquet

        return open_parquet(path, limits)
    if form is TableFormat.XLSX:
        from modelops.datasets.workbook import open_workbook

        return open_workbook(path, limits)
    if form is TableFormat.JSONL:
        from modelops.datasets.json_lines import open_json_lines

        return open_json_lines(path, limits)
    from modelops.datasets.delimited import open_csv

    return open_csv(path, limits)
