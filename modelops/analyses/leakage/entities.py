"""What both tables share beside equal rows: ids, and stretches of time; and features from after the prediction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelops.analyses.base import Sample
from modelops.analyses.cores.arrow_numbers import Kind, kind_of, numeric
from modelops.analyses.cores.row_hashes import value_hashes
from modelops.errors import NotMeasured

_DAY = 86_400.0


@dataclass(frozen=True)
class SharedEntities:
    """Rows of the data whose id also stands in the training data, of the rows with an id."""

    name: str
    rows: int
    count: int


def shared_entities(data: Sample, train: Sample, name: str) -> SharedEntities:
    """Look for the ids of ``data`` in ``train``.

    Raises
    ------
    NotMeasured
        If the column is not there, has no values, or only numbers the rows of both tables.
    """
    if name not in train.source.names:
        raise NotMeasured(f"The training data has no column {name!r}.")
    own, their = data.source.column(name), train.source.column(name)
    if _counts_up(own) and _counts_up(their):
        raise NotMeasured("The column numbers the rows of each table by itself: equal numbers mean nothing.")
    there = own.is_valid().to_numpy()
    mine = value_hashes(own)[there]
    theirs = value_hashes(their)[their.is_valid().to_numpy()]
    if not mine.size:
        raise NotMeasured("No row has an id.")
    return SharedEntities(name, mine.size, int(np.count_nonzero(np.isin(mine, theirs))))


def _counts_up(column: pa.ChunkedArray) -> bool:
    """Say whether the column holds every whole number between its ends once, as row numbers do."""
    if not pa.types.is_integer(column.type) or column.null_count or not len(column):
        return False
    ends = pc.min_max(column).as_py()
    whole = ends["max"] - ends["min"] == len(column) - 1 and ends["min"] in (0, 1)
    return bool(whole and pc.count_distinct(column).as_py() == len(column))


@dataclass(frozen=True)
class Overlap:
    """How the tables lie in time, in seconds since 1970.

    ``not_later`` counts rows of the data not later than the newest training row, ``later`` training rows later than the
    oldest row of the data.
    """

    rows: int
    not_later: int
    train_rows: int
    later: int
    newest_train: float
    oldest: float


def time_overlap(data: Sample, train: Sample) -> Overlap:
    """Compare the times of both tables.

    Raises
    ------
    NotMeasured
        If one has no time column, or no times in it.
    """
    times = []
    for sample, word in ((data, "data"), (train, "training data")):
        if sample.roles.time is None:
            raise NotMeasured(f"In the {word} no column has the role of the time.")
        column = sample.source.column(sample.roles.time)
        values = instants(column)
        if values is None or not (known := values[~np.isnan(values)]).size:
            raise NotMeasured(f"The time column of the {word} holds no times that can be compared.")
        times.append(known)
    own, their = times
    newest, oldest = float(their.max()), float(own.min())
    return Overlap(
        rows=own.size,
        not_later=int(np.count_nonzero(own <= newest)),
        train_rows=their.size,
        later=int(np.count_nonzero(their > oldest)),
        newest_train=newest,
        oldest=oldest,
    )


def instants(column: pa.ChunkedArray) -> np.ndarray | None:
    """Return points in time of each row (NaN: missing) as numbers that grow with time; ``None`` if there are none.

    Numbers stand as they are, dates and texts that read as ISO dates become seconds since 1970 (UTC).
    """
    kind = kind_of(column)
    if kind in (Kind.NUMBER, Kind.TIME):
        return np.asarray(numeric(column).to_numpy(), dtype=np.float64)
    if kind is not Kind.CATEGORY or not pa.types.is_dictionary(column.type):
        return None
    import pandas as pd

    whole = column.unify_dictionaries().combine_chunks()
    read = pd.to_datetime(whole.dictionary.to_pandas(), errors="coerce", format="ISO8601", utc=True)
    known = read.notna().to_numpy()
    if not known.any() or known.mean() < 0.5:
        return None
    stamps = np.full(len(known) + 1, np.nan)
    stamps[:-1][known] = read[known].to_numpy(dtype="datetime64[us]").astype(np.int64) / 1e6
    return np.asarray(stamps[whole.indices.fill_null(len(known)).to_numpy(zero_copy_only=False)])


@dataclass(frozen=True)
class LateFeature:
    """Rows whose value in one column of times lies after the time of the row, of the rows with both."""

    name: str
    rows: int
    count: int
    is_feature: bool


def late_features(sample: Sample) -> list[LateFeature]:
    """Look for times after the time of the row, in every other column of times, of which there may be none.

    Where one of the two columns holds days only, days are compared.

    Raises
    ------
    NotMeasured
        If there is no time column that holds dates.
    """
    time = sample.roles.time
    if time is None:
        raise NotMeasured("No column has the role of the time of prediction.")
    moment = sample.source.column(time)
    when = instants(moment) if kind_of(moment) is not Kind.NUMBER else None
    if when is None:
        raise NotMeasured(f"The time column {time!r} does not hold dates.")
    others = [
        name
        for name in sample.source.names
        if name not in (time, sample.roles.target, sample.roles.prediction, *sample.roles.scores)
        and kind_of(sample.source.column(name)) is Kind.TIME
    ]
    found = []
    for name in others:
        values = np.asarray(numeric(sample.source.column(name)).to_numpy(), dtype=np.float64)
        both = ~np.isnan(values) & ~np.isnan(when)
        own, reference = values[both], when[both]
        if own.size and (_days_only(own) or _days_only(reference)):
            own, reference = np.floor(own / _DAY), np.floor(reference / _DAY)
        late = int(np.count_nonzero(own > reference))
        found.append(LateFeature(name, own.size, late, name in sample.roles.features))
    return found


def _days_only(seconds: np.ndarray) -> bool:
    return bool((seconds % _DAY == 0).all())
