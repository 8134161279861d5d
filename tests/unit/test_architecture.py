"""The layers of the package: the modules that each of them may import."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ticketsvc
from tests.conftest import ROOT

PACKAGE = Path(ticketsvc.__file__).parent
SQL_TEXT = re.compile(r"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|SET|CREATE|COPY|BEGIN)\s[^.]*\s?", re.ASCII)

FORBIDDEN = {
    "api": ("psycopg", "yoyo", "ticketsvc.store.postgres", "ticketsvc.commands"),
    "commands": ("psycopg", "ticketsvc.api"),
    "files": ("psycopg", "flask", "werkzeug", "ticketsvc.api"),
    "store": ("flask", "werkzeug", "gunicorn", "ticketsvc.api", "ticketsvc.commands", "ticketsvc.triage"),
    "triage": ("psycopg", "flask", "werkzeug", "ticketsvc.api", "ticketsvc.commands", "ticketsvc.store"),
}
"""For each layer the prefixes of modules that it must not import, not even for type checking."""

SHARED = ("ticketsvc.triage.model",)
"""Modules that every layer may import."""


def modules(layer: str) -> list[Path]:
    """Return the modules of a layer."""
    return sorted((PACKAGE / layer).rglob("*.py"))


def imported(module: ast.Module) -> set[str]:
    """Return the modules and names that a module imports, including those in functions."""
    found: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def is_within(name: str, prefixes: tuple[str, ...]) -> bool:
    """Return whether a dotted name is one of the prefixes or below it."""
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


@pytest.mark.parametrize(
    ("layer", "path"),
    [(layer, path) for layer in FORBIDDEN for path in modules(layer)],
    ids=lambda value: str(value.relative_to(PACKAGE)) if isinstance(value, Path) else "",
)
def test_a_layer_imports_no_module_above_it(layer: str, path: Path) -> None:
    names = imported(ast.parse(path.read_text()))
    assert [name for name in sorted(names) if is_within(name, FORBIDDEN[layer]) and not is_within(name, SHARED)] == []


def test_the_shared_model_imports_nothing_of_the_service() -> None:
    names = imported(ast.parse((PACKAGE / "triage" / "model.py").read_text()))
    assert not [name for name in names if is_within(name, ("ticketsvc",))]


@pytest.mark.parametrize(
    "path",
    [path for layer in ("api", "files", "store", "triage") for path in modules(layer)],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_python_contains_no_sql(path: Path) -> None:
    texts = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
    assert [text for text in texts if isinstance(text, str) and len(text) > 10 and SQL_TEXT.match(text)] == []


@pytest.mark.parametrize(
    "path",
    [ROOT / "app.py", ROOT / "gunicorn.conf.py", *modules("")],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_development_tools_are_imported_in_functions_only(path: Path) -> None:
    module = ast.parse(path.read_text())
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef):
            node.body = []
    assert not [name for name in imported(module) if is_within(name, ("ticketsvc_dev",))]


def test_the_application_loads_no_development_tools() -> None:
    script = (
        "import sys; from ticketsvc.application import create_app; from ticketsvc.config import Config;"
        "create_app(Config(database_url='postgresql://127.0.0.1:1/none'));"
        "print([name for name in sys.modules if name.startswith('ticketsvc_dev')])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
