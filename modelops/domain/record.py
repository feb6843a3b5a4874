"""What crosses a boundary is a frozen record: unknown fields and NaN are refused."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

Scalar = str | int | float | bool | None


class Record(BaseModel):
    """Base of every record that is stored, sent or signed."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
