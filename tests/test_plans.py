"""Which index serves which query: the plans that every caller gets, on a table of 40,000 tickets"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from tests.postgres import create_database
from tests.tickets import insert_many
from ticketsvc import migrations
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.store import queries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tickets import Connection
    from ticketsvc.embedded.cluster import Cluster

ID = "019b8000-0000-7000-8000-000000000000"
FIRST: dict[str, object] = {
    "limit": 101,
    "categories": list(CATEGORIES),
    "priorities": list(PRIORITIES),
    "statuses": list(STATUSES),
    **dict.fromkeys(["created_since", "created_before", "updated_since", "updated_before", "after_id", "after_key"]),
}
AFTER_KEY = {"updated": "2026-01-05 00:00:00+00", "urgent": "high"}
INDEX = {
    "tickets.list_newest": "tickets_pkey",
    "tickets.list_oldest": "tickets_pkey",
    "tickets.filter_newest": "tickets_facets_created",
    "tickets.filter_oldest": "tickets_facets_created",
    "tickets.filter_updated": "tickets_facets_updated",
    "tickets.filter_urgent": "tickets_facets_created",
}


@pytest.fixture(scope="module")
def large(postgres: Cluster) -> Iterator[Connection]:
    """A database with many tickets, and the settings that the service's connections have."""
    url = create_database(postgres)
    migrations.apply(url)
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        insert_many(connection, 40_000)
        connection.execute("VACUUM ANALYZE tickets")
        connection.execute("SET plan_cache_mode = force_generic_plan")
        connection.execute("SET jit = off")
        connection.prepare_threshold = None
        yield connection


def plan(database: Connection, name: str, values: dict[str, object], analyze: bool = False) -> dict[str, Any]:
    """The plan of a query, prepared as the service prepares it."""
    query = queries.load(name)
    database.execute(f"PREPARE query AS {query.text}".encode())
    bound = [None if value is None else value.decode() for value in query.bind(values)]
    arguments = sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Literal, bound))) if bound else sql.SQL("")
    options = "ANALYZE, BUFFERS, FORMAT JSON" if analyze else "FORMAT JSON"
    explain = sql.SQL("EXPLAIN ({}) EXECUTE query{}").format(sql.SQL(options), arguments)
    row = database.execute(explain).fetchone()
    assert row
    database.execute("DEALLOCATE query")
    found: dict[str, Any] = row[0][0]["Plan"]  # type: ignore[index]
    return found


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan's nodes, from the top."""
    yield node
    for child in node.get("Plans", []):
        yield from nodes(child)


def is_bounded(sort: dict[str, Any]) -> bool:
    """Whether what a node sorts was cut off by a LIMIT before: heads, not the table."""
    return any(node["Node Type"] == "Limit" for node in nodes(sort))


@pytest.mark.parametrize("name", INDEX)
@pytest.mark.parametrize("page", ["first", "later"])
def test_a_page_is_read_along_its_index(large: Connection, name: str, page: str) -> None:
    key = AFTER_KEY.get(name.rpartition("_")[2])
    values = FIRST if page == "first" else {**FIRST, "after_id": ID, "after_key": key}
    found = list(nodes(plan(large, name, values)))
    assert not [node for node in found if node["Node Type"] == "Seq Scan"]
    assert all(is_bounded(node) for node in found if node["Node Type"] in ("Sort", "Incremental Sort"))
    assert INDEX[name] in {node.get("Index Name") for node in found}
    assert {node.get("Index Name") for node in found} <= {INDEX[name], "tickets_pkey", None}


@pytest.mark.parametrize("name", INDEX)
def test_a_later_page_costs_what_the_first_does(large: Connection, name: str) -> None:
    """In blocks of the table and its indexes, which do not depend on the machine."""
    key = AFTER_KEY.get(name.rpartition("_")[2])
    first = _blocks(plan(large, name, FIRST, analyze=True))
    later = _blocks(plan(large, name, {**FIRST, "after_id": ID, "after_key": key}, analyze=True))
    assert later <= 2 * first + 100
    assert first <= 7500


@pytest.mark.parametrize("name", ["tickets.filter_newest", "tickets.filter_urgent", "tickets.filter_updated"])
def test_one_facet_costs_less_than_all(large: Connection, name: str) -> None:
    one = {**FIRST, "categories": ["billing"], "priorities": ["high"], "statuses": ["open"]}
    assert _blocks(plan(large, name, one, analyze=True)) <= 1200


@pytest.mark.parametrize("name", ["tickets.get", "tickets.update", "tickets.delete"])
def test_one_ticket_is_found_by_its_key(large: Connection, name: str) -> None:
    query = queries.load(name)
    found = list(nodes(plan(large, name, {**dict.fromkeys(query.parameters), "id": ID})))
    assert not [node for node in found if node["Node Type"] == "Seq Scan"]
    assert {node.get("Index Name") for node in found} - {None} == {"tickets_pkey"}


@pytest.mark.parametrize("sort", ["newest", "oldest"])
def test_a_search_goes_along_the_key_until_its_page_is_full(large: Connection, sort: str) -> None:
    found = list(nodes(plan(large, f"tickets.search_{sort}", {**FIRST, "pattern": "%Number%"})))
    assert not [node for node in found if node["Node Type"] in ("Seq Scan", "Sort")]


@pytest.mark.parametrize("narrow", [{}, {"statuses": ["open"]}, {"created_since": "2026-01-02T00:00:00Z"}])
def test_an_export_goes_along_the_key(large: Connection, narrow: dict[str, object]) -> None:
    values = {**FIRST, "csv": False, "pattern": None, **narrow}
    with large.transaction():
        large.execute("SET LOCAL enable_sort = off")  # as store/exports.py does
        (found,) = nodes(plan(large, "bulk.export", values))
    assert (found["Node Type"], found["Index Name"]) == ("Index Scan", "tickets_pkey")


def _blocks(node: dict[str, Any]) -> int:
    return int(node["Shared Hit Blocks"]) + int(node["Shared Read Blocks"])
