"""The versions that a result depends on."""

from __future__ import annotations

import platform
from importlib import metadata

_ALWAYS = ("modelops", "numba", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy")
_BY_FORMAT = {
    "skops": ("skops",),
    "onnx": ("onnxruntime",),
    "xgboost_json": ("xgboost-cpu", "xgboost"),
    "xgboost_ubj": ("xgboost-cpu", "xgboost"),
    "lightgbm": ("lightgbm",),
    "catboost": ("catboost",),
}


def environment(*model_formats: str) -> dict[str, str]:
    """Return Python, the machine's architecture, and every library whose version may change a number.

    Examples
    --------
    >>> sorted(environment())[:3]
    ['machine', 'modelops', 'numba']
    """
    versions = {"python": platform.python_version(), "machine": platform.machine()}
    for package in (*_ALWAYS, *(name for form in model_formats for name in _BY_FORMAT.get(form, ()))):
        version = _version(package)
        if version:
            versions[package] = version
    return versions


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return _own_version() if package == "modelops" else None


def _own_version() -> str | None:
    """Return the version of a checkout that is not installed."""
    import tomllib
    from pathlib import Path

    project = Path(__file__).parents[2] / "pyproject.toml"
    if not project.is_file():
        return None
    version = tomllib.loads(project.read_text(encoding="utf-8")).get("project", {}).get("version")
    return version if isinstance(version, str) else None
