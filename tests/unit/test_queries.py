"""The files under sql/."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID, uuid4

import pytest
from psycopg import pq

from ticketsvc.problems import Unavailable
from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import ATTEMPTS
from ticketsvc.store.postgres.queries import SQL, Query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

    from tests.support.tickets import Connection
    from ticketsvc.store.postgres.database import Database

PACKAGE = Path(queries.__file__).parents[2]
# Not the fragments, and not the schema, which is applied by `flask migrate` (tests/database/test_schema_file.py).
QUERIES = [path for path in SQL.glob("*/*.sql") if path.parent.name not in ("fragments", "functions", "triggers")]
NAMES = sorted(".".join(path.relative_to(SQL).with_suffix("").parts) for path in QUERIES)
STORE = sorted((PACKAGE / "store").rglob("*.py"))

NOT_RETRIED = {
    *("background.take", "comments.create", "comments.delete"),
    *("files.export", "files.fill", "files.insert", "files.order", "files.stage", "files.stage_order"),
    *("keys.add", "keys.revoke", "keys.touch", "limits.prune", "limits.take", "session.configure"),
    *("tickets.claim", "tickets.create", "tickets.create_batch"),
    *("tickets.delete", "tickets.update", "tickets.update_batch", "tickets.update_matching"),
    *("triage.refine", "triage.store_suggestion", "webhooks.claim", "webhooks.create", "webhooks.delete"),
    *("webhooks.fan_out", "webhooks.redeliver", "webhooks.rotate", "webhooks.update"),
}
"""Queries that are not run again after a lost connection: writes, and those of a dedicated connection."""

COSTLY = {
    *("similar.find", "similar.follow", "similar.begin_signs"),
    *("stats.durations", "stats.resolution", "stats.selection", "stats.triage"),
    *("tickets.count", "tickets.count_few", "tickets.count_heads", "tickets.count_search", "tickets.count_texts"),
    *("tickets.filter", "tickets.filter_scan", "tickets.filter_window", "tickets.index_pending"),
    *("tickets.search_by_key", "tickets.search_facets", "tickets.search_hits"),
    *("tickets.search_rare", "tickets.search_scan", "tickets.search_weeks"),
    *("tickets.claim", "tickets.erase_batch", "tickets.of_requester", "tickets.update_matching"),
}
"""Queries that may use only a part of the pool, some of them only with some filters."""

COLUMN_TYPES: dict[Any, set[str]] = {
    bool: {"boolean"},
    float: {"double precision"},
    int: {"bigint", "integer"},
    list: {"json"},
    UUID: {"uuid"},
}


def loaded() -> Iterator[Query[Any]]:
    """Return every query that a module of the store has loaded."""
    for path in STORE:
        module = importlib.import_module(".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts))
        for value in vars(module).values():
            values = value.values() if isinstance(value, dict) else [value]
            yield from (query for query in values if isinstance(query, Query))


LOADED = {name: query for query in loaded() for name in (query.name.partition(":")[0], query.name)}
"""The queries by name, and one variant of those that are used only in variants."""


@pytest.fixture
def store(shared_app: Flask) -> Database:
    """Return the application's Database."""
    database: Database = shared_app.extensions["ticketsvc"].database
    return database


@pytest.mark.parametrize("name", sorted(LOADED))
def test_query_matches_its_parameters_and_row_type(database: Connection, name: str) -> None:
    query = LOADED[name]
    with database.transaction():
        for staging in {"files.stage", "files.stage_order"} - {name}:
            database.execute(LOADED[staging].text.encode())  # the tables of the other file queries
        prepared = database.pgconn.prepare(b"query", query.text.encode())
        assert prepared.status == pq.ExecStatus.COMMAND_OK, prepared.get_error_message()
        described = database.pgconn.describe_prepared(b"query")
        assert described.nparams == len(query.parameters)
        if query.row_type is not NoneType:
            types = queries.column_types(query.row_type)
            assert described.nfields == len(types)
            for column, type_ in enumerate(types):
                row = database.execute("SELECT format_type(%s, NULL)", [described.ftype(column)]).fetchone()
                assert row is not None
                assert row[0] in COLUMN_TYPES.get(_not_null(type_), {row[0]} - COLUMN_TYPES[bool])


@pytest.mark.parametrize("name", NAMES)
def test_file_is_valid_sql_as_it_is(database: Connection, name: str) -> None:
    text = SQL.joinpath(*name.split(".")).with_suffix(".sql").read_text()
    with database.transaction():
        for staging in {"files.stage", "files.stage_order"} - {name}:
            database.execute(LOADED[staging].text.encode())  # the tables of the other file queries
        prepared = database.pgconn.prepare(b"file", text.encode())
        assert prepared.status == pq.ExecStatus.COMMAND_OK, prepared.get_error_message()


def new_query(text: str, row_type: type[Any] = NoneType) -> Query[Any]:
    """Return a query with a name of its own, since a connection prepares one statement a name."""
    return queries.parse(uuid4().hex, text, row_type)


def _not_null(type_: Any) -> Any:
    types = [member for member in (getattr(type_, "__args__", None) or [type_]) if member is not NoneType]
    return getattr(type_, "__origin__", types[0])


@pytest.mark.parametrize("name", NAMES)
def test_header_says_what_a_query_does_and_its_parameters(name: str) -> None:
    lines = SQL.joinpath(*name.split(".")).with_suffix(".sql").read_text().splitlines()
    assert re.fullmatch(r"-- [A-Z].*[.,:a-z]", lines[0])
    documented = [match[1] for line in lines if (match := re.match(r"-- \$\d+ (\w+)", line))]
    assert len(set(documented)) == len(documented)
    assert set(documented) <= set(LOADED[name].parameters)


@pytest.mark.parametrize("name", NAMES)
def test_query_is_used_by_the_store(name: str) -> None:
    code = "".join(path.read_text() for path in STORE)
    resource, _, query = name.partition(".")
    assert f'"{name}"' in code or f'f"{resource}.{query.split("_")[0]}_{{' in code


def test_missing_file_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        queries.load("tickets.absent")


@pytest.mark.parametrize(
    "text", ["SELECT $1", "-- $1 a\n-- $2 b\nSELECT $1", "-- $2 b\nSELECT $2", "-- $1 a\n-- $3 c\nSELECT $1, $3"]
)
def test_query_with_undocumented_parameters_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"x\.y documents"):
        queries.parse("x.y", text)


@pytest.mark.parametrize("value", ["unsafe", "yes", "", "safe, I think"])
def test_query_with_another_retry_value_is_an_error(value: str) -> None:
    with pytest.raises(ValueError, match="Retry: safe"):
        queries.parse("x.y", f"-- Retry: {value}\nSELECT 1")


@pytest.mark.parametrize("value", ["low", "", "high with", "high with b", "high with a b", "high, I think"])
def test_query_with_another_cost_is_an_error(value: str) -> None:
    with pytest.raises(ValueError, match="Cost: high"):
        queries.parse("x.y", f"-- Cost: {value}\n-- $1 a\nSELECT $1::text")


def test_a_query_is_costly_always_or_with_a_parameter_or_never() -> None:
    text = "-- $1 a\n-- $2 b\nSELECT $1::text, $2::text"
    rows: list[list[bytes | None]] = [[None, None], [b"1", None], [None, b"1"]]
    for header, costly in [("", 0b000), ("-- Cost: high\n", 0b111), ("-- Cost: high with b\n", 0b001)]:
        query = queries.parse("x.y", header + text)
        assert [query.is_costly(values) for values in rows] == [bool(costly & bit) for bit in (4, 2, 1)]


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
        ["NULL", None],
    ],
)
def test_list_is_bound_as_an_array(database: Connection, texts: list[str | None]) -> None:
    [bound] = queries.parse("x", "-- $1 names\nSELECT $1").bind({"names": texts, "other": 1})
    assert bound is not None
    assert database.execute("SELECT %s::text[]", [bound.decode()]).fetchone() == (texts,)


class Everything(NamedTuple):
    """A row with a column of each type, not null and null."""

    raw: bytes
    text: str
    empty: str | None
    number: int
    ratio: float
    is_true: bool
    is_false: bool
    id: UUID
    array: list[int]
    no_raw: bytes | None
    no_text: str | None
    no_number: int | None
    no_flag: bool | None
    no_id: UUID | None


def test_columns_are_decoded_as_the_row_type_says(store: Database) -> None:
    text = """SELECT '{"ü": 1}'::json, 'ü🎫', '', -12, 0.25::float8, true, false,
        '01234567-89ab-cdef-0123-456789abcdef'::uuid, '[1, 2]'::json, NULL, NULL, NULL, NULL, NULL"""
    expected = Everything(
        '{"ü": 1}'.encode(), "ü🎫", "", -12, 0.25, True, False, UUID("01234567-89ab-cdef-0123-456789abcdef"), [1, 2],
        None, None, None, None, None,
    )  # fmt: skip
    assert store.one(new_query(text, Everything)) == expected
    rows = store.rows(new_query(f"{text} FROM generate_series(1, 3)", Everything))
    assert rows == [expected] * 3
    assert {type(row) for row in rows} == {Everything}


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("row_type", [bytes, str, int, float, bool, UUID])
def test_null_in_a_column_that_allows_none_is_an_error(store: Database, row_type: type, rows: int) -> None:
    with pytest.raises((TypeError, KeyError, AttributeError)):
        store.rows(new_query(f"SELECT NULL FROM generate_series(1, {rows})", row_type))


def test_one_or_none_returns_the_first_row_or_none(store: Database) -> None:
    text = "-- $1 last\nSELECT * FROM generate_series(1, $1::integer)"
    query = new_query(text, int)
    assert [store.one_or_none(query, {"last": last}) for last in (0, 2)] == [None, 1]
    assert store.rows(query, {"last": 3}) == [1, 2, 3]


def test_every_query_but_listed_ones_declares_a_safe_retry() -> None:
    assert {name for name in NAMES if not LOADED[name].is_retry_safe} == NOT_RETRIED


def test_what_changes_tickets_and_what_reads_the_feed_returns_a_position() -> None:
    """Replicas serve reads of tickets. An import takes the position behind its transaction, a command needs none."""
    changes = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM) (tickets|comments)\b")
    writes = {name for name in NAMES if changes.search(LOADED[name].text)}
    without = {"files.insert", "tickets.erase_batch", "triage.refine", "triage.store_suggestion"}
    assert without <= writes
    assert {name for name in NAMES if LOADED[name].has_position} == writes - without | {"events.list", "events.latest"}


@pytest.mark.parametrize("value", ["before", "yes"])
def test_query_with_another_position_is_an_error(value: str) -> None:
    with pytest.raises(ValueError, match=f"the header says `Position: {value}`"):
        new_query(f"-- Returns one.\n-- Position: {value}\nSELECT 1")


def test_queries_that_read_texts_or_many_tickets_are_costly() -> None:
    costly = {name for name, query in LOADED.items() if query.is_costly([b""] * len(query.parameters))}
    assert {name.partition(":")[0] for name in costly} == COSTLY


@pytest.mark.parametrize(("header", "runs"), [("", 1), ("-- Retry: safe\n", ATTEMPTS)])
def test_only_declared_queries_run_again_after_a_lost_connection(
    database: Connection, store: Database, header: str, runs: int
) -> None:
    database.execute("CREATE SEQUENCE runs")  # counts also what is rolled back
    try:
        text = f"{header}SELECT nextval('runs'), pg_terminate_backend(pg_backend_pid())"
        with pytest.raises(Unavailable):
            store.execute(new_query(text))
        assert database.execute("SELECT last_value FROM runs").fetchone() == (runs,)
    finally:
        database.execute("DROP SEQUENCE runs")


def test_missing_value_of_a_parameter_is_an_error() -> None:
    with pytest.raises(KeyError):
        queries.parse("x", "-- $1 a\nSELECT $1").bind({"b": 1})
