"""How large a table may be, and which formats there are."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from modelops.domain.record import Record


class TableFormat(StrEnum):
    """The formats of tables that are opened."""

    CSV = "csv"
    PARQUET = "parquet"
    XLSX = "xlsx"
    JSONL = "jsonl"


class TableLimits(Record):
    """The limits of one table. Sizes are in bytes, after decompression.

    ``max_cells`` bounds formats that are read one column at a time (Parquet); ``max_cells_in_memory`` and
    ``max_memory`` bound those that have to be held (CSV, XLSX, JSON lines).
    """

    max_columns: int = Field(default=2_000, ge=1)
    max_rows: int = Field(default=20_000_000, ge=1)
    max_cells: int = Field(default=1_000_000_000, ge=1)
    max_cells_in_memory: int = Field(default=120_000_000, ge=1)
    max_memory: int = Field(default=1 << 30, ge=1)
    max_bytes: int = Field(default=4 << 30, ge=1)
    max_line: int = Field(default=1 << 20, ge=1)
    max_value: int = Field(default=1 << 20, ge=1)
    max_name: int = Field(default=256, ge=1)
    max_row_groups: int = Field(default=100_000, ge=1)
    max_zip_members: int = Field(default=2_000, ge=1)
    max_zip_bytes: int = Field(default=1 << 30, ge=1)
    max_zip_ratio: int = Field(default=100, ge=1)


DEFAULT_LIMITS = TableLimits()
