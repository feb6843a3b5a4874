"""What a skops file may hold, and what the objects built from it may ask for.

``skops`` builds only types that it knows or that we name. It deliberately does not know the node arrays of trees,
because scikit-learn follows the indices in them without looking; we name them, and look. A known type can still be told
to read files, run a function or fill the memory, so the built objects are walked once before they are used.
"""

from __future__ import annotations

import functools
import re
import types
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from modelops.errors import RefusedFile
from modelops.sandbox.adapters import sklearn_arrays
from modelops.sandbox.messages import one_line

if TYPE_CHECKING:
    from pathlib import Path

_MAX_OBJECTS = 5_000_000
_MAX_REPEATS = 3
_METRICS = (
    "Euclidean",
    "Manhattan",
    "Chebyshev",
    "Minkowski",
    "Hamming",
    "Canberra",
    "BrayCurtis",
    "Jaccard",
    "Haversine",
)
_KERNELS = (
    "CompoundKernel", "ConstantKernel", "DotProduct", "ExpSineSquared", "Exponentiation", "Matern", "PairwiseKernel",
    "Product", "RBF", "RationalQuadratic", "Sum", "WhiteKernel",
)  # fmt: skip

TRUSTED = frozenset(
    {
        "sklearn.tree._tree.Tree",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        "sklearn._loss.loss.HalfTweedieLoss",
        "sklearn._loss.loss.HalfTweedieLossIdentity",
        # Histogram gradient boosting with categories: a partial of this one function. A partial of any other is
        # refused, because the function inside must be trusted too.
        "functools.partial",
        "sklearn.utils.validation.check_array",
        "numpy.dtype",
    }
    | {f"sklearn.metrics._dist_metrics.{name}Distance{bits}" for name in _METRICS for bits in ("", "32", "64")}
    | {f"sklearn.gaussian_process.kernels.{name}" for name in _KERNELS}
)

_FUNCTIONS = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.MethodWrapperType,
    types.MethodDescriptorType,
)
_PLAIN = (str, bytes, bytearray, int, float, complex, bool, type(None), np.generic, np.dtype, np.random.BitGenerator)


def check_types(path: Path) -> None:
    """Refuse a file that holds types which neither skops nor the list above knows. Nothing is built.

    Raises
    ------
    RefusedFile
        With the names of the types.
    """
    import skops.io

    unknown = sorted(set(skops.io.get_untrusted_types(file=path)) - TRUSTED)
    if unknown:
        names = ", ".join(one_line(name, limit=80) for name in unknown[:5])
        raise RefusedFile(
            f"The file holds types that are not opened here: {names}. Save a model made of scikit-learn's own "
            "estimators, or export it as ONNX."
        )


def check_objects(model: object) -> None:
    """Walk everything below ``model`` and refuse what reads files, runs functions or holds indices out of range.

    ``n_jobs`` is set to 1 on the way: there are no other processes in here.

    Raises
    ------
    RefusedFile
        With the reason.
    """
    for item in objects(model):
        if isinstance(item, functools.partial):
            _check_function(item.func)
        elif isinstance(item, _FUNCTIONS):
            _check_function(item)
        elif isinstance(item, type):
            _check_type(item)
        else:
            _check_settings(item)
            sklearn_arrays.check(item)


def objects(root: object) -> Iterator[object]:
    """Yield every object that can be reached from ``root``, each once, ``root`` first."""
    waiting, seen, count = [root], {id(root)}, 0
    keep = []  # an object made on the way must live until the end, or its id is used again
    while waiting:
        item = waiting.pop()
        count += 1
        if count > _MAX_OBJECTS:
            raise RefusedFile(f"The model holds more than {_MAX_OBJECTS:,} objects.")
        if isinstance(item, _PLAIN):
            continue
        yield item
        for part in _parts(item):
            if id(part) not in seen and not isinstance(part, _PLAIN):
                seen.add(id(part))
                keep.append(part)
                waiting.append(part)


def _parts(item: object) -> Iterator[object]:
    if isinstance(item, dict):
        yield from item.keys()
        yield from item.values()
    elif isinstance(item, list | tuple | set | frozenset):
        yield from item
    elif isinstance(item, np.ndarray):
        if item.dtype == object:
            yield from item.ravel().tolist()
    elif isinstance(item, functools.partial):
        yield from (item.func, item.args, item.keywords)
    elif not isinstance(item, type | types.ModuleType | types.FunctionType):
        yield from getattr(item, "__dict__", {}).values()


def _check_function(function: object) -> None:
    from sklearn.utils.validation import check_array

    if function is not check_array and not isinstance(function, np.ufunc):
        name = one_line(getattr(function, "__qualname__", type(function).__name__), limit=60)
        raise RefusedFile(
            f"The model holds the function {name!r}, which is not run here. Use named transformers instead."
        )


def _check_type(kind: type) -> None:
    if kind.__module__.split(".")[0] not in ("builtins", "numpy", "sklearn", "scipy"):
        raise RefusedFile(f"The model holds the class {one_line(kind.__name__, limit=60)!r}, which is not used here.")


def _check_settings(item: object) -> None:
    from sklearn.base import BaseEstimator

    if not isinstance(item, BaseEstimator):
        return
    name = type(item).__name__
    settings = vars(item)
    if settings.get("input", "content") != "content" and hasattr(item, "decode_error"):
        raise RefusedFile(
            f"The step {name} reads files (input={one_line(str(settings['input']), limit=40)!r}). Give it text."
        )
    if settings.get("memory") is not None:
        raise RefusedFile(f"The step {name} keeps a cache on disk (memory=...). Save the model with memory=None.")
    pattern = settings.get("token_pattern")
    if pattern is not None and not is_quick(pattern):
        raise RefusedFile(
            f"The step {name} has the token pattern {one_line(str(pattern), limit=60)!r}, which may take for ever on "
            "some texts. Use one without nested repetition, such as r'(?u)\\b\\w\\w+\\b'."
        )
    if settings.get("n_jobs", 1) not in (None, 1):
        item.n_jobs = 1


def is_quick(pattern: object) -> bool:
    r"""Say whether matching a regular expression takes a time that grows mildly with the text.

    True for patterns with at most three repetitions, none inside another, and without references back.

    Examples
    --------
    >>> is_quick(r"(?u)\b\w\w+\b"), is_quick(r"(a+)+$"), is_quick(r"(a|a)*b")
    (True, False, False)
    """
    if not isinstance(pattern, str) or len(pattern) > 300:
        return False
    try:
        parsed = re._parser.parse(pattern)  # type: ignore[attr-defined]  # noqa: SLF001 - the parser of `re` itself
    except (re.error, RecursionError, OverflowError):
        return False
    return _repeats(parsed, inside=False) <= _MAX_REPEATS


def _repeats(parsed: Any, *, inside: bool) -> int:
    """Count repetitions; a nested one, an alternative inside one and a reference count as too many."""
    total = 0
    for operation, argument in parsed:
        name = str(operation)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            total += _MAX_REPEATS + 1 if inside else 1
            total += _repeats(argument[2], inside=True)
        elif name == "SUBPATTERN":
            total += _repeats(argument[3], inside=inside)
        elif name == "BRANCH":
            total += _MAX_REPEATS + 1 if inside else 0
            total += sum(_repeats(part, inside=inside) for part in argument[1])
        elif name in ("ASSERT", "ASSERT_NOT"):
            total += _repeats(argument[1], inside=inside)
        elif name == "ATOMIC_GROUP":
            total += _repeats(argument, inside=inside)
        elif name.startswith("GROUPREF"):
            total += _MAX_REPEATS + 1
    return total
