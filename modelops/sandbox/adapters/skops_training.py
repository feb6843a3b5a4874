"""Training an untrained copy of a scikit-learn model: the one question that hands labels to a model's process.

Only estimators made of types on our list get here, and their settings have been walked (`skops_checks`): the copy runs
scikit-learn's own ``fit`` and no code of the file. The labels are those of training rows, never those that the model is
measured on, so the copy can learn from them what any trained model has, and nothing about the test.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from modelops.errors import ModelOpsError
from modelops.sandbox.adapters.base import failed


def trained(model: Any, rows: Any, target: np.ndarray, *, seed: int | None) -> Any:
    """Return an untrained copy of ``model``, trained on ``rows``.

    Every ``random_state`` in it, also those of steps and members, becomes ``seed``, or stays as the file has it if
    ``seed`` is ``None``; everything runs in one thread.

    Raises
    ------
    InvalidInput
        If the estimator cannot be trained on these rows.
    """
    from sklearn.base import clone

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fresh = clone(model)
            names = {name: name.rpartition("__")[2] for name in fresh.get_params()}
            wanted: dict[str, Any] = {"n_jobs": 1} if seed is None else {"n_jobs": 1, "random_state": seed}
            fresh.set_params(**{name: wanted[last] for name, last in names.items() if last in wanted})
            return fresh.fit(rows, target)
    except (ModelOpsError, MemoryError):
        raise
    except Exception as error:  # estimators raise anything on rows that they cannot use
        raise failed("be trained on", error) from error


def keeps_categories(model: Any) -> bool:
    """Say whether the first step finds its categorical columns by type, so that text must arrive as categories."""
    steps = getattr(model, "steps", None)
    return getattr(steps[0][1] if steps else model, "categorical_features", None) == "from_dtype"


def in_classes(scores: np.ndarray, own: tuple[str, ...], wanted: tuple[str, ...]) -> np.ndarray:
    """Return scores of the classes ``own`` as columns of the classes ``wanted``; a class that it never saw gets 0.

    Examples
    --------
    >>> in_classes(np.array([[0.25, 0.75]]), ("a", "c"), ("a", "b", "c")).tolist()
    [[0.25, 0.0, 0.75]]
    """
    found = np.zeros((len(scores), len(wanted)))
    found[:, [wanted.index(name) for name in own]] = scores
    return found
