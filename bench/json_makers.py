"""Two ways to make a ticket's JSON: in Postgres, or in Python from dict rows. The same statements, without HTTP."""

from __future__ import annotations

import importlib
import importlib.util
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg.rows import dict_row, tuple_row

from bench.harness import Harness, say
from ticketsvc.config import Config
from ticketsvc.filters import Filters
from ticketsvc.store.cursor import Cursor
from ticketsvc.store.filter_parameters import filter_parameters
from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database
from ticketsvc.store.postgres.queries import Query
from ticketsvc.store.search import PageRow

PAGE = {**filter_parameters(Filters()), **Cursor.start("newest").parameters, "limit": 50}
TICKET = {
    "title": "Charged twice", "description": "The invoice of March shows two payments. " * 8,
    "category": "billing", "priority": "high",
}  # fmt: skip


class CreateRow(NamedTuple):
    """A row of tickets.create."""

    json: bytes
    version: int
    id: str


WORK: dict[str, tuple[Query[Any], dict[str, Any]]] = {
    "list": (queries.load("tickets.list_by_id", PageRow), PAGE),
    "create": (queries.load("tickets.create", CreateRow), TICKET),
}
KEYS = ["id", "title", "description", "category", "priority", "status", "created_at", "updated_at", "version"]

Maker = Callable[[Query[Any], dict[str, Any]], bytes]


@dataclass
class Makers:
    """Functions that run a statement and return a JSON array."""

    database: Database
    connection: psycopg.Connection[Any]

    def as_served(self, query: Query[Any], values: dict[str, Any]) -> bytes:
        """Let Postgres write the JSON; run the statement as ticketsvc.store does."""
        return _array([row.json for row in self.database.rows(query, values)])

    def with_cursor(self, query: Query[Any], values: dict[str, Any]) -> bytes:
        """Let Postgres write the JSON; run the statement with a cursor of psycopg."""
        cursor = psycopg.RawCursor(self.connection, row_factory=tuple_row)
        cursor.execute(query.text, [values[name] for name in query.parameters], prepare=True)
        return _array([row[0].encode() for row in cursor])

    def with_json(self, query: Query[Any], values: dict[str, Any]) -> bytes:
        """Convert dict rows from a cursor of psycopg with json.dumps."""
        return json.dumps(self._rows(query, values), ensure_ascii=False, default=_plain).encode()

    def with_orjson(self, query: Query[Any], values: dict[str, Any]) -> bytes:
        """Convert dict rows from a cursor of psycopg with orjson."""
        orjson = importlib.import_module("orjson")  # not among the requirements: measured where it is installed
        rows = self._rows(query, values)
        return bytes(orjson.dumps(rows, _plain, orjson.OPT_PASSTHROUGH_DATETIME))

    def _rows(self, query: Query[Any], values: dict[str, Any]) -> list[dict[str, Any]]:
        table = "tickets" if "INSERT" in query.text else "t"
        columns = ", ".join(f"{table}.{key}" for key in KEYS)
        text = (
            query.text.replace(f"ticket_json({table})", columns, 1)
            .replace(f"{columns}, version, id", columns)
            .replace(", t.id, NULL", "")
        )
        cursor = psycopg.RawCursor(self.connection, row_factory=dict_row)
        return cursor.execute(text, [values[name] for name in query.parameters], prepare=True).fetchall()


def measure(harness: Harness, rounds: int, calls: int) -> str:
    """Call each maker `calls` times per round, in turns, on one connection each. Returns a Markdown table."""
    server = harness.known["ours"]
    url = harness.url("ours", server)
    figures: dict[tuple[str, str], list[list[float]]] = {}
    database = Database(Config(database_url=url, pool_size=2))
    with harness.restored("ours", server):
        try:
            database.pool.open()
            with database.pool.connection() as connection:  # with the service's settings
                makers = _makers(Makers(database, connection))
                _compare_pages(makers)
                for _ in range(rounds):
                    for work in WORK:
                        for name, make in makers.items():
                            found = _measure(harness, make, work, calls)
                            figures.setdefault((work, name), []).append(found)
                            say(f"{work:8} {name:36} {found[0]:7.1f} us")
        finally:
            database.close()
    lines = [
        "| op | JSON by | us a call | Python CPU s/1000 | Postgres CPU s/1000 |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for (work, name), group in figures.items():
        wall, python, postgres = (median(column) for column in zip(*group, strict=True))
        lines.append(f"| {work} | {name} | {wall:.0f} | {python:.3f} | {postgres:.3f} |")
    return "\n".join(lines)


def _makers(makers: Makers) -> dict[str, Maker]:
    found: dict[str, Maker] = {
        "Postgres, as the service runs it": makers.as_served,
        "Postgres, psycopg's cursor": makers.with_cursor,
        "dict rows, json.dumps": makers.with_json,
    }
    if importlib.util.find_spec("orjson"):
        found["dict rows, orjson"] = makers.with_orjson
    return found


def _compare_pages(makers: dict[str, Maker]) -> None:
    pages = {name: json.loads(make(*WORK["list"])) for name, make in makers.items()}
    first = next(iter(pages.values()))
    for name, page in pages.items():
        if page != first:
            raise SystemExit(f"{name} returns another page: {page[:1]} instead of {first[:1]}")


def _measure(harness: Harness, make: Maker, work: str, calls: int) -> list[float]:
    """Return microseconds per call, and CPU seconds per 1,000 calls of this process and of Postgres."""
    query, values = WORK[work]
    for _ in range(50):
        make(query, values)
    postgres, python, started = harness.cpu(harness.postgres_pid), time.process_time(), time.perf_counter()
    for _ in range(calls):
        make(query, values)
    wall, python = time.perf_counter() - started, time.process_time() - python
    postgres = harness.cpu(harness.postgres_pid) - postgres
    return [wall / calls * 1e6, python / calls * 1000, postgres / calls * 1000]


def _array(tickets: list[bytes]) -> bytes:
    return b"[" + b",".join(tickets) + b"]"


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert isinstance(value, UUID)
    return str(value)
