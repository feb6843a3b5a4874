"""The import rule of the house, read from the imports themselves."""

import ast
import functools
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Lower rooms first; rooms on one line do not import each other.
LAYERS = (
    ("errors", "settings", "version"),
    ("domain", "treeshap"),
    ("datasets", "analyses", "charts", "attest", "store", "sandbox"),
    ("evaluation", "reports"),
    ("services",),
    ("jobs",),
    ("demo",),
    ("api", "ui"),
    ("serve",),
    ("cli",),
    ("__main__",),
)
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
ONLY_IN = {
    "streamlit": ("app.py", "pages/", "modelops/ui/", "modelops/api/", "modelops/serve.py"),
    "sqlmodel": ("modelops/store/",),
    "sqlalchemy": ("modelops/store/",),
    "plotly": ("modelops/charts/",),
    "onnxruntime": ("modelops/sandbox/",),
    "skops": ("modelops/sandbox/", "modelops/demo/"),
    "xgboost": ("modelops/sandbox/", "modelops/demo/"),
    "lightgbm": ("modelops/sandbox/", "modelops/demo/"),
    "catboost": ("modelops/sandbox/",),
}
BANNED = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}


def sources() -> list[Path]:
    return [ROOT / "app.py", *sorted((ROOT / "pages").rglob("*.py")), *sorted((ROOT / "modelops").rglob("*.py"))]


@functools.cache
def imports(path: Path) -> frozenset[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names if node.module == "modelops"}
    return frozenset(found)


def room(name: str) -> str:
    parts = name.split(".")
    return parts[1] if parts[0] == "modelops" and len(parts) > 1 else ""


def modules() -> list[tuple[str, Path]]:
    inside = [path for path in sources() if path.is_relative_to(ROOT / "modelops")]
    return [(path.relative_to(ROOT).with_suffix("").parts[1], path) for path in inside]


def test_every_room_has_its_place():
    assert {name for name, path in modules() if name != "__init__"} <= set(LEVEL)


def test_imports_run_one_way():
    wrong = [
        f"{path.relative_to(ROOT)} imports modelops.{target}"
        for own, path in modules()
        if own != "__init__"
        for target in {room(name) for name in imports(path)} - {"", own}
        if LEVEL[target] >= LEVEL[own]
    ]
    assert not wrong


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_is_used_in_its_own_room_only(library):
    wrong = [
        str(path.relative_to(ROOT))
        for path in sources()
        if any(name == library or name.startswith(library + ".") for name in imports(path))
        and not str(path.relative_to(ROOT)).startswith(ONLY_IN[library])
    ]
    assert not wrong


def test_nothing_that_runs_code_while_reading_is_imported():
    assert not [path for path in sources() if {name.split(".")[0] for name in imports(path)} & BANNED]


def test_pages_read_and_write_through_store_and_services():
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / "pages").rglob("*.py"))
        for name in imports(path)
        if room(name) in {"sandbox", "jobs", "cli", "serve", "api"}
    ]
    assert not wrong


def test_no_file_is_longer_than_five_hundred_lines():
    assert not [str(path) for path in sources() if len(path.read_text().splitlines()) > 500]


def test_the_way_to_the_first_page_imports_nothing_heavy():
    heavy = "shap", "fairlearn", "sklearn", "numba", "scipy.stats", "alembic"
    code = (
        "import sys, modelops.api, modelops.ui.frame, modelops.services.runs, modelops.jobs.runner\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
