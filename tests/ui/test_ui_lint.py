"""Pages cannot show what people typed as Markdown or HTML: the calls are read, not run."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from modelops.settings import ROOT

FILES = sorted([*(ROOT / "pages").rglob("*.py"), *(ROOT / "modelops" / "ui").rglob("*.py"), ROOT / "app.py"])
# What Streamlit reads as Markdown: first arguments must be ours or have passed through ``plain``.
MARKDOWN = frozenset(
    {
        "markdown",
        "caption",
        "title",
        "header",
        "subheader",
        "info",
        "error",
        "warning",
        "success",
        "toast",
        "badge",
        "metric",
        "latex",
    }
)
FORBIDDEN = frozenset({"html", "write", "table", "iframe", "write_stream"})
SAFE_CALLS = frozenset({"plain", "utc", "day", "ago", "short", "size", "len"})


def problems(source: str) -> list[str]:
    """Return what a page must not do, each with its line."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            found += [f"line {node.lineno}: {text}" for text in _wrong(node)]
        if isinstance(node, ast.Attribute) and ast.unparse(node).startswith("st.components.v1"):
            found.append(f"line {node.lineno}: components.v1 runs with the rights of the page")
    return found


def _wrong(call: ast.Call) -> list[str]:
    found = []
    if any(word.arg in {"unsafe_allow_html", "unsafe_allow_javascript"} for word in call.keywords):
        found.append("HTML is never allowed")
    if not isinstance(call.func, ast.Attribute):
        return found
    name = call.func.attr
    if name in FORBIDDEN and isinstance(call.func.value, ast.Name) and call.func.value.id == "st":
        found.append(f"st.{name} reads what it is given as Markdown or HTML")
    is_widget = isinstance(call.func.value, ast.Name) and call.func.value.id in {"widgets", "logging", "_LOG"}
    if name in MARKDOWN and call.args and not is_widget and not _safe(call.args[0]):
        found.append(f".{name}({ast.unparse(call.args[0])}) may hold what somebody typed: use plain(...)")
    return found


def _safe(node: ast.expr) -> bool:
    match node:
        case ast.Constant():
            return True
        case ast.Name(id=name) | ast.Subscript(value=ast.Name(id=name)) | ast.Attribute(attr=name):
            return name.isupper()
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in SAFE_CALLS
        case ast.IfExp(body=first, orelse=second):
            return _safe(first) and _safe(second)
        case ast.BinOp(op=ast.Add(), left=first, right=second):
            return _safe(first) and _safe(second)
        case ast.JoinedStr(values=values):
            return all(_safe(part) for part in values)
        case ast.FormattedValue(value=value, format_spec=spec):
            # A number format such as ``:,`` or ``:d`` refuses text.
            return spec is not None or _safe(value)
    return False


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_shows_what_people_typed_letter_by_letter(path: Path):
    assert problems(path.read_text()) == []


@pytest.mark.parametrize("path", [path for path in FILES if "pages" in path.parts], ids=lambda path: path.name)
def test_every_page_opens_with_the_frame(path: Path):
    calls = [ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    assert "frame.open_page" in calls


@pytest.mark.parametrize(
    "line",
    [
        "st.markdown(name)",
        "st.markdown(f'by {name}')",
        "st.markdown('by ' + name)",
        "st.markdown('by {}'.format(name))",
        "st.markdown('x', unsafe_allow_html=True)",
        "st.html(x)",
        "st.write(x)",
        "st.table(x)",
        "st.components.v1.html(x)",
        "left.error(str(error))",
        "st.title(model.name)",
    ],
)
def test_the_lint_finds(line):
    assert problems(line)


@pytest.mark.parametrize(
    "line", ["st.markdown('ours')", "st.markdown(f'by {plain(name)}: {count:d}')", "st.title(plain(x))", "st.text(x)"]
)
def test_the_lint_lets_pass(line):
    assert problems(line) == []
