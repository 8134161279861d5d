"""The undocumented parts of libraries that the service relies on, each checked here. An upgrade may break any of them.

Add a row only if the documented interface cannot do it, and keep the table at five rows or fewer.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import pytest

TICKETSVC = Path(__file__).parents[2] / "ticketsvc"


class Internal(NamedTuple):
    """Undocumented names of a library: `names` maps each to the first parameters of the callable, without self."""

    library: str
    module: str
    names: dict[str, list[str] | None]
    used_for: str


INTERNALS = [
    Internal(
        "gunicorn",
        "gunicorn.http",
        {
            "parser.RequestParser": ["cfg", "source", "source_addr"],
            "parser.RequestParser.mesg_class": None,
            "message.Request": ["cfg", "unreader", "peer_addr", "req_number"],
            "body.Body": ["reader"],
            "body.LengthReader": ["unreader", "length"],
        },
        "server/request.py reads simple heads by itself and leaves bodies and all other heads to gunicorn",
    ),
    Internal(
        "psycopg",
        "psycopg",
        {"generators.send": None, "generators.fetch": None, "generators.execute": None},
        "store/postgres/statement.py runs statements without a cursor",
    ),
    Internal(
        "psycopg",
        "psycopg",
        {"Connection.wait": ["gen", "interval"]},
        "store/postgres/gevent_connection.py waits for Postgres with a timeout",
    ),
    Internal(
        "yoyo-migrations",
        "yoyo.backends",
        {
            "DatabaseBackend.mark_one": ["migration", "log"],
            "DatabaseBackend.break_lock": [],
            "DatabaseBackend.ensure_internal_schema_updated": [],
        },
        "migrations/ marks a migration in its own transaction and replaces the lock of yoyo",
    ),
]


@pytest.mark.parametrize("internal", INTERNALS, ids=lambda internal: f"{internal.library}: {', '.join(internal.names)}")
def test_internals_of_libraries_are_as_expected(internal: Internal) -> None:
    for name, parameters in internal.names.items():
        explanation = (
            f"{internal.library} {version(internal.library)} changed {internal.module}.{name}, which is undocumented. "
            f"{internal.used_for}: adapt it to the new version, then this table."
        )
        found = resolve(internal.module, name)
        assert found is not None, explanation
        if parameters is not None:
            actual = [parameter for parameter in inspect.signature(found).parameters if parameter != "self"]
            assert actual[: len(parameters)] == parameters, explanation


def resolve(module: str, name: str) -> Any:
    """Return the object with this dotted name, or None."""
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        if inspect.ismodule(found) and not hasattr(found, part):
            try:
                importlib.import_module(f"{found.__name__}.{part}")
            except ImportError:
                return None
        found = getattr(found, part, None)
    return found


def test_every_listed_internal_is_in_use() -> None:
    source = "".join(path.read_text() for path in TICKETSVC.rglob("*.py"))
    unused = [name for row in INTERNALS for name in row.names if name.rpartition(".")[2] not in source]
    assert not unused, f"ticketsvc no longer uses {', '.join(unused)}: remove the rows from the table"


def test_at_most_five_internals_are_listed() -> None:
    assert len(INTERNALS) <= 5


def test_no_private_attribute_of_a_library_is_used() -> None:
    trees = {path: ast.parse(path.read_text()) for path in TICKETSVC.rglob("*.py")}
    own = {name for tree in trees.values() for node in ast.walk(tree) for name in defined(node)}
    documented = {"_asdict", "_fields", "_replace", "_get_current_object"}  # of namedtuple and of Flask's proxies
    foreign = [
        f"{path.relative_to(TICKETSVC)}:{node.lineno} {node.attr}"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in own | documented
    ]
    assert not foreign, f"private attributes that ticketsvc does not define: {', '.join(foreign)}"


def defined(node: ast.AST) -> list[str]:
    """Return the names that a node defines: functions, classes, variables and attributes of self."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return [node.id]
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self":
        return [node.attr]
    return []


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")
