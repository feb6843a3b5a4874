"""What the columns of a table are for: the roles of a record, as one row for each column that a person can correct."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from modelops.domain.columns import ColumnRoles, TableSummary


class Use(StrEnum):
    """What one column is for, as the screen calls it. Sensitive is a mark beside it: such a column may be a feature."""

    FEATURE = "feature"
    TARGET = "target (what came true)"
    PREDICTION = "prediction"
    SCORE = "score"
    WEIGHT = "weight"
    TIME = "time"
    ID = "id"
    NONE = "not used"


_ONCE = {Use.TARGET: "target", Use.PREDICTION: "prediction", Use.WEIGHT: "weight", Use.TIME: "time"}
_WORDS = {Use.TARGET: "target", Use.PREDICTION: "prediction", Use.WEIGHT: "weight", Use.TIME: "time column"}


@dataclass(frozen=True)
class Chosen:
    """What is chosen for one column. ``of_class`` names the class that a score column is for, if there are several."""

    use: Use = Use.NONE
    is_sensitive: bool = False
    of_class: str = ""


Draft = dict[str, Chosen]


def draft_of(names: Iterable[str], roles: ColumnRoles) -> Draft:
    """Return the roles of a record as one choice for each column.

    Examples
    --------
    >>> draft_of(["sex", "y"], ColumnRoles(features=("sex",), sensitive=("sex",), target="y"))["sex"]
    Chosen(use=<Use.FEATURE: 'feature'>, is_sensitive=True, of_class='')
    """
    uses = dict.fromkeys(roles.features, Use.FEATURE) | dict.fromkeys(roles.ids, Use.ID)
    uses |= dict.fromkeys(roles.scores, Use.SCORE)
    for use, field in _ONCE.items():
        name = getattr(roles, field)
        if name is not None:
            uses[name] = use
    classes = dict(zip(roles.scores, roles.score_classes, strict=False))
    return {name: Chosen(uses.get(name, Use.NONE), name in roles.sensitive, classes.get(name, "")) for name in names}


def roles_of(draft: Mapping[str, Chosen]) -> dict[str, object]:
    """Return the choices as the fields of `ColumnRoles`, columns in their order."""

    def named(use: Use) -> list[str]:
        return [name for name, chosen in draft.items() if chosen.use is use]

    scores = named(Use.SCORE)
    classes = [draft[name].of_class.strip() for name in scores]
    return {
        "features": named(Use.FEATURE),
        "scores": scores,
        "score_classes": classes if any(classes) else [],
        "sensitive": [name for name, chosen in draft.items() if chosen.is_sensitive],
        "ids": named(Use.ID),
        **{field: next(iter(named(use)), None) for use, field in _ONCE.items()},
    }


def problems(draft: Mapping[str, Chosen]) -> list[str]:
    """Return what does not fit together, each with what to do."""
    found = []
    for use, word in _WORDS.items():
        names = [name for name, chosen in draft.items() if chosen.use is use]
        if len(names) > 1:
            found.append(f"{_listed(names)} are all the {word}: one column is wanted. Give the others another use.")
    scores = {name: chosen.of_class.strip() for name, chosen in draft.items() if chosen.use is Use.SCORE}
    if len(scores) > 1:
        nameless = [name for name, label in scores.items() if not label]
        if nameless:
            found.append(f"There are {len(scores)} score columns: say of which class {_listed(nameless)} is the score.")
        elif len(set(scores.values())) < len(scores):
            found.append("Two score columns are for the same class. Give each a class of its own.")
    return found


def told(draft: Mapping[str, Chosen]) -> str:
    """Return the choices in one sentence.

    Examples
    --------
    >>> told({"y": Chosen(Use.TARGET), "age": Chosen(Use.FEATURE), "sex": Chosen(Use.FEATURE, is_sensitive=True)})
    'Target y, no prediction, no score, 2 features, sensitive: sex.'
    """

    def named(use: Use) -> list[str]:
        return [name for name, chosen in draft.items() if chosen.use is use]

    parts = [
        f"{_single(word, named(use))}"
        for use, word in ((Use.TARGET, "target"), (Use.PREDICTION, "prediction"), (Use.SCORE, "score"))
    ]
    count = len(named(Use.FEATURE))
    parts.append("1 feature" if count == 1 else f"{count} features")
    sensitive = [name for name, chosen in draft.items() if chosen.is_sensitive]
    parts.append(f"sensitive: {_listed(sensitive)}" if sensitive else "nothing sensitive")
    parts += [f"{word} {_listed(named(use))}" for use, word in ((Use.TIME, "time"), (Use.ID, "id")) if named(use)]
    text = ", ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _single(word: str, names: Sequence[str]) -> str:
    return f"{word} {_listed(names)}" if names else f"no {word}"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:4])
    return f"{shown} and {len(names) - 4} more" if len(names) > 4 else shown


def all_features(draft: Mapping[str, Chosen]) -> Draft:
    """Make a feature of every column that has no use yet."""
    return {
        name: replace(chosen, use=Use.FEATURE) if chosen.use is Use.NONE else chosen for name, chosen in draft.items()
    }


def no_features(draft: Mapping[str, Chosen]) -> Draft:
    """Take the use as a feature away from every column."""
    return {
        name: replace(chosen, use=Use.NONE) if chosen.use is Use.FEATURE else chosen for name, chosen in draft.items()
    }


def sensitive_apart(draft: Mapping[str, Chosen]) -> Draft:
    """Keep sensitive columns for the audit alone: the model does not get them."""
    return {
        name: replace(chosen, use=Use.NONE) if chosen.is_sensitive and chosen.use is Use.FEATURE else chosen
        for name, chosen in draft.items()
    }


def exactly_features(draft: Mapping[str, Chosen], names: Collection[str]) -> Draft:
    """Make features of these columns and of no others. What else a column is for stays."""

    def now(name: str, use: Use) -> Use:
        if use not in (Use.FEATURE, Use.NONE):
            return use
        return Use.FEATURE if name in names else Use.NONE

    return {name: replace(chosen, use=now(name, chosen.use)) for name, chosen in draft.items()}


def likely_classes(summary: TableSummary, name: str | None) -> list[str]:
    """Return the labels that a column is known to hold: its most frequent values."""
    column = next((column for column in summary.columns if column.name == name), None)
    if column is None:
        return []
    if column.top:
        return [label for label, _ in column.top]
    ends = [end for end in (column.minimum, column.maximum) if isinstance(end, float)]
    return [f"{end:g}" for end in dict.fromkeys(ends)] if (column.distinct or 0) <= 2 else []
