"""Query plans of comments and of searches in them, on 20,000 tickets with 40,000 comments."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.database.test_plans import ALL, ID, ExplainingDatabase, nodes, plan, vacuum
from tests.support.tickets import insert_many
from ticketsvc.config import Config
from ticketsvc.filters import Filters
from ticketsvc.store import search
from ticketsvc.store.bounded_page import PAGE_BYTES
from ticketsvc.store.cursor import Cursor
from ticketsvc.store.filter_parameters import filter_parameters
from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database
from ticketsvc.validation.search_words import SearchWords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.tickets import Connection

SORTS = ["newest", "oldest", "updated", "urgent"]


@pytest.fixture(scope="module")
def large(migrated_database: Callable[[], str]) -> Iterator[Connection]:
    """Return a connection to a database with many comments, with the settings of the service's connections."""
    with closing(psycopg.connect(migrated_database(), autocommit=True)) as connection:
        insert_many(connection, 20_000)
        connection.execute(
            "INSERT INTO comments (ticket_id, version, id, created_at, internal, body, search_text)"
            " SELECT t.id, n, gen_random_uuid(), now(), n = 2, 'Reply ' || n, comment_text('Reply ' || n)"
            " FROM tickets AS t CROSS JOIN generate_series(2, 3) AS n"
        )
        connection.execute(
            "UPDATE comments SET search_text = comment_text('Reply about a router') WHERE version = 2"
            " AND ticket_id IN (SELECT id FROM tickets ORDER BY id LIMIT 18000 OFFSET 1000)"
        )
        connection.execute("UPDATE tickets SET first_response_at = created_at WHERE status = 'closed'")
        vacuum(connection, "tickets", "ticket_texts", "comments")
        connection.execute("SET plan_cache_mode = force_generic_plan")
        connection.execute("SET jit = off")
        connection.prepare_threshold = None
        yield connection


@pytest.fixture
def explained(large: Connection) -> Iterator[ExplainingDatabase]:
    """Return a database that keeps the plans of its statements."""
    database = ExplainingDatabase(large)
    yield database
    database.close()


def executed(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the nodes of a plan that ran."""
    return [node for node in nodes(plan) if node["Actual Loops"]]


def scans(plans: list[dict[str, Any]], index: str, condition: str = "") -> int:
    """Return how often an index was scanned, with a condition that contains this text."""
    found = [node for each in plans for node in executed(each) if node.get("Index Name") == index]
    return int(sum(node["Actual Loops"] for node in found if condition in node["Index Cond"]))


def reads_a_whole_table(plans: list[dict[str, Any]]) -> bool:
    return any(node["Node Type"] == "Seq Scan" for each in plans for node in executed(each))


@pytest.mark.parametrize("name", ["page", "page:oldest", "get", "create", "create_idempotent", "delete"])
def test_comments_are_read_and_written_along_their_keys(large: Connection, name: str) -> None:
    full_name = f"comments.{name}"
    file, _, variant = full_name.partition(":")
    values: dict[str, object] = dict.fromkeys(queries.load(file, bytes, variant).parameters)
    known = {
        "id": ID,
        "ticket_id": ID,
        "visible": [True, False],
        "limit": 101,
        "page_bytes": PAGE_BYTES,
        "key_hash": ID,
    }
    found = list(nodes(plan(large, full_name, {**values, **known})))
    assert not [node for node in found if node["Node Type"] == "Seq Scan"]
    keys = {"comments_pkey", "comments_id_unique", "tickets_pkey", "idempotency_keys_pkey"}
    assert {node.get("Index Name") for node in found} - {None} <= keys
    assert not [node for node in found if node["Node Type"] == "Sort"] or name.startswith("page")


def find(database: ExplainingDatabase, sort: str, word: str, where: str) -> int:
    """Return the number of tickets on the first page of a search in comments."""
    filters = Filters(search=SearchWords((word,)), search_in=where)
    return len(search.find(database, filters, 101, Cursor.start(sort)))


@pytest.mark.parametrize("where", ["comments", "all"])
@pytest.mark.parametrize("sort", SORTS)
def test_common_word_needs_one_scan_of_tickets_and_their_comments(
    explained: ExplainingDatabase, sort: str, where: str
) -> None:
    assert find(explained, sort, "reply", where) == 101
    assert len(explained.queries) == 1
    assert explained.plans[0]["Shared Hit Blocks"] + explained.plans[0]["Shared Read Blocks"] <= 10_000
    assert scans(explained.plans, "comments_search") == scans(explained.plans, "ticket_texts_search") == 0
    assert not reads_a_whole_table(explained.plans)


@pytest.mark.parametrize("where", ["comments", "all"])
@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize(("word", "condition"), [("nowhere", ""), ("日本", "search_pairs"), ("é", "search_pairs")])
def test_rare_word_is_looked_up_once(
    explained: ExplainingDatabase, sort: str, where: str, word: str, condition: str
) -> None:
    """Few tickets are read before that: nothing found among them means that the word is rare."""
    assert find(explained, sort, word, where) == 0
    assert len(explained.queries) == 2
    assert scans(explained.plans[:1], "comments_pkey") <= 8 * 64
    assert scans(explained.plans, "comments_search", condition) == 1
    assert scans(explained.plans, "ticket_texts_search", condition) == (1 if where == "all" else 0)
    assert not reads_a_whole_table(explained.plans)


@pytest.mark.parametrize("sort", SORTS)
def test_frequent_word_that_the_first_tickets_lack_is_found_by_scans(
    explained: ExplainingDatabase, sort: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the hits it reads no more than those that are too many."""
    monkeypatch.setattr(search, "MAX_COMMENT_HITS", 1_000)
    assert find(explained, sort, "router", "comments") == 101
    [hits] = [each for name, each in zip(explained.queries, explained.plans, strict=True) if "hits" in name]
    assert max(node["Actual Rows"] for node in executed(hits) if node.get("Relation Name") == "comments") <= 1_001


@pytest.mark.parametrize("sort", SORTS)
def test_what_the_index_cannot_serve_is_scanned(explained: ExplainingDatabase, sort: str) -> None:
    assert find(explained, sort, "3", "comments") == 101
    assert scans(explained.plans, "comments_search") == 0
    assert not reads_a_whole_table(explained.plans)


def test_search_starts_no_other_processes(large: Connection) -> None:
    """Not even for a branch that then reads nothing. On a large table the planner would; costs of 0 make it so here."""
    values = filter_parameters(Filters(search=SearchWords(("nowhere",)), search_in="comments"))
    costs = dict.fromkeys(("min_parallel_table_scan_size", "parallel_setup_cost", "parallel_tuple_cost"), "0")
    with closing(Database(Config(database_url=large.info.dsn))) as database, large.transaction(force_rollback=True):
        for setting in [*costs.items(), *database.settings.items()]:
            large.execute("SELECT set_config(%s, %s, true)", setting)
        found = plan(large, "tickets.count_search:comments", values)
    assert not [node for node in nodes(found) if node["Node Type"].startswith("Gather")]


@pytest.mark.parametrize("where", ["comments", "all"])
def test_counts_use_the_index(large: Connection, where: str) -> None:
    values = filter_parameters(Filters(search=SearchWords(("nowhere",)), search_in=where))
    found = plan(large, "tickets.count_search:comments", values, analyze=True)
    assert scans([found], "comments_search") == 1
    assert not reads_a_whole_table([found])


@pytest.mark.parametrize("search_in", [None, "comments", "all"])
def test_other_queries_look_a_search_up_only_where_it_is(large: Connection, search_in: str | None) -> None:
    values = filter_parameters(Filters(search=SearchWords(("nowhere",)), search_in=search_in))
    found = plan(large, "stats.selection", values, analyze=True)
    assert scans([found], "comments_search") == (0 if search_in is None else 1)
    assert scans([found], "ticket_texts_search") == (0 if search_in == "comments" else 1)
    assert not [
        node for node in executed(found) if node.get("Relation Name") == "comments" and "Seq" in node["Node Type"]
    ]


def test_response_times_are_read_from_an_index_alone(large: Connection) -> None:
    found = plan(large, "stats.resolution:response", {**ALL, "is_index_only": True}, analyze=True)
    [read] = [node for node in executed(found) if node.get("Relation Name") == "tickets"]
    assert (read["Node Type"], read["Index Name"]) == ("Index Only Scan", "tickets_response_times")
