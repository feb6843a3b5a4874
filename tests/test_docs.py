"""The documentation says what the program does: commands, routes, settings, analyses, pages, links."""

import re
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from modelops.analyses.registry import ANALYSES
from modelops.api.routes import ROUTES
from modelops.cli import app
from modelops.cli.text import metrics_as_markdown
from modelops.settings import Settings
from modelops.ui.navigation import PAGES
from modelops.version import VERSION

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]


def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def commands(group=None, prefix: str = "") -> dict[str, object]:
    found = {}
    for name, command in (group or get_command(app)).commands.items():
        if hasattr(command, "commands"):
            found |= commands(command, f"{prefix}{name} ")
        else:
            found[prefix + name] = command
    return found


@pytest.mark.parametrize("name", commands())
def test_every_command_and_option_is_described(name):
    page = text("command-line.md")
    assert f"{name}" in page
    for parameter in commands()[name].params:
        for option in parameter.opts:
            assert not option.startswith("--") or option == "--help" or option in page


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{'/'.join(route.methods)} {route.path}")
def test_every_route_is_described(route):
    assert route.path in text("api.md")


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_described(name):
    page = text("guide-administrator.md")
    assert f"MODELOPS_{name.upper()}" in page or (name == "database_url" and "DATABASE_URL" in page)


@pytest.mark.parametrize("declared", ANALYSES, ids=lambda declared: declared.key)
def test_every_analysis_and_parameter_is_described(declared):
    assert f"(analyses/{declared.key}.md)" in text("analyses.md")
    page = text(f"analyses/{declared.key}.md")
    assert [name for name in declared.parameters.model_fields if f"`{name}`" not in page] == []


def test_the_list_of_metrics_is_that_of_the_registry():
    assert text("metrics.md") == metrics_as_markdown() + "\n"


def test_every_listed_page_stands_in_some_guide():
    guides = "\n".join(path.read_text(encoding="utf-8") for path in DOCS.glob("guide-*.md"))
    assert [entry.title for entry in PAGES if entry.listed and entry.title not in guides] == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_links_and_pictures_lead_somewhere(path):
    links = re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))
    inside = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in inside if not (path.parent / link).exists()] == []


def test_the_version_is_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["version"] == VERSION
