"""Guesses which column plays which role, and what is predicted; a person corrects it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.compute as pc

from modelops.datasets import vocabulary
from modelops.datasets.facts import ColumnFacts, clean_column, column_facts
from modelops.datasets.table import Table
from modelops.datasets.vocabulary import plain
from modelops.domain.columns import ColumnRoles, Task, ValueKind

_MAX_GROUPS = 50
_THREADS = 2
_MAX_CLASSES = 20
_MIN_ROWS = 20
_MIN_ROW_NUMBERS = 100
_MOST_PLACES = 0.5
"""Distinct postcodes to rows: where hardly any repeats there are no groups."""

Facts = Mapping[str, ColumnFacts]


def all_facts(table: Table) -> dict[str, ColumnFacts]:
    """Look at every column once."""
    with ThreadPoolExecutor(_THREADS) as pool:
        found = pool.map(lambda name: column_facts(name, clean_column(table, name)), table.names)
        return dict(zip(table.names, found, strict=True))


def guess_roles(table: Table, *, given: ColumnRoles | None = None, facts: Facts | None = None) -> ColumnRoles:
    """Guess the roles of the columns from their names and contents.

    Parameters
    ----------
    table : Table
        What to look at.
    given : ColumnRoles, optional
        What a person already said. Roles that are given stay as they are; a column with a given role gets no other.
    facts : mapping of str to ColumnFacts, optional
        What was found before, so that the columns are not read again.

    Notes
    -----
    A column called ``weight`` is not guessed to be one: it is a person's weight as often as a row's. A sensitive column
    is also named as a feature; whether the model uses it, only the model can tell. Ages, dates of birth and postcodes
    that repeat are proposed as sensitive too. Constant columns stay features.
    """
    return _Guess(table, facts or all_facts(table), given or ColumnRoles()).roles()


def guess_task(roles: ColumnRoles, facts: Facts) -> Task | None:
    """Guess what is predicted from the target, or else from the prediction or the scores; ``None`` without any.

    Text, true/false, and whole numbers of at most twenty values that repeat are classes; other numbers are quantities.
    """
    deciding = roles.target or roles.prediction
    if deciding is None:
        return Task.CLASSIFICATION if roles.scores else None
    return Task.CLASSIFICATION if _is_class(facts[deciding]) else Task.REGRESSION


class _Guess:
    def __init__(self, table: Table, facts: Facts, given: ColumnRoles) -> None:
        self._table = table
        self._facts = facts
        self._given = given
        self._names = {name: plain(name) for name in facts}
        self._free = [name for name in facts if name not in given.named]

    def roles(self) -> ColumnRoles:
        given = self._given
        target = given.target or self._take(vocabulary.TARGETS, _may_be_target)
        prediction = given.prediction or self._take(vocabulary.PREDICTIONS, _may_be_target)
        scores, classes = (given.scores, given.score_classes) if given.scores else self._scores(target or prediction)
        weight = given.weight or self._take(vocabulary.WEIGHTS, _may_be_weight)
        time = given.time or self._time()
        ids = given.ids or self._taken(self._ids())
        may_be_sensitive = [name for name in self._facts if name in self._free or name in given.features]
        sensitive = given.sensitive or tuple(filter(self._is_sensitive, may_be_sensitive))
        return ColumnRoles(
            features=given.features or self._features(sensitive),
            target=target,
            prediction=prediction,
            scores=scores,
            score_classes=classes,
            sensitive=sensitive,
            weight=weight,
            time=time,
            ids=ids,
        )

    def _taken(self, names: Iterable[str]) -> tuple[str, ...]:
        found = tuple(names)
        self._free = [name for name in self._free if name not in found]
        return found

    def _take(self, usual: tuple[str, ...], fits: Callable[[ColumnFacts], bool]) -> str | None:
        for wanted in usual:
            for name in self._free:
                if self._names[name] == wanted and fits(self._facts[name]):
                    self._taken((name,))
                    return name
        return None

    def _scores(self, deciding: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
        by_class = self._scores_by_class(deciding)
        if by_class:
            return self._taken(by_class), tuple(by_class.values())
        single = self._take(vocabulary.SCORES, _may_be_score) or self._score_of_one()
        return ((single,), ()) if single else ((), ())

    def _scores_by_class(self, deciding: str | None) -> dict[str, str]:
        """Find ``proba_a, proba_b, ...``: a prefix with one column for each class."""
        levels = self._facts[deciding].levels if deciding else None
        known = {plain(level): level for level in levels or ()}
        for prefix in vocabulary.SCORE_PREFIXES:
            found = {}
            for name in self._free:
                rest = _after_prefix(name, self._names[name], prefix)
                if rest and _may_be_probability(self._facts[name]):
                    found[name] = known.get(plain(rest), rest)
            if len(set(found.values())) == len(found) > 1 and self._covers(found, levels):
                return found
        return {}

    def _covers(self, found: dict[str, str], levels: frozenset[str] | None) -> bool:
        """Whether there is a score for every class or, if the classes are unknown, a row adds up to one."""
        if levels is not None:
            return levels <= set(found.values())
        total: pa.ChunkedArray | int = 0
        for name in found:
            total = pc.add(self._table.column(name).cast(pa.float64()), total)
        apart = pc.max(pc.abs(pc.subtract(total, 1))).as_py()
        return apart is not None and apart < 0.01

    def _score_of_one(self) -> str | None:
        """Find ``proba_1`` and the like, without a column for the other class."""
        endings = ("1", "true", "yes", "positive", "pos")
        usual = tuple(f"{prefix}_{ending}" for prefix in vocabulary.SCORE_PREFIXES for ending in endings)
        joined = tuple(f"{prefix}1" for prefix in ("p", "prob", "proba"))
        return self._take((*usual, *joined), _may_be_probability)

    def _time(self) -> str | None:
        named = self._take(vocabulary.TIMES, lambda facts: facts.kind is ValueKind.TIME)
        if named:
            return named
        times = [name for name in self._free if self._facts[name].kind is ValueKind.TIME and not self._is_birth(name)]
        return self._taken(times)[0] if len(times) == 1 else None

    def _ids(self) -> list[str]:
        return [name for name in self._free if self._is_id(name)]

    def _is_id(self, name: str) -> bool:
        facts, usual = self._facts[name], self._names[name]
        if self._is_birth(name):
            return False
        if not facts.present or facts.kind in (ValueKind.TIME, ValueKind.TRUE_FALSE) or not (
            facts.kind is ValueKind.TEXT or facts.all_whole
        ):  # fmt: skip
            return False
        if usual in vocabulary.IDS:
            return facts.unique_share > 0.5 or facts.distinct > _MAX_GROUPS
        if usual.endswith(vocabulary.ID_ENDINGS):
            return facts.unique_share > 0.3 and facts.distinct > 2
        if facts.n_rows < _MIN_ROWS or facts.unique_share < 1.0:
            return False
        return not facts.has_spaces if facts.kind is ValueKind.TEXT else _is_row_number(facts)

    def _is_sensitive(self, name: str) -> bool:
        facts, usual = self._facts[name], vocabulary.without_accents(self._names[name])
        if facts.distinct < 2:
            return False
        if usual in vocabulary.BIRTHS:
            return True
        if usual in vocabulary.AGES:
            return facts.is_number or facts.distinct <= _MAX_GROUPS
        if usual in vocabulary.PLACES:
            return facts.unique_share <= _MOST_PLACES
        if facts.distinct > _MAX_GROUPS or facts.kind is ValueKind.TIME:
            return False
        return usual in vocabulary.SENSITIVE or bool(vocabulary.SENSITIVE_WORDS & set(usual.split("_")))

    def _is_birth(self, name: str) -> bool:
        return vocabulary.without_accents(self._names[name]) in vocabulary.BIRTHS

    def _features(self, sensitive: tuple[str, ...]) -> tuple[str, ...]:
        free = set(self._free) | (set(sensitive) - set(self._given.sensitive))
        return tuple(name for name in self._facts if name in free and self._facts[name].kind is not ValueKind.TIME)


def _after_prefix(name: str, usual: str, prefix: str) -> str:
    """Return what follows ``prefix`` in a column's name, as it was written where that can be told; else nothing."""
    if not usual.startswith(prefix + "_"):
        return ""
    return name[len(prefix) + 1 :] if len(name) == len(usual) else usual[len(prefix) + 1 :]


def _is_row_number(facts: ColumnFacts) -> bool:
    if facts.n_rows < _MIN_ROW_NUMBERS or facts.minimum is None or facts.maximum is None:
        return False
    return facts.maximum - facts.minimum == facts.present - 1


def _may_be_target(facts: ColumnFacts) -> bool:
    return facts.distinct >= 1 and facts.kind is not ValueKind.TIME


def _may_be_score(facts: ColumnFacts) -> bool:
    return facts.is_number and facts.distinct > 0


def _may_be_probability(facts: ColumnFacts) -> bool:
    return facts.is_number and facts.minimum is not None and facts.minimum >= 0 and (facts.maximum or 0.0) <= 1


def _may_be_weight(facts: ColumnFacts) -> bool:
    return facts.is_number and facts.minimum is not None and facts.minimum >= 0


def _is_class(facts: ColumnFacts) -> bool:
    if not facts.is_number:
        return True
    repeats = facts.distinct <= 2 or facts.distinct <= max(2, facts.present // 3)
    return facts.distinct <= _MAX_CLASSES and repeats and facts.all_whole
