"""Query plans: which index serves which query, on a table of 40,000 tickets."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from tests.support.locks import wait_until
from tests.support.tickets import insert_many
from ticketsvc.config import Config
from ticketsvc.filters import Filters
from ticketsvc.store import bulk_update, claims, search
from ticketsvc.store.bounded_page import PAGE_BYTES
from ticketsvc.store.cursor import Cursor
from ticketsvc.store.filter_parameters import filter_parameters, variant
from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database
from ticketsvc.validation.search_words import SearchWords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.support.tickets import Connection

ID = "019b8000-0000-7000-8000-000000000000"
ALL = filter_parameters(Filters())
SIZES = {"row_bytes": PAGE_BYTES // 101, "measured_bytes": 0}
"""The values of the parameters of a query without filters."""
INDEX = {
    "tickets.list_by_id": "tickets_pkey",
    "tickets.list_by_id:oldest": "tickets_pkey",
    "tickets.filter": "tickets_facets_created",
    "tickets.filter:oldest": "tickets_facets_created",
    "tickets.filter:updated": "tickets_facets_updated",
    "tickets.filter:urgent": "tickets_facets_created",
}
SORT = {
    "tickets.list_by_id": "newest",
    "tickets.list_by_id:oldest": "oldest",
    "tickets.filter": "newest",
    "tickets.filter:oldest": "oldest",
    "tickets.filter:updated": "updated",
    "tickets.filter:urgent": "urgent",
}
AFTER_KEY = {"updated": "2026-01-05 00:00:00+00", "urgent": "high"}


def first(sort: str) -> dict[str, object]:
    """Return the parameters of the first page."""
    start = Cursor.start(sort)
    return {**ALL, **SIZES, "limit": 101, "after_id": start.id, "after_key": start.key}


def later(sort: str) -> dict[str, object]:
    """Return the parameters of a page in the middle."""
    return {**ALL, **SIZES, "limit": 101, "after_id": ID, "after_key": AFTER_KEY.get(sort)}


def vacuum(database: Connection, *tables: str) -> None:
    """Vacuum tables, again while another session holds this up: what index-only scans read must not depend on that."""

    def is_done() -> bool:
        database.execute(f"VACUUM ANALYZE {', '.join(tables)}".encode())
        visible = "SELECT bool_and(relallvisible = relpages) FROM pg_class WHERE oid = ANY (%s::regclass[])"
        return database.execute(visible, [list(tables)]).fetchone() == (True,)

    wait_until(is_done)


@pytest.fixture(scope="module")
def large(migrated_database: Callable[[], str]) -> Iterator[Connection]:
    """Return a connection to a database with many tickets, with the settings of the service's connections."""
    with closing(psycopg.connect(migrated_database(), autocommit=True)) as connection:
        insert_many(connection, 40_000)
        vacuum(connection, "tickets", "ticket_texts", "ticket_count_deltas")
        vacuum(connection, "ticket_totals", "ticket_days", "ticket_counts_15min")
        connection.execute("SET plan_cache_mode = force_generic_plan")
        connection.execute("SET jit = off")
        connection.prepare_threshold = None
        yield connection


def plan(database: Connection, name: str, values: dict[str, object], analyze: bool = False) -> dict[str, Any]:
    """Return the plan of a query file, prepared as the service prepares it."""
    file, _, variant = name.partition(":")
    return explain(database, queries.load(file, bytes, variant), values, analyze)


def explain(
    database: Connection, query: queries.Query[Any], values: Mapping[str, object], analyze: bool
) -> dict[str, Any]:
    """Return the plan of a query."""
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
    """Yield a plan's nodes from the top."""
    yield node
    for child in node.get("Plans", []):
        yield from nodes(child)


def is_bounded(sort: dict[str, Any]) -> bool:
    """Return whether a LIMIT bounds the input of a sort: it sorts heads, or those of a CTE, not the table."""
    return any(node["Node Type"] in ("Limit", "CTE Scan") for node in nodes(sort))


@pytest.mark.parametrize("name", INDEX)
@pytest.mark.parametrize("page", ["first", "later"])
def test_page_is_read_along_its_index(large: Connection, name: str, page: str) -> None:
    values = first(SORT[name]) if page == "first" else later(SORT[name])
    found = list(nodes(plan(large, name, values)))
    assert not [node for node in found if node["Node Type"] == "Seq Scan"]
    assert all(is_bounded(node) for node in found if node["Node Type"] in ("Sort", "Incremental Sort"))
    assert INDEX[name] in {node.get("Index Name") for node in found}
    assert {node.get("Index Name") for node in found} <= {INDEX[name], "tickets_pkey", None}


@pytest.mark.parametrize("name", INDEX)
def test_later_page_costs_the_same_as_the_first(large: Connection, name: str) -> None:
    """In blocks of the table and its indexes, which do not depend on the machine."""
    first_blocks = _blocks(plan(large, name, first(SORT[name]), analyze=True))
    later_blocks = _blocks(plan(large, name, later(SORT[name]), analyze=True))
    assert later_blocks <= 2 * first_blocks + 100
    assert first_blocks <= 7500


@pytest.mark.parametrize("name", ["tickets.filter", "tickets.filter:urgent", "tickets.filter:updated"])
def test_one_facet_costs_less_than_all(large: Connection, name: str) -> None:
    one = {**first(SORT[name]), "categories": ["billing"], "priorities": ["high"], "statuses": ["open"]}
    assert _blocks(plan(large, name, one, analyze=True)) <= 1200


@pytest.mark.parametrize("name", ["tickets.get", "tickets.update", "tickets.delete", "triage.store_suggestion"])
def test_one_ticket_is_found_by_its_key(large: Connection, name: str) -> None:
    query = queries.load(name)
    found = list(nodes(plan(large, name, {**dict.fromkeys(query.parameters), "id": ID})))
    assert not [node for node in found if node["Node Type"] == "Seq Scan"]
    assert {node.get("Index Name") for node in found} - {None} == {"tickets_pkey"}


class ExplainingDatabase(Database):
    """The service's database, which also keeps the plan of each statement and the names of the queries."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(Config(database_url=connection.info.dsn))
        self.connection = connection
        self.queries: list[str] = []
        self.plans: list[dict[str, Any]] = []

    def rows(
        self, query: queries.Query[queries.Row], values: Mapping[str, object] = {}, is_costly: bool = False
    ) -> list[queries.Row]:
        """Explain and run a query."""
        self.queries.append(query.name)
        self.plans.append(explain(self.connection, query, values, analyze=True))
        return super().rows(query, values, is_costly)

    def index_scans(self, condition: str = "") -> int:
        """Return how often the index by text was scanned, with a condition that contains this text."""
        scans = [
            node for found in self.plans for node in nodes(found) if node.get("Index Name") == "ticket_texts_search"
        ]
        found = [node for node in scans if condition in node["Index Cond"]]
        return int(sum(node["Actual Loops"] for node in found))


@pytest.fixture
def explained(large: Connection) -> Iterator[ExplainingDatabase]:
    """Return a database that keeps the plans of its statements."""
    database = ExplainingDatabase(large)
    yield database
    database.close()


def find(database: Database, sort: str, include: str, exclude: str = "", filters: Filters = Filters()) -> int:  # noqa: B008
    """Return the number of tickets on the first page of a search."""
    words = SearchWords((include,) if include else (), (exclude,) if exclude else ())
    return len(search.find(database, replace(filters, search=words), 101, Cursor.start(sort)))


@pytest.fixture
def short_scans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let searches scan few tickets before they use the index by text."""
    monkeypatch.setattr(search, "SCAN_LIMIT", 10)
    monkeypatch.setattr(search, "KEY_SCANS", 1)
    monkeypatch.setattr(search, "MAX_KEY_SCANS", 1)


SCANS = {
    "newest": "tickets.search_scan",
    "oldest": "tickets.search_scan:oldest",
    "updated": "tickets.search_by_key:updated",
    "urgent": "tickets.search_by_key:urgent",
}


@pytest.mark.parametrize("sort", SCANS)
def test_common_word_needs_one_scan_and_no_text_index(explained: ExplainingDatabase, sort: str) -> None:
    assert find(explained, sort, "Number") == 101
    assert explained.queries == [SCANS[sort]]
    assert explained.index_scans() == 0


@pytest.mark.usefixtures("short_scans")
@pytest.mark.parametrize("sort", SCANS)
def test_rare_word_is_looked_up_in_all_weeks_at_once(explained: ExplainingDatabase, sort: str) -> None:
    """After a sample of four weeks."""
    assert find(explained, sort, "nowhere") == 0
    assert explained.index_scans() == 4 + 1


PAIRS = ["日本", "한국", "จอ", "नम", "bị", "ПР", "é", "エラー"]
"""Words that pg_trgm cannot find in every locale, and mostly in none."""


@pytest.mark.usefixtures("short_scans")
@pytest.mark.parametrize("word", PAIRS)
@pytest.mark.parametrize("sort", SCANS)
def test_few_letters_beyond_ascii_are_looked_up_by_pairs(explained: ExplainingDatabase, sort: str, word: str) -> None:
    assert find(explained, sort, word) == 0
    assert explained.index_scans("search_pairs") == 4 + 1 == explained.index_scans()


@pytest.mark.parametrize("word", PAIRS)
def test_count_finds_pairs_with_the_text_index(large: Connection, word: str) -> None:
    values = filter_parameters(Filters(search=SearchWords((word,))))
    found = list(nodes(plan(large, "tickets.count_search", values, analyze=True)))
    assert sum(node["Actual Loops"] for node in found if "search_pairs" in node.get("Index Cond", "")) == 1
    assert not [node for node in found if node["Node Type"] == "Seq Scan" and node["Actual Loops"]]


@pytest.mark.usefixtures("short_scans")
@pytest.mark.parametrize(("sort", "weeks"), [("newest", 1), ("oldest", 1), ("updated", 4), ("urgent", 1)])
def test_other_words_are_looked_up_week_by_week(
    explained: ExplainingDatabase, sort: str, weeks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the page is full: after the sample, which one week ends, the first of the four weeks fills it.

    That is the first week of the first priority for the most urgent. By last change all weeks are looked at: of the
    first, the tickets that fill the page, and of the others only those that were changed later, which are none.
    """
    monkeypatch.setattr(search, "RARE_HITS", 1)
    monkeypatch.setattr(search, "KEY_SCAN_LIMIT", 1)
    assert find(explained, sort, "Number") == 101
    assert explained.index_scans() == 1 + weeks
    texts = [
        node for found in explained.plans for node in nodes(found) if node.get("Index Name") == "ticket_texts_pkey"
    ]
    assert sum(node["Actual Rows"] * node["Actual Loops"] for node in texts) < 10 * 101


@pytest.mark.usefixtures("short_scans")
def test_a_busy_week_is_read_along_the_index_by_id(
    explained: ExplainingDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index by last change has its tickets anywhere."""
    monkeypatch.setattr(search, "RARE_HITS", 1)
    monkeypatch.setattr(search, "KEY_SCAN_LIMIT", 1)
    assert find(explained, "updated", "Number") == 101
    read = {node["Index Name"] for node in nodes(explained.plans[-1]) if "facets" in node.get("Index Name", "")}
    assert read == {"tickets_facets_created"}


def test_promising_scans_go_on(explained: ExplainingDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few of a hundred tickets have the word, everywhere: what the index finds is not read."""
    monkeypatch.setattr(search, "KEY_SCAN_LIMIT", 20)
    monkeypatch.setattr(search, "KEY_SCANS", 1)
    assert find(explained, "updated", "77") == 101
    assert find(explained, "urgent", "77") == 101
    assert not [name for name in explained.queries if "search_by_key" not in name]
    assert explained.index_scans() == 0


@pytest.mark.usefixtures("short_scans")
@pytest.mark.parametrize("sort", ["newest", "oldest"])
def test_search_that_the_index_cannot_serve_scans_on(explained: ExplainingDatabase, sort: str) -> None:
    """The index would be read from end to end for each week."""
    assert find(explained, sort, "", "number 1") == 101
    assert explained.queries == [SCANS[sort]] * 2
    assert explained.index_scans() == 0
    executed = [node for found in explained.plans for node in nodes(found) if node["Actual Loops"]]
    assert not [node for node in executed if node["Node Type"] == "Seq Scan"]


def test_few_tickets_with_the_facets_need_no_text_index(explained: ExplainingDatabase) -> None:
    facets = Filters(categories=("billing",), priorities=("high",), statuses=("open",))
    assert find(explained, "newest", "nowhere", filters=facets) == 0
    assert explained.queries == ["tickets.search_scan", "tickets.search_facets"]
    assert explained.index_scans() == 0


def test_count_uses_the_text_index(large: Connection) -> None:
    values = filter_parameters(Filters(search=SearchWords(("nowhere",))))
    found = list(nodes(plan(large, "tickets.count_search", values, analyze=True)))
    assert sum(node["Actual Loops"] for node in found if node.get("Index Name") == "ticket_texts_search") == 1
    assert not [node for node in found if node["Node Type"] == "Seq Scan" and node["Actual Loops"]]


WINDOW: dict[str, object] = {"created_since": "2026-01-05", "created_before": "2026-01-06"}


def test_triage_statistics_read_only_their_window(large: Connection) -> None:
    found = list(nodes(plan(large, "stats.triage", WINDOW, analyze=True)))
    assert {node["Index Name"] for node in found if node.get("Relation Name") == "tickets"} == {"tickets_pkey"}
    assert _blocks(found[0]) <= 200


def test_examples_are_read_along_the_index_of_corrected_tickets(large: Connection) -> None:
    found = list(nodes(plan(large, "triage.examples", {"text": "charged twice"})))
    assert {node["Index Name"] for node in found if node.get("Relation Name") == "tickets"} == {"tickets_corrected"}


def test_what_keys_taught_is_looked_up_by_word(large: Connection) -> None:
    found = list(nodes(plan(large, "triage.key_counts", {"text": "charged twice"})))
    read = {node["Node Type"] for node in found if node.get("Relation Name") == "triage_author_counts"}
    assert read <= {"Index Scan", "Bitmap Heap Scan"}


def test_tickets_without_a_suggestion_are_read_along_the_key(large: Connection) -> None:
    values: dict[str, object] = {"after_id": ID, "limit": 200, "characters": 4000}
    found = list(nodes(plan(large, "triage.reclassify_batch", values)))
    assert not [node for node in found if node["Node Type"] in ("Seq Scan", "Sort")]


def test_idempotent_create_reads_no_whole_table(large: Connection) -> None:
    """Not even while the table of idempotency keys is empty: a generic plan stays while the table grows."""
    values = dict.fromkeys(queries.load("tickets.create_idempotent").parameters)
    found = list(nodes(plan(large, "tickets.create_idempotent", {**values, "key_hash": ID, "body_hash": ID})))
    assert not [node for node in found if node["Node Type"] == "Seq Scan"]
    assert {node.get("Index Name") for node in found} - {None} == {"idempotency_keys_pkey"}


def test_pruning_of_idempotency_records_reads_no_whole_table(large: Connection) -> None:
    large.execute(
        "INSERT INTO idempotency_records (key_hash, body_hash, ticket_id, response)"
        " SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), repeat('-', 99) FROM generate_series(1, 9999)"
    )
    large.execute("ANALYZE idempotency_records")
    found = list(nodes(plan(large, "tickets.prune_idempotency_records", {})))
    assert not [node for node in found if node["Node Type"] == "Seq Scan"]
    assert {node.get("Index Name") for node in found} - {None} == {"idempotency_keys_created"}
    assert "Tid Scan" in {node["Node Type"] for node in found}


def test_history_page_is_read_along_its_key(large: Connection) -> None:
    ticket = large.execute("SELECT id::text FROM tickets LIMIT 1").fetchone()
    assert ticket
    large.execute("UPDATE tickets SET status = 'closed', version = version + 1 WHERE id <= %s", [ID])
    large.execute("ANALYZE ticket_history")
    values: dict[str, object] = {"id": ticket[0], "after_entry": None, "limit": 101, "page_bytes": PAGE_BYTES}
    found = list(nodes(plan(large, "history.page", {**values, "without_internal": True})))
    assert {node.get("Index Name") for node in found} - {None} == {"tickets_pkey", "ticket_history_pkey"}
    assert not [node for node in found if node["Node Type"] == "Seq Scan"]


@pytest.mark.parametrize(
    "name", ["stats.headline", "stats.window", "stats.count", "stats.daily", "stats.resolution", "stats.durations"]
)
def test_statistics_read_tickets_only_along_an_index(large: Connection, name: str) -> None:
    values = {**ALL, "is_index_only": True, "tz": "Europe/Berlin", "since": None, "before": None}
    found = [node for node in nodes(plan(large, name, values)) if node.get("Relation Name") == "tickets"]
    assert not [node for node in found if node["Node Type"] in ("Seq Scan", "Bitmap Heap Scan")]
    assert bool(found) == (name != "stats.daily")


def test_headline_reads_few_blocks(large: Connection) -> None:
    assert _blocks(plan(large, "stats.headline", {}, analyze=True)) <= 60


def test_window_reads_only_the_tickets_at_its_ends(large: Connection) -> None:
    """Of 40,000 tickets in four weeks it reads those of one hour at either end."""
    window = {"created_since": "2026-01-03T23:00:00Z", "created_before": "2026-01-20T01:00:00Z"}
    found = list(nodes(plan(large, "stats.count", {**ALL, **window}, analyze=True)))
    read = [node for node in found if node.get("Relation Name") == "tickets"]
    assert [node["Actual Rows"] * node["Actual Loops"] for node in read] == [60, 60]


def test_window_costs_what_its_days_cost(large: Connection) -> None:
    """Its oldest and newest tickets are found without reading those in between."""
    window = {"created_since": "2026-01-20T00:00:00Z", "created_before": "2026-01-21T00:00:00Z"}
    assert _blocks(plan(large, "stats.window", {**ALL, **window}, analyze=True)) <= 800


def test_resolution_times_are_read_from_an_index_alone(large: Connection) -> None:
    found = list(nodes(plan(large, "stats.resolution", {**ALL, "is_index_only": True}, analyze=True)))
    [read] = [node for node in found if node.get("Relation Name") == "tickets" and node["Actual Loops"]]
    assert (read["Node Type"], read["Index Name"]) == ("Index Only Scan", "tickets_resolution_times")


@pytest.fixture
def timed(large: Connection) -> Iterator[Connection]:
    """Return the connection while the times of resolution differ: from 1 to 60 minutes."""
    with large.transaction(force_rollback=True):
        large.execute(
            "UPDATE tickets SET resolved_at = created_at + interval '1 minute' * (1 + date_part('minute', created_at))"
            " WHERE resolved_at IS NOT NULL"
        )
        yield large


WINDOWS: list[dict[str, object]] = [
    {},
    {"created_since": "2026-01-03T00:00:00Z", "created_before": "2026-01-20T12:00:00Z"},
]


def test_percentiles_are_read_from_one_bucket(timed: Connection) -> None:
    """Of 20,000 resolved tickets, and from an index alone."""
    for window in WINDOWS:
        found = list(nodes(plan(timed, "stats.durations", {**ALL, **window}, analyze=True)))
        read = [node for node in found if node.get("Relation Name") == "tickets" and node["Actual Loops"]]
        assert {(node["Node Type"], node["Index Name"]) for node in read} == {
            ("Index Only Scan", "tickets_resolution_times")
        }
        assert sum(node["Actual Rows"] * node["Actual Loops"] for node in read) < 15_000


@pytest.mark.parametrize("narrow", [{}, {"statuses": ["open"]}, {"created_since": "2026-01-02T00:00:00Z"}])
def test_export_is_read_along_the_key(large: Connection, narrow: dict[str, object]) -> None:
    values = {**ALL, "csv": False, **narrow}
    with large.transaction():
        large.execute("SET LOCAL enable_sort = off")  # as store/exports.py does
        found, *searched = nodes(plan(large, "files.export", values))
    assert {node.get("Relation Name") for node in searched} <= {None, "ticket_texts", "comments"}
    assert (found["Node Type"], found["Index Name"]) == ("Index Scan", "tickets_pkey")


# --- people, tags and metadata

ATTRIBUTED = """
    INSERT INTO tickets (title, description, created_at, category, priority, status, resolved_at,
        requester, assignee, tags, metadata)
    SELECT 'Ticket ' || n, 'Number ' || n, '2026-01-01T00:00:00Z'::timestamptz + n * '1 minute'::interval,
        (enum_range(NULL::ticket_category))[1 + n % 4],
        (enum_range(NULL::ticket_priority))[1 + n / 4 % 4],
        (enum_range(NULL::ticket_status))[1 + n / 16 % 4],
        CASE WHEN n / 16 % 4 > 1 THEN '2026-01-01Z'::timestamptz + n * '1 minute'::interval END,
        'user' || n % 13333 || '@example.com',
        CASE WHEN n / 64 % 5 < 2 THEN 'agent' || n / 64 % 20 END,
        nullif(array_remove(ARRAY[
            CASE WHEN n / 64 % 2 = 0 THEN 'half' END, CASE WHEN n % 4001 = 0 THEN 'rare' END,
            CASE WHEN n / 64 % 3 = 0 THEN 'third' END
        ], NULL), '{}'),
        CASE WHEN n / 64 % 3 = 1 THEN jsonb_build_object('plan', 'p' || n / 64 % 4, 'account', (n % 9999)::text) END
    FROM generate_series(1, 40000) AS n
"""
BY_ATTRIBUTE = {
    "requester": Filters(requesters=("User77@example.com",)),
    "requesters": Filters(requesters=tuple(f"user{n}@example.com" for n in range(20))),
    "assignee": Filters(assignees=("AGENT5",)),
    "assigned": Filters(is_assigned=True),
    "unassigned": Filters(is_assigned=False),
    "rare tag": Filters(tags=("rare",)),
    "frequent tag": Filters(tags=("half",)),
    "one of the tags": Filters(tags=("half", "rare", "third")),
    "all tags": Filters(all_tags=("half", "third")),
    "metadata": Filters(metadata=(("plan", ("p1",)),)),
    "two members of metadata": Filters(metadata=(("account", ("7", "8")), ("plan", ("p1",)))),
    "frequent tag, requester": Filters(tags=("half",), requesters=("user77@example.com",)),
    "frequent tag, unassigned": Filters(tags=("half",), is_assigned=False),
    "frequent tag, assignee, open": Filters(tags=("half",), assignees=("agent5",), statuses=("open",)),
    "unassigned, open": Filters(is_assigned=False, statuses=("open",)),
    "unassigned, window": Filters(is_assigned=False, updated_since="2026-01-10T00:00:00+00:00"),
    "frequent tag, window": Filters(tags=("half",), updated_since="2026-01-10T00:00:00+00:00"),
    "nobody": Filters(requesters=("nobody",)),
}
FEW = ["requester", "rare tag", "two members of metadata", "frequent tag, requester", "nobody"]
"""Filters that fewer than 20 tickets match."""
EACH_ORDER = {"newest": "created", "oldest": "created", "updated": "updated", "urgent": "created"}


@pytest.fixture(scope="module")
def attributed(migrated_database: Callable[[], str]) -> Iterator[Connection]:
    """Return a connection to a database with many tickets that have people, tags and metadata."""
    with closing(psycopg.connect(migrated_database(), autocommit=True)) as connection:
        connection.execute(ATTRIBUTED.encode())
        vacuum(connection, "tickets", "ticket_attributes", "ticket_texts")
        connection.execute('SELECT rarest_attributes(\'[["a"], ["b"]]\')')  # reads blocks of the catalog once
        connection.execute("SET plan_cache_mode = force_generic_plan")
        connection.execute("SET jit = off")
        connection.prepare_threshold = None
        yield connection


def read_tables(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the nodes of a plan that read tickets or their attributes."""
    return [node for node in nodes(found) if node.get("Relation Name") in ("tickets", "ticket_attributes")]


def list_plan(database: Connection, name: str, sort: str, page: str, analyze: bool = False) -> dict[str, Any]:
    """Return the plan of a page of the tickets that match filters by attributes."""
    filters = BY_ATTRIBUTE[name]
    values = {**(first(sort) if page == "first" else later(sort)), **filter_parameters(filters)}
    return explain(database, search.FILTER[variant(filters), sort], values, analyze)


@pytest.mark.parametrize("sort", EACH_ORDER)
@pytest.mark.parametrize("page", ["first", "later"])
def test_filters_by_several_attributes_look_at_little_more_than_a_page(
    attributed: Connection, sort: str, page: str
) -> None:
    """Both tags are frequent: the page of each combination of facets, of which there are 64, would be looked at."""
    values = {
        **(first(sort) if page == "first" else later(sort)),
        **filter_parameters(Filters(all_tags=("half", "third"))),
    }
    query, limits, _ = next(search.list_plan(sort, 51, Filters(all_tags=("half", "third"))))
    found = explain(attributed, query, {**values, **limits, "limit": 51}, analyze=True)
    assert not [node for node in nodes(found) if node["Node Type"] == "Seq Scan"]
    looked_at = [node["Actual Loops"] for node in nodes(found) if node.get("Index Name") == "tickets_pkey"]
    assert len(looked_at) == 2  # of the scan, and of the page
    assert max(looked_at) <= 3 * 51


@pytest.mark.parametrize("name", BY_ATTRIBUTE)
@pytest.mark.parametrize("sort", EACH_ORDER)
@pytest.mark.parametrize("page", ["first", "later"])
def test_page_by_attribute_is_read_along_its_index(attributed: Connection, name: str, sort: str, page: str) -> None:
    found = list_plan(attributed, name, sort, page)
    if variant(BY_ATTRIBUTE[name]) == "unassigned":
        index = f"tickets_unassigned_{EACH_ORDER[sort]}"
    else:
        index = {"created": "ticket_attributes_pkey", "updated": "ticket_attributes_updated"}[EACH_ORDER[sort]]
    assert {node.get("Index Name") for node in read_tables(found)} == {index, "tickets_pkey"}
    assert not [node for node in nodes(found) if node["Node Type"] in ("Seq Scan", "Bitmap Heap Scan")]
    assert all(is_bounded(node) for node in nodes(found) if node["Node Type"] in ("Sort", "Incremental Sort"))


@pytest.mark.parametrize("name", BY_ATTRIBUTE)
@pytest.mark.parametrize("sort", EACH_ORDER)
def test_page_by_attribute_costs_little_wherever_it_is(attributed: Connection, name: str, sort: str) -> None:
    """A tag on half of the tickets costs what all tickets do, a rare one less."""
    first_blocks = _blocks(list_plan(attributed, name, sort, "first", analyze=True))
    later_blocks = _blocks(list_plan(attributed, name, sort, "later", analyze=True))
    assert later_blocks <= 2 * first_blocks + 100
    filters = BY_ATTRIBUTE[name]
    is_probed = filter_parameters(filters)["has_more_groups"]  # each ticket is looked up until the page is full
    heads = 7500 * len(filters.tags or "1")
    assert first_blocks <= (1000 if name in FEW else 60_000 if is_probed or filters.updated_since else heads)


@pytest.mark.parametrize("sort", EACH_ORDER)
@pytest.mark.parametrize("filters", [Filters(), Filters(tags=("half", "third")), Filters(is_assigned=False)])
def test_merged_heads_read_little_more_than_a_page(attributed: Connection, filters: Filters, sort: str) -> None:
    """A short head of each of the 64 combinations of facets, and more only where it ends within the page."""
    values = {**first(sort), **filter_parameters(filters), "limit": 51}
    found = explain(attributed, search.FILTER[variant(filters), sort], values, analyze=True)
    read = sum(node["Actual Rows"] * node["Actual Loops"] for node in read_tables(found))
    assert read <= 64 * 7 * len(filters.tags or "1") + 14 * 51


@pytest.mark.parametrize(
    "filters",
    [Filters(), Filters(is_assigned=False), Filters(tags=("half", "third")), Filters(all_tags=("half", "third"))],
)
def test_old_window_is_read_by_creation_and_sorted_by_last_change(
    attributed: Connection, filters: Filters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest 26 of 28 days come first in the index by last change. A larger window is read along that."""
    window = replace(filters, created_since="2026-01-02T00:00Z", created_before="2026-01-03T00:00Z")
    with closing(ExplainingDatabase(attributed)) as database:
        found = search.find(database, window, 51, Cursor.start("updated"))
        read = sum(node["Actual Rows"] * node["Actual Loops"] for node in read_tables(database.plans[0]))
        assert (len(database.plans), len(found)) == (1, 51)
        assert read <= 2 * 1440 + 1000
        later = search.find(database, window, 30, found[20].cursor("updated"))
        assert later == found[21:51]
        monkeypatch.setattr(search, "WINDOW_LIMIT", 100)
        assert search.find(database, window, 51, Cursor.start("updated")) == found


@pytest.mark.parametrize("name", BY_ATTRIBUTE)
@pytest.mark.parametrize("query", ["tickets.count_heads", "stats.selection", "stats.resolution", "files.export"])
def test_figures_by_attribute_read_no_whole_table(attributed: Connection, name: str, query: str) -> None:
    filters = BY_ATTRIBUTE[name]
    values = {**filter_parameters(filters), "is_index_only": False, "csv": False}
    with attributed.transaction():
        if query == "files.export":
            attributed.execute("SET LOCAL enable_sort = off")  # as store/exports.py does
        found = plan(attributed, f"{query}:{variant(filters)}", values, analyze=True)
    read = [node for node in read_tables(found) if node["Actual Loops"]]
    assert {node["Node Type"] for node in read} <= {"Index Scan", "Index Only Scan"}
    narrow = "tickets_unassigned_" if variant(filters) == "unassigned" else "ticket_attributes_"
    assert all(node["Index Name"].startswith((narrow, "tickets_pkey", "tickets_resolution_times")) for node in read)
    if query == "files.export":
        assert not [node for node in nodes(found) if node["Node Type"] == "Sort"]
    if name in FEW:
        assert _blocks(found) <= 1000


@pytest.mark.parametrize("name", ["unassigned", "frequent tag", "rare tag", "all tags", "frequent tag, requester"])
def test_claim_reads_few_candidates_and_locks_the_first_by_its_key(attributed: Connection, name: str) -> None:
    """Not more than the heads of the combinations of facets, whatever part of the table matches."""
    filters = replace(BY_ATTRIBUTE[name], statuses=("open",), is_assigned=False)
    values = {**filter_parameters(filters), "assignee": "kim", "author": " ", "head_limit": claims.HEAD_LIMIT}
    with attributed.transaction(force_rollback=True):
        found = explain(attributed, claims._CLAIM[variant(filters)], values, analyze=True)
    read = [node for node in read_tables(found) if node["Actual Loops"] and "Index Name" in node]
    head = "tickets_unassigned_created" if name == "unassigned" else "ticket_attributes_pkey"
    assert {head} <= {node["Index Name"] for node in read} <= {head, "tickets_pkey"}
    assert not [
        node for node in nodes(found) if node["Node Type"] in ("Seq Scan", "Bitmap Heap Scan") and node["Actual Loops"]
    ]
    [locked] = [node for node in nodes(found) if node["Node Type"] == "LockRows"]
    assert round(locked["Actual Rows"] * locked["Actual Loops"]) <= 1  # the plan has an average, rounded
    assert _blocks(found) <= 12_000


def test_claim_takes_only_tickets_of_the_window_of_changes_for_candidates(attributed: Connection) -> None:
    """Otherwise it would read all tickets, in ever larger heads, when few of them were changed in the window."""
    filters = replace(
        BY_ATTRIBUTE["unassigned"], statuses=("open",), is_assigned=False, updated_since="2100-01-01T00:00Z"
    )
    values = {**filter_parameters(filters), "assignee": "kim", "author": " ", "head_limit": claims.HEAD_LIMIT}
    with attributed.transaction(force_rollback=True):
        found = explain(attributed, claims._CLAIM[variant(filters)], values, analyze=True)
    assert found["Actual Rows"] == 0  # a row asks for a larger head


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize("name", ["open", "unassigned", "rare tag", "frequent tag, requester"])
def test_bulk_update_reads_no_whole_table(attributed: Connection, name: str, dry_run: bool) -> None:
    """It stops at one ticket more than may match, and changes tickets by their keys."""
    filters = {"open": Filters(statuses=("open",)), **BY_ATTRIBUTE}[name]
    changes = {"status": "closed", "has_assignee": False, "add_tags": [], "remove_tags": [], "author": " "}
    values = {**filter_parameters(filters), **dict.fromkeys(("category", "priority", "assignee")), **changes}
    query = bulk_update._UPDATE[variant(filters)]
    with attributed.transaction(force_rollback=True):
        found = explain(attributed, query, {**values, "maximum": 100, "dry_run": dry_run}, analyze=True)
    read = [node for node in read_tables(found) if node["Actual Loops"]]
    assert read
    assert not [node for node in read if node["Node Type"] == "Seq Scan"]


@pytest.mark.parametrize(
    ("groups", "rarest"),
    [
        ('[["tag half"]]', ["tag half"]),
        ('[["tag half"], ["requester User77@Example.com"]]', ["requester user77@example.com"]),
        ('[["tag half"], ["tag rare", "tag absent"]]', ["tag rare", "tag absent"]),
        ('[["tag half"], ["tag third"]]', ["tag third"]),
        ('[["tag half", "tag third"], ["assigned"]]', ["assigned"]),
        ('[["tag rare"], ["tag Absent"]]', ["tag Absent"]),
        ('[["tag absent"], ["requester nobody"]]', ["tag absent"]),
        ("[]", None),
    ],
)
def test_group_that_fewest_tickets_have_drives(attributed: Connection, groups: str, rarest: list[str] | None) -> None:
    """Return whether few or many have it: counts tell up to 1,000, then the statistics of the planner."""
    assert attributed.execute("SELECT rarest_attributes(%s)", [groups]).fetchone() == (rarest,)


@pytest.mark.parametrize("sort", ["newest", "oldest", "updated", "urgent"])
@pytest.mark.parametrize("name", [*FEW, "assignee"])
def test_search_among_few_tickets_with_an_attribute_needs_no_text_index(
    attributed: Connection, sort: str, name: str
) -> None:
    with closing(ExplainingDatabase(attributed)) as database:
        assert find(database, sort, "nowhere", filters=BY_ATTRIBUTE[name]) == 0
        assert database.index_scans() == 0 or sort in ("updated", "urgent")
        assert [query for query in database.queries if query.endswith("attributes")]


@pytest.mark.parametrize("sort", ["newest", "oldest", "updated", "urgent"])
@pytest.mark.parametrize("name", FEW)
def test_search_in_comments_of_few_tickets_with_an_attribute_reads_only_those(
    attributed: Connection, sort: str, name: str
) -> None:
    """Neither all tickets, to find as many of them as a scan reads, nor all hits of a frequent word."""
    with closing(ExplainingDatabase(attributed)) as database:
        find(database, sort, "nowhere", filters=replace(BY_ATTRIBUTE[name], search_in="comments"))
        assert not [query for query in database.queries if "search_hits" in query]
        assert [query for query in database.queries if query.endswith("attributes comments")]
        assert sum(map(_blocks, database.plans)) <= 25_000


def _blocks(node: dict[str, Any]) -> int:
    return int(node["Shared Hit Blocks"]) + int(node["Shared Read Blocks"])
