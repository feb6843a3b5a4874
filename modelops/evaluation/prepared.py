"""Tables made ready for an analysis: roles settled, model outputs added. Runs in the analysis process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from modelops.analyses.base import Model, Sample
from modelops.datasets.facts import ColumnFacts, clean_column, column_facts
from modelops.datasets.roles import all_facts, guess_roles, guess_task
from modelops.datasets.table import Table
from modelops.domain.columns import ColumnRoles, Task
from modelops.errors import InvalidInput
from modelops.evaluation.model_columns import WithModel, free_name

_POSITIVE = ("1", "true", "yes", "y", "positive", "pos", "bad", "default", "fraud", "churn", "event")
_NEGATIVE = {"0": "1", "False": "True", "no": "yes", "No": "Yes", "n": "y", "N": "Y"}
_MANY = 20
_NAME_IN_ORDER = (
    "Mark just its features with the columns of the dataset, or name them by --features COL,COL; they have to be in "
    "the order of the training data."
)


class NamedModel(Model, Protocol):
    """A model that knows whether its file holds the names of its columns."""

    is_named: bool


@dataclass(frozen=True)
class Settled:
    """Roles of one table, what is known of the columns that decide about task and classes, the model's classes.

    ``by_position`` says that the model has no names for its columns, so that the order of the features counts.
    """

    roles: ColumnRoles
    facts: dict[str, ColumnFacts]
    classes: tuple[str, ...] | None = None
    by_position: bool = False
    notes: tuple[str, ...] = ()


def settle(table: Table, given: ColumnRoles, *, guess: bool, model: NamedModel | None) -> Settled:
    """Complete the roles of ``table``: guessed where asked for, features those of the model, columns in file order.

    Raises
    ------
    InvalidInput
        If a named column or a feature of the model is not there.
    """
    for name in given.named:
        table.check(name)
    known, by_position = given, False
    if model is not None:
        by_position = not model.is_named and not set(model.features) <= set(table.names)
        if not by_position:
            features = _of_model(table, model, given)
            known = given if given.features else given.model_copy(update={"features": features})
    facts = all_facts(table) if guess else {}
    found = guess_roles(table, given=known, facts=facts) if guess else known
    roles = in_order(found, table.names)
    notes = tuple(_guessed(given, roles)) if guess else ()
    if model is not None and by_position:
        roles = roles.model_copy(update={"features": found.features})
        notes += _taken_in_order(model, found.features)
    for name in filter(None, (roles.target, roles.prediction)):
        if name not in facts:
            facts[name] = column_facts(name, clean_column(table, name))
    return Settled(roles, facts, model.classes if model else None, by_position, notes)


def _taken_in_order(model: Model, features: tuple[str, ...]) -> tuple[str, ...]:
    if len(features) != len(model.features):
        raise InvalidInput(
            f"The model takes {len(model.features)} columns and holds no names for them; the table has {len(features)}"
            f" features. {_NAME_IN_ORDER}"
        )
    return (f"The model holds no names for its columns; it was given {_list(features)}, in this order.",)


def champion_columns(table: Table, champion: NamedModel, roles: ColumnRoles) -> tuple[str, ...]:
    """Return the columns that the model in use today gets by position; none where it finds its own by name.

    Raises
    ------
    InvalidInput
        If the table does not have its columns.
    """
    missing = tuple(name for name in champion.features if name not in table.names)
    if not missing:
        return ()
    if champion.is_named:
        raise InvalidInput(
            f"The champion needs columns that the table does not have: {_list(missing)}. Add or rename them."
        )
    if len(roles.features) != len(champion.features):
        raise InvalidInput(
            f"The champion takes {len(champion.features)} columns and holds no names for them; the table has "
            f"{len(roles.features)} features. {_NAME_IN_ORDER}"
        )
    return roles.features


def in_order(roles: ColumnRoles, names: Iterable[str]) -> ColumnRoles:
    """Return ``roles`` with columns in the order of the table: the order in which they were said plays no part."""
    place = {name: position for position, name in enumerate(names)}

    def ordered(columns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(columns, key=place.__getitem__))

    scores = ordered(roles.scores)
    by_score = dict(zip(roles.scores, roles.score_classes, strict=False))
    return roles.model_copy(
        update={
            "features": ordered(roles.features),
            "sensitive": ordered(roles.sensitive),
            "ids": ordered(roles.ids),
            "scores": scores,
            "score_classes": tuple(by_score[name] for name in scores) if roles.score_classes else (),
        }
    )


def restricted(roles: ColumnRoles, names: Iterable[str]) -> ColumnRoles:
    """Return the roles of those columns that are in ``names``: the data's roles, carried over to another table."""
    there = set(names)

    def kept(columns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in columns if name in there)

    def one(name: str | None) -> str | None:
        return name if name in there else None

    scores = kept(roles.scores)
    complete = len(scores) == len(roles.scores)
    return ColumnRoles(
        features=kept(roles.features),
        target=one(roles.target),
        prediction=one(roles.prediction),
        scores=scores if complete else (),
        score_classes=roles.score_classes if complete else (),
        sensitive=kept(roles.sensitive),
        weight=one(roles.weight),
        time=one(roles.time),
        ids=kept(roles.ids),
    )


def settled_task(given: Task | None, settled: Settled, allowed: frozenset[Task]) -> Task:
    """Return the task: as given, the model's, what the columns say, or, without any of these, the first allowed one."""
    if given is not None:
        return given
    if settled.classes is not None:
        return Task.CLASSIFICATION if settled.classes else Task.REGRESSION
    guessed = guess_task(settled.roles, settled.facts)
    return guessed or min(allowed)


def settled_positive(given: str | None, settled: Settled) -> tuple[str | None, tuple[str, ...]]:
    """Return the label of the positive class where there are two, and a note if it was chosen and not given.

    Raises
    ------
    InvalidInput
        If the given label does not occur.
    """
    labels = _labels(settled)
    if given is not None:
        return _matched(given, labels), ()
    if not labels or len(labels) > 2:
        return None, ()
    if len(labels) == 1:
        return _NEGATIVE.get(labels[0], labels[0]), ()
    chosen = next((label for usual in _POSITIVE for label in labels if label.lower() == usual), labels[-1])
    obvious = set(labels) in ({"0", "1"}, {"True", "False"})
    taken = (
        f"The positive class was taken to be {chosen!r}. Choose it with the columns of the dataset, or by --positive."
    )
    return chosen, () if obvious else (taken,)


def with_model(
    table: Table, roles: ColumnRoles, model: Model | None, *, task: Task, positive: str | None
) -> tuple[Sample, tuple[str, ...]]:
    """Return the table as a sample; predictions and scores that it lacks become columns that ask the model."""
    if model is None:
        return Sample(table, roles), ()
    source = WithModel(table, model)
    prediction, scores, classes = roles.prediction, roles.scores, roles.score_classes
    if prediction is None:
        prediction = source.add_prediction(free_name(table.names, "prediction"), numbers=task is Task.REGRESSION)
    if task is Task.CLASSIFICATION and not scores and model.classes:
        scores, classes = _added_scores(source, table, model.classes, positive)
    added = [
        what
        for what, then, now in (("predictions", roles.prediction, prediction), ("scores", roles.scores, scores))
        if then != now
    ]
    if not added:
        return Sample(table, roles), ()
    completed = roles.model_copy(update={"prediction": prediction, "scores": scores, "score_classes": classes})
    note = f"The {' and '.join(added)} come from the model, not from the table.{_of_table(roles, completed, task)}"
    return Sample(source, completed), (note,)


def _of_table(roles: ColumnRoles, completed: ColumnRoles, task: Task) -> str:
    """Say which of predictions and scores are the table's where the other ones are the model's."""
    if task is not Task.CLASSIFICATION:
        return ""
    if roles.prediction:
        columns, what, wanted = [roles.prediction], "predictions", "prediction"
    elif roles.scores and roles.scores == completed.scores:
        columns, what, wanted = [*roles.scores], "scores", "score"
    else:
        return ""
    one = "column" if len(columns) == 1 else "columns"
    return (
        f" The {what} are the table's {one} {_list(columns)}. Predictions and scores may so be of two different "
        f"models: if they are, take the role {wanted} from the {one}, and the model is asked for its own."
    )


def _added_scores(
    source: WithModel, table: Table, classes: tuple[str, ...], positive: str | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Add one score column where there are two classes and one is positive, else one for each class."""
    if len(classes) == 2 and positive in classes:
        return (source.add_score(free_name(table.names, "score"), str(positive)),), ()
    names = tuple(source.add_score(free_name(table.names, f"score {label}"), label) for label in classes)
    return names, classes


def _of_model(table: Table, model: Model, roles: ColumnRoles) -> tuple[str, ...]:
    missing = tuple(name for name in model.features if name not in table.names)
    if missing:
        raise InvalidInput(
            f"The model needs columns that the table does not have: {_list(missing)}. Add or rename them."
        )
    taken = {roles.target, roles.prediction, roles.weight} & set(model.features)
    if taken:
        listed = _list(sorted(filter(None, taken)))
        raise InvalidInput(f"Column {listed} is a feature of the model and cannot be its target, prediction or weight.")
    return tuple(model.features)


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MANY} more" if len(names) > _MANY else ""
    return ", ".join(map(repr, names[:_MANY])) + more


def _labels(settled: Settled) -> list[str]:
    """Return every class label that is known, sorted; empty if there are too many to list."""
    labels: set[str] = set(settled.roles.score_classes)
    labels |= set(settled.classes or ())
    for name in filter(None, (settled.roles.target, settled.roles.prediction)):
        levels = settled.facts[name].levels
        if levels is None:
            return []
        labels |= levels
    return sorted(labels)


def _matched(given: str, labels: list[str]) -> str:
    if not labels or given in labels:
        return given
    alike = [label for label in labels if label.lower() == given.lower() or _same_number(label, given)]
    if len(alike) == 1:
        return alike[0]
    if _NEGATIVE.get(labels[0]) == given and len(labels) == 1:
        return given
    raise InvalidInput(
        f"The positive class {given!r} does not occur; the classes are {_list(labels)}. Choose one of these."
    )


def _same_number(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return False


def _guessed(given: ColumnRoles, roles: ColumnRoles) -> Iterable[str]:
    found = {
        "target": roles.target if not given.target else None,
        "prediction": roles.prediction if not given.prediction else None,
        "score": ", ".join(roles.scores) if not given.scores else None,
        "sensitive": ", ".join(roles.sensitive) if not given.sensitive else None,
        "weight": roles.weight if not given.weight else None,
        "time": roles.time if not given.time else None,
        "id": ", ".join(roles.ids) if not given.ids else None,
    }
    said = [f"{role} = {names}" for role, names in found.items() if names]
    if said:
        yield f"Roles guessed from names and contents: {'; '.join(said)}."
