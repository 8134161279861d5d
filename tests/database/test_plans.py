"""Which index serves which query: the plans that every caller gets, on a table of 40,000 tickets"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from tests.support.tickets import insert_many
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.store import search_index
from ticketsvc.store.postgres import queries
from ticketsvc.store.search_index import NEAR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.tickets import Connection

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
def large(migrated_database: Callable[[], str]) -> Iterator[Connection]:
    """A database with many tickets, and the settings that the service's connections have."""
    with closing(psycopg.connect(migrated_database(), autocommit=True)) as connection:
        insert_many(connection, 40_000)
        tables = "tickets, ticket_texts, ticket_count_deltas, ticket_totals, ticket_days, ticket_counts_15min"
        connection.execute(f"VACUUM ANALYZE {tables}")
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


@pytest.mark.parametrize("name", ["tickets.get", "tickets.update", "tickets.delete", "triage.store_suggestion"])
def test_one_ticket_is_found_by_its_key(large: Connection, name: str) -> None:
    query = queries.load(name)
    found = list(nodes(plan(large, name, {**dict.fromkeys(query.parameters), "id": ID})))
    assert not [node for node in found if node["Node Type"] == "Seq Scan"]
    assert {node.get("Index Name") for node in found} - {None} == {"tickets_pkey"}


ANY_TEXT: dict[str, object] = {
    "search_patterns": [],
    "excluded_patterns": [],
    **search_index.conditions([]),
}
SEARCHED: dict[str, object] = {
    "search_patterns": ["%Number%"],
    "excluded_patterns": [],
    **search_index.effort("newest", ["%Number%"], has_facets=False),
}


NOWHERE: dict[str, object] = {"search_patterns": ["%nowhere%"], "index_patterns": ["%nowhere%"]}


def by_index(found: dict[str, Any]) -> int:
    """How often the index by text is asked."""
    asked = [node["Actual Loops"] for node in nodes(found) if node.get("Index Name") == "ticket_texts_search"]
    assert asked
    return int(sum(asked))


@pytest.mark.parametrize("sort", ["newest", "oldest", "updated", "urgent"])
def test_a_common_word_needs_no_index_by_text(large: Connection, sort: str) -> None:
    found = plan(large, f"tickets.search_{sort}", {**FIRST, **SEARCHED, "near": NEAR[sort]}, analyze=True)
    assert by_index(found) == 0
    assert found["Actual Rows"] == 101


@pytest.mark.parametrize(("sort", "times"), [("newest", 4 + 1), ("oldest", 4 + 1), ("updated", 1), ("urgent", 1)])
def test_the_index_is_asked_at_once_for_what_is_rare(large: Connection, sort: str, times: int) -> None:
    """After a sample of four weeks where the order is that of creation."""
    searched = {**SEARCHED, **NOWHERE, "near": 10, "batches": 1}
    found = plan(large, f"tickets.search_{sort}", {**FIRST, **searched}, analyze=True)
    assert by_index(found) == times
    assert found["Actual Rows"] == 0


@pytest.mark.parametrize("sort", ["newest", "oldest"])
def test_the_index_is_asked_by_the_week_for_what_is_not_rare(large: Connection, sort: str) -> None:
    """Until the page is full: behind the sample, which one week ends, the first of the four weeks fills it."""
    searched = {**SEARCHED, "near": 10, "rare": 1}
    found = plan(large, f"tickets.search_{sort}", {**FIRST, **searched}, analyze=True)
    assert by_index(found) == 1 + 1
    assert found["Actual Rows"] == 101


@pytest.mark.parametrize("sort", ["newest", "oldest"])
def test_what_the_index_cannot_look_up_is_not_asked_of_it(large: Connection, sort: str) -> None:
    """It would read itself from end to end for each week."""
    searched = {**ANY_TEXT, **search_index.effort(sort, [], has_facets=False), "near": 10}
    found = plan(large, f"tickets.search_{sort}", {**FIRST, **searched, "excluded_patterns": ["%number 1%"]}, True)
    assert by_index(found) == 0
    assert found["Actual Rows"] == 101
    assert not [node for node in nodes(found) if node["Node Type"] == "Seq Scan" and node["Actual Loops"]]


def test_few_tickets_with_the_facets_need_no_index_by_text(large: Connection) -> None:
    facets = {"categories": ["billing"], "priorities": ["high"], "statuses": ["open"], "few": 10_000}
    found = plan(large, "tickets.search_newest", {**FIRST, **SEARCHED, **NOWHERE, **facets}, analyze=True)
    assert by_index(found) == 0


def test_a_count_asks_the_index(large: Connection) -> None:
    found = plan(large, "tickets.count_search", {**FIRST, **SEARCHED, **NOWHERE}, analyze=True)
    assert by_index(found) == 1
    assert not [node for node in nodes(found) if node["Node Type"] == "Seq Scan" and node["Actual Loops"]]


WINDOW: dict[str, object] = {"created_since": "2026-01-05", "created_before": "2026-01-06"}


def test_statistics_of_triage_read_their_window_only(large: Connection) -> None:
    found = list(nodes(plan(large, "stats.triage", WINDOW, analyze=True)))
    assert {node["Index Name"] for node in found if node.get("Relation Name") == "tickets"} == {"tickets_pkey"}
    assert _blocks(found[0]) <= 200


def test_examples_are_read_along_the_index_of_corrected_tickets(large: Connection) -> None:
    found = list(nodes(plan(large, "triage.examples", {"text": "charged twice"})))
    assert {node["Index Name"] for node in found if node.get("Relation Name") == "tickets"} == {"tickets_corrected"}


def test_tickets_without_a_suggestion_are_looked_for_along_the_key(large: Connection) -> None:
    values: dict[str, object] = {"after_id": ID, "limit": 200, "characters": 4000}
    found = list(nodes(plan(large, "triage.reclassify_batch", values)))
    assert not [node for node in found if node["Node Type"] in ("Seq Scan", "Sort")]


def test_a_keyed_create_reads_no_whole_table(large: Connection) -> None:
    """Not even while the table of keys is empty: such a plan would stay while it grows."""
    values = dict.fromkeys(queries.load("tickets.create_idempotent").parameters)
    found = list(nodes(plan(large, "tickets.create_idempotent", {**values, "key_hash": ID, "body_hash": ID})))
    assert not [node for node in found if node["Node Type"] == "Seq Scan"]
    assert {node.get("Index Name") for node in found} - {None} == {"idempotency_keys_pkey", "idempotency_keys_created"}
    assert "Tid Scan" in {node["Node Type"] for node in found}


def test_a_page_of_a_history_is_read_along_its_key(large: Connection) -> None:
    ticket = large.execute("SELECT id::text FROM tickets LIMIT 1").fetchone()
    assert ticket
    large.execute("UPDATE tickets SET status = 'closed', version = version + 1 WHERE id <= %s", [ID])
    large.execute("ANALYZE ticket_history")
    found = list(nodes(plan(large, "history.page", {"id": ticket[0], "after_entry": None, "limit": 101})))
    assert {node.get("Index Name") for node in found} - {None} == {"tickets_pkey", "ticket_history_pkey"}
    assert not [node for node in found if node["Node Type"] == "Seq Scan"]


@pytest.mark.parametrize("name", ["stats.headline", "stats.window", "stats.count", "stats.daily", "stats.resolution"])
def test_statistics_read_no_tickets_but_along_an_index(large: Connection, name: str) -> None:
    values = {**FIRST, **ANY_TEXT, "tz": "Europe/Berlin", "since": None, "before": None}
    found = [node for node in nodes(plan(large, name, values)) if node.get("Relation Name") == "tickets"]
    assert not [node for node in found if node["Node Type"] in ("Seq Scan", "Bitmap Heap Scan")]
    assert bool(found) == (name != "stats.daily")


def test_the_headline_reads_few_blocks(large: Connection) -> None:
    assert _blocks(plan(large, "stats.headline", {}, analyze=True)) <= 60


def test_a_window_reads_only_the_tickets_at_its_ends(large: Connection) -> None:
    """Of 40,000 tickets in four weeks those of an hour at either end."""
    window = {"created_since": "2026-01-03T23:00:00Z", "created_before": "2026-01-20T01:00:00Z"}
    found = list(nodes(plan(large, "stats.count", {**FIRST, **window}, analyze=True)))
    read = [node for node in found if node.get("Relation Name") == "tickets"]
    assert [node["Actual Rows"] * node["Actual Loops"] for node in read] == [60, 60]


def test_a_window_costs_what_its_days_do(large: Connection) -> None:
    """Also the oldest and the newest ticket in it are found without a walk over the others."""
    window = {"created_since": "2026-01-20T00:00:00Z", "created_before": "2026-01-21T00:00:00Z"}
    assert _blocks(plan(large, "stats.window", {**FIRST, **window}, analyze=True)) <= 800


def test_resolution_times_are_read_from_an_index_alone(large: Connection) -> None:
    found = list(nodes(plan(large, "stats.resolution", {**FIRST, **ANY_TEXT}, analyze=True)))
    [read] = [node for node in found if node.get("Relation Name") == "tickets" and node["Actual Loops"]]
    assert (read["Node Type"], read["Index Name"]) == ("Index Only Scan", "tickets_resolved")


@pytest.mark.parametrize("narrow", [{}, {"statuses": ["open"]}, {"created_since": "2026-01-02T00:00:00Z"}])
def test_an_export_goes_along_the_key(large: Connection, narrow: dict[str, object]) -> None:
    values = {**FIRST, **ANY_TEXT, "csv": False, **narrow}
    with large.transaction():
        large.execute("SET LOCAL enable_sort = off")  # as store/exports.py does
        found, *searched = nodes(plan(large, "files.export", values))
    assert {node.get("Relation Name") for node in searched} <= {None, "ticket_texts"}
    assert (found["Node Type"], found["Index Name"]) == ("Index Scan", "tickets_pkey")


def _blocks(node: dict[str, Any]) -> int:
    return int(node["Shared Hit Blocks"]) + int(node["Shared Read Blocks"])
