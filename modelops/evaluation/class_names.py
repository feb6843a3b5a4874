"""What the classes are called of a model whose file only numbers them, as those of XGBoost and LightGBM do."""

from __future__ import annotations

from collections.abc import Iterable

from modelops.analyses.levels import in_order
from modelops.errors import InvalidInput

_SHOWN = 10


def are_numbered(classes: tuple[str, ...]) -> bool:
    """Return whether the labels are no more than 0, 1, ... in order.

    Examples
    --------
    >>> are_numbered(("0", "1")), are_numbered(("no", "yes")), are_numbered(())
    (True, False, False)
    """
    return bool(classes) and classes == tuple(str(number) for number in range(len(classes)))


def check_names(names: tuple[str, ...], classes: tuple[str, ...]) -> None:
    """Check names that a person gave to the classes of a model.

    Raises
    ------
    InvalidInput
        If the file names its classes itself, or there is not one name for each class.
    """
    if not are_numbered(classes):
        found = f"names its classes itself: {_list(classes)}" if classes else "predicts numbers and has no classes"
        raise InvalidInput(f"The model's file {found}. Leave out the names of classes.")
    if len(set(names)) != len(names) or len(names) != len(classes) or not all(map(str.strip, names)):
        raise InvalidInput(
            f"The model has {len(classes)} classes, numbered {_list(classes)}; got the names {_list(names)}. "
            f"Give {len(classes)} different names, in the order of the numbers."
        )


def names_of(classes: tuple[str, ...], labels: Iterable[str]) -> tuple[str, ...]:
    """Return the names of numbered classes (see `are_numbered`) that follow from the labels of the target, if any do.

    Label encoders number the labels in sorted order, and so do the scikit-learn interfaces of XGBoost and LightGBM.

    Examples
    --------
    >>> names_of(("0", "1"), ["yes", "no"]), names_of(("0", "1"), ["0", "1"]), names_of(("0", "1"), ["1", "2"])
    (('no', 'yes'), (), ('1', '2'))
    """
    held = in_order(labels)
    counted_from_one = held == tuple(str(number + 1) for number in range(len(classes)))
    is_other = counted_from_one or not set(held) & set(classes)
    return held if is_other and len(held) == len(classes) else ()


def told(names: tuple[str, ...], *, is_given: bool) -> str:
    """Return in words what the numbers stand for, and where that comes from."""
    pairs = ", ".join(f"{number} = {name}" for number, name in list(enumerate(names))[:_SHOWN])
    more = ", ..." if len(names) > _SHOWN else ""
    if is_given:
        return f"The model's file numbers its classes. They were named: {pairs}{more}."
    return (
        "The model's file numbers its classes. They were taken to be the labels of the target in sorted order, as label"
        f" encoders number them: {pairs}{more}. If that is wrong, name them with the version, or by --classes."
    )


def _list(labels: tuple[str, ...]) -> str:
    more = f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
    return ", ".join(repr(label[:80]) for label in labels[:_SHOWN]) + more
