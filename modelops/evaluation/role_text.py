"""Column roles as a result file carries them: for each column, one text."""

from __future__ import annotations

from collections.abc import Mapping

from modelops.domain.columns import ColumnRole, ColumnRoles
from modelops.errors import InvalidInput

_CLASS = "score of class "


def roles_as_text(roles: ColumnRoles, *, by_position: bool = False) -> dict[str, str]:
    """Return the roles of every column that has any. ``by_position`` numbers the features, where their order counts.

    Examples
    --------
    >>> roles_as_text(ColumnRoles(features=("sex",), sensitive=("sex",), target="y"))
    {'sex': 'feature, sensitive', 'y': 'target'}
    """
    texts = {name: ", ".join(role.value for role in roles.of(name)) for name in roles.named}
    if roles.score_classes:
        texts |= {name: _CLASS + label for name, label in zip(roles.scores, roles.score_classes, strict=True)}
    if by_position:
        for position, name in enumerate(roles.features, start=1):
            texts[name] = f"feature {position}" + texts[name].removeprefix("feature")
    return texts


def roles_from_text(texts: Mapping[str, str]) -> ColumnRoles:
    """Return the roles that `roles_as_text` wrote; columns in the order of ``texts``, numbered features by number.

    Raises
    ------
    InvalidInput
        If a role is unknown.
    """
    by_role: dict[ColumnRole, list[str]] = {role: [] for role in ColumnRole}
    classes: list[str] = []
    places: dict[str, int] = {}
    for name, text in texts.items():
        if text.startswith(_CLASS):
            by_role[ColumnRole.SCORE].append(name)
            classes.append(text.removeprefix(_CLASS))
            continue
        for role in text.split(", "):
            word, _, number = role.partition(" ")
            if number.isdecimal():
                places[name] = int(number)
            by_role[_role(word if number.isdecimal() else role, name)].append(name)
    return ColumnRoles(
        features=tuple(sorted(by_role[ColumnRole.FEATURE], key=lambda name: places.get(name, 0))),
        target=_single(by_role, ColumnRole.TARGET),
        prediction=_single(by_role, ColumnRole.PREDICTION),
        scores=tuple(by_role[ColumnRole.SCORE]),
        score_classes=tuple(classes),
        sensitive=tuple(by_role[ColumnRole.SENSITIVE]),
        weight=_single(by_role, ColumnRole.WEIGHT),
        time=_single(by_role, ColumnRole.TIME),
        ids=tuple(by_role[ColumnRole.ID]),
    )


def _role(text: str, name: str) -> ColumnRole:
    try:
        return ColumnRole(text)
    except ValueError:
        raise InvalidInput(f"Got {text!r} as the role of column {name!r}; known are {', '.join(ColumnRole)}.") from None


def _single(by_role: dict[ColumnRole, list[str]], role: ColumnRole) -> str | None:
    names = by_role[role]
    if len(names) > 1:
        raise InvalidInput(f"The columns {names} all have the role {role.value}; one is wanted.")
    return names[0] if names else None
