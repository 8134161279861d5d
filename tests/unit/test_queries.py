"""The files under sql/, and the borders between the layers"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from psycopg import pq

from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.queries import SQL, Query

if TYPE_CHECKING:
    from tests.support.tickets import Connection

PACKAGE = Path(queries.__file__).parents[2]
# Not the schema: it is applied by `flask migrate` (tests/database/test_schema_file.py).
QUERIES = [path for path in SQL.glob("*/*.sql") if path.parent.name not in ("functions", "triggers")]
NAMES = sorted(".".join(path.relative_to(SQL).with_suffix("").parts) for path in QUERIES)
API = sorted((PACKAGE / "api").rglob("*.py"))
STORE = sorted((PACKAGE / "store").rglob("*.py"))
SQL_TEXT = re.compile(r"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|SET|CREATE|COPY|BEGIN)\s[^.]*\s?", re.ASCII)


@pytest.mark.parametrize("name", NAMES)
def test_each_query_can_be_prepared(database: Connection, name: str) -> None:
    query = queries.load(name)
    with database.transaction():
        if name != "files.stage":
            database.execute(queries.load("files.stage").text.encode())  # the table of other bulk queries
        prepared = database.pgconn.prepare(b"query", query.text.encode())
        assert prepared.status == pq.ExecStatus.COMMAND_OK, prepared.get_error_message()
        assert database.pgconn.describe_prepared(b"query").nparams == len(query.parameters)


@pytest.mark.parametrize("name", NAMES)
def test_each_query_says_what_it_answers_and_what_its_parameters_are(name: str) -> None:
    lines = SQL.joinpath(*name.split(".")).with_suffix(".sql").read_text().splitlines()
    assert re.fullmatch(r"-- [A-Z].*[.,:a-z]", lines[0])
    documented = [line for line in lines if re.match(r"-- \$\d+ \w+", line)]
    assert len(documented) == len(queries.load(name).parameters)
    assert len(set(queries.load(name).parameters)) == len(documented)


@pytest.mark.parametrize("name", NAMES)
def test_each_query_is_used(name: str) -> None:
    code = "".join(path.read_text() for path in STORE)
    resource, _, query = name.partition(".")
    assert f'"{name}"' in code or f'f"{resource}.{query.split("_")[0]}_{{' in code


def test_a_missing_query_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        queries.load("tickets.absent")


@pytest.mark.parametrize(
    "text", ["SELECT $1", "-- $1 a\n-- $2 b\nSELECT $1", "-- $2 b\nSELECT $2", "-- $1 a\n-- $3 c\nSELECT $1, $3"]
)
def test_a_query_must_document_its_parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "y.sql").write_text(text)
    monkeypatch.setattr(queries, "SQL", tmp_path)
    with pytest.raises(ValueError, match=r"sql/x/y\.sql documents"):
        queries.load("x.y")


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [""],
        ["a", "b"],
        ["a,b", "{c}", 'd"e', "f\\g", "h\\"],
        ["NULL", "null", " "],
        ["'", "ü🎫", "\n\t"],
        ["{}", "(,)"],
    ],
)
def test_a_list_arrives_as_it_was_bound(database: Connection, texts: list[str]) -> None:
    [bound] = Query("x", "", ("names",)).bind({"names": texts, "other": 1})
    assert bound is not None
    assert database.execute("SELECT %s::text[]", [bound.decode()]).fetchone() == (texts,)


def test_a_query_says_whether_it_may_run_again() -> None:
    reading = {name for name in NAMES if queries.load(name).repeatable}
    assert reading >= {"tickets.get", "tickets.count_search", "tickets.search_newest", "tickets.search_updated"}
    assert not reading & {"tickets.create", "tickets.update", "tickets.delete"}


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        Query("x", "", ("a",)).bind({"b": 1})


@pytest.mark.parametrize("path", API + STORE, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_there_is_no_sql_in_python(path: Path) -> None:
    texts = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
    assert [text for text in texts if isinstance(text, str) and len(text) > 10 and SQL_TEXT.match(text)] == []


@pytest.mark.parametrize("path", API, ids=lambda path: path.name)
def test_the_interface_knows_no_database(path: Path) -> None:
    imported = {name for node in ast.walk(ast.parse(path.read_text())) for name in _imported(node)}
    assert not [name for name in imported if name.startswith(("psycopg", "ticketsvc.store.postgres.database", "yoyo"))]
    assert not imported & {
        "ticketsvc.store.postgres.queries",
        "ticketsvc.store.postgres.statement",
        "ticketsvc.store.postgres.errors",
    }


@pytest.mark.parametrize("path", STORE, ids=lambda path: path.name)
def test_the_store_knows_no_http(path: Path) -> None:
    imported = {name for node in ast.walk(ast.parse(path.read_text())) for name in _imported(node)}
    assert not [name for name in imported if name.startswith(("flask", "werkzeug", "ticketsvc.api", "gunicorn"))]


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []
