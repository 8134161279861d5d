"""Training in the database: the changes that create training examples, correct counts, and bounded size."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.support.locks import wait_until
from tests.support.training import change, delete, model, suggest, total, unique_word
from ticketsvc.config import Config
from ticketsvc.enums import CATEGORIES, PRIORITIES
from ticketsvc.filters import Filters
from ticketsvc.store import bulk_update as bulk
from ticketsvc.store import erasure, training
from ticketsvc.store.history import Author
from ticketsvc.store.postgres.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.tickets import Connection

pytestmark = pytest.mark.usefixtures("clean")

TEXT = "the red lamp blinks"  # four words


@pytest.fixture
def store(database_url: str, database: Connection) -> Iterator[Database]:
    """Return a Database of the service. Retrains at the end, because tests delete training examples."""
    store = Database(Config(database_url=database_url))
    yield store
    training.rebuild(store)
    store.close()


def votes(database: Connection) -> list[object]:
    """Return the label counts of the only training text."""
    (row,) = database.execute("SELECT label_counts FROM triage_text_counts").fetchall()
    return list(row[0]) if isinstance(row[0], list) else []


# --- training examples


def test_it_works(database: Connection, store: Database) -> None:
    ticket = suggest(database, TEXT)
    assert training.token_counts(store, TEXT) is None
    change(database, ticket, category="technical")
    counts = training.token_counts(store, "The lamp is green")
    assert counts is not None
    assert counts.total == [0, 400, 0, 0, 0, 0, 0, 0]
    assert counts.words == [
        ("The", [0, 100, 0, 0, 0, 0, 0, 0]),
        ("lamp", [0, 100, 0, 0, 0, 0, 0, 0]),
        ("is", None),
        ("green", None),
    ]


@pytest.mark.parametrize("status", ["resolved", "closed"])
def test_a_ticket_closed_unchanged_trains_both_labels(database: Connection, status: str) -> None:
    change(database, suggest(database, TEXT), status=status)
    assert total(database) == {"general": 400, "medium": 400}


def test_a_ticket_in_progress_is_no_training_example(database: Connection) -> None:
    change(database, suggest(database, TEXT), status="in_progress")
    assert model(database) == ({}, {})


def test_a_label_without_a_suggestion_is_no_training_example(database: Connection) -> None:
    database.execute("INSERT INTO tickets (title, description) VALUES ('-', 'the red lamp blinks')")
    database.execute("UPDATE tickets SET category = 'billing', priority = 'low', status = 'closed'")
    assert model(database) == ({}, {})


def test_fields_are_trained_independently(database: Connection) -> None:
    change(database, suggest(database, TEXT), priority="high")
    assert total(database) == {"high": 400}


def test_a_second_correction_replaces_the_first(database: Connection) -> None:
    ticket = suggest(database, TEXT)
    change(database, ticket, category="technical")
    change(database, ticket, category="account")
    assert total(database) == {"account": 400}
    change(database, ticket, status="closed")
    assert total(database) == {"account": 400, "medium": 400}


def test_a_reverted_correction_is_no_training_example(database: Connection) -> None:
    ticket = suggest(database, TEXT)
    change(database, ticket, category="technical")
    change(database, ticket, category="general")
    assert model(database) == ({}, {})


def test_a_reopened_ticket_is_no_training_example_until_closed(database: Connection) -> None:
    ticket = suggest(database, TEXT)
    change(database, ticket, status="closed")
    change(database, ticket, status="open")
    assert model(database) == ({}, {})


def test_a_changed_text_trains_with_its_new_words_only(database: Connection) -> None:
    ticket = suggest(database, TEXT)
    change(database, ticket, category="technical", description="seven words are in this new text")
    assert total(database) == {"technical": 700}
    assert len(model(database)[0]) == 1


def test_a_deleted_ticket_is_no_training_example(database: Connection) -> None:
    ticket = suggest(database, TEXT, final=("technical", "high"), status="closed")
    assert total(database) == {"technical": 400, "high": 400}
    delete(database, ticket)
    assert model(database) == ({}, {})


def test_a_text_without_words_is_no_training_example(database: Connection) -> None:
    suggest(database, "12345 ... ??", final=("technical", "high"))
    assert model(database) == ({}, {})


# --- identical texts


@pytest.mark.parametrize("again", [TEXT, "Blinks 12: RED lamp, the red lamp!"])
def test_the_same_words_are_trained_once(database: Connection, again: str) -> None:
    for text in (TEXT, again, again):
        suggest(database, text, final=("technical", "medium"))
    assert votes(database) == [0, 3, 0, 0, 0, 0, 0, 0]
    assert total(database) == {"technical": 400}


def test_the_majority_label_of_a_text_is_trained(database: Connection) -> None:
    first, *_ = [suggest(database, TEXT, final=(label, "medium")) for label in ("technical", "account", "account")]
    assert total(database) == {"account": 400}
    change(database, first, category="billing")
    assert total(database) == {"account": 400}


def test_a_text_with_a_tie_between_labels_is_no_training_example(database: Connection) -> None:
    for label in ("technical", "account"):
        suggest(database, TEXT, final=(label, "high"))
    assert total(database) == {"high": 400}


# --- words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Can't log-in to user's page?", ["Can't", "log", "in", "to", "user's", "page"]),
        ("refund Refunded REFUNDS", ["refund"]),
        ("l’été à Zürich — «наконец»", ["l’été", "à", "Zürich", "наконец"]),
        ("lamp２２、灯が点滅", ["lamp", "灯が点滅"]),
        ("a\tb\nc\u2028d\u00a0e", ["a", "b", "c", "d", "e"]),
        ("''' 123 👍", ["👍"]),
        ("", []),
    ],
)
def test_text_is_split_into_words(database: Connection, text: str, words: list[str]) -> None:
    found = database.execute("SELECT token FROM triage_tokens(%s)", [text]).fetchall()
    assert [word for (word,) in found] == words


def test_a_long_text_counts_as_sixteen_words(database: Connection) -> None:
    suggest(database, " ".join(unique_word() for _ in range(40)), final=("technical", "medium"))
    assert total(database) == {"technical": 1600}


def test_only_the_beginning_of_a_text_is_read(database: Connection) -> None:
    text = " ".join(unique_word() for _ in range(200)) + " refund" * 100_000
    suggest(database, text, final=("technical", "medium"))
    assert len(model(database)[1]) <= 64 + 1


def test_token_counts_accept_nul_and_lone_surrogates(database: Connection, store: Database) -> None:
    suggest(database, TEXT, final=("technical", "medium"))
    counts = training.token_counts(store, "red\0lamp \ud800")
    assert counts is not None
    assert [word for word, _ in counts.words] == ["red", "lamp"]
    assert training.token_counts(store, " ?!") is None


def test_the_label_order_is_that_of_the_application(database: Connection) -> None:
    row = database.execute("SELECT enum_range(NULL::triage_label)::text[]").fetchone()
    assert row == ([*CATEGORIES, *PRIORITIES],)


# --- forget and rebuild


def random_changes(random: random.Random, database: Connection) -> None:
    """Create, correct, close, reopen, rewrite and delete tickets in random order."""
    words = [f"{first}{second}" for first in "abcdefgh" for second in "xyz"]
    tickets: list[str] = []
    for _ in range(250):
        text = " ".join(random.choices(words, k=random.randint(1, 3)))
        tickets.append(suggest(database, text, (random.choice(CATEGORIES), random.choice(PRIORITIES))))
        ticket = random.choice(tickets)
        changes = {
            "category": random.choice(CATEGORIES),
            "priority": random.choice(PRIORITIES),
            "status": random.choice(["open", "in_progress", "resolved", "closed"]),
            "description": text,
        }
        change(database, ticket, **dict(random.sample(sorted(changes.items()), 2)))
        if random.random() < 0.2:
            delete(database, random.choice(tickets))


@pytest.mark.parametrize("seed", range(2))
def test_a_rebuild_gives_the_same_counts(database: Connection, store: Database, seed: int) -> None:
    random_changes(random.Random(seed), database)
    learned = model(database)
    assert len(learned[0]) > 50
    assert training.rebuild(store) == len(learned[0])
    assert model(database) == learned


def test_a_bulk_update_trains_like_single_updates(database: Connection, store: Database) -> None:
    for _ in range(20):
        suggest(database, f"lamp {unique_word()}")
    database.execute("UPDATE tickets SET status = 'closed'")
    learned = model(database)
    training.rebuild(store)
    assert model(database) == learned


def bulk_update(store: Database, filters: Filters, key: str, **changes: str) -> int:
    """Change all tickets that match, as `PATCH /api/tickets/` does, and return how many changed."""
    fields = dict.fromkeys(("status", "category", "priority", "assignee"))
    others = {"has_assignee": False, "add_tags": list[str](), "remove_tags": list[str]()}
    return bulk.run(store, filters, {**fields, **others, **changes}, False, Author("request", key)).changed


def change_as(database: Connection, key: str, ticket: str, **changes: str) -> None:
    """Change a ticket with an API key."""
    database.execute("SELECT set_config('ticketsvc.author', %s, false)", [f"request {key}"])
    change(database, ticket, **changes)


@pytest.mark.parametrize("seed", range(2))
def test_a_bulk_update_takes_away_what_a_rebuild_does(database: Connection, store: Database, seed: int) -> None:
    """Some tickets were judged, with several keys; one key was forgotten. Some texts are the same."""
    rng = random.Random(seed)
    words = [f"{first}{second}" for first in "abcdefgh" for second in "xyz"]
    for _ in range(150):
        text = " ".join(rng.choices(words, k=rng.randint(1, 3)))
        ticket = suggest(database, text, (rng.choice(CATEGORIES), rng.choice(PRIORITIES)))
        changes = {"category": rng.choice(CATEGORIES), "status": rng.choice(["closed", "resolved", "in_progress"])}
        change_as(database, rng.choice("abc"), ticket, **dict(rng.sample(sorted(changes.items()), rng.randint(0, 2))))
    training.forget_key(store, "b", True)
    for filters, changes in (
        (Filters(statuses=("closed",)), {"status": "open"}),
        (Filters(categories=("billing", "account")), {"category": "technical"}),
        (Filters(priorities=("low",)), {"priority": "high", "status": "resolved"}),
        (Filters(), {"status": "closed"}),
    ):
        assert bulk_update(store, filters, "script", **changes) > 10
        learned = everything(database)
        assert learned["triage_examples"]
        assert not [row for row in learned["triage_examples"] if "script" in row]  # it has judged nothing
        training.rebuild(store)
        assert everything(database) == learned


def everything(database: Connection) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of all tables of learning but counts that are zero."""
    learned = {
        table: database.execute(f"SELECT * FROM {table} ORDER BY 1, 2".encode()).fetchall()
        for table in ("triage_text_counts", "triage_examples", "triage_pending_changes")
    }
    for table in ("triage_token_counts", "triage_author_counts"):
        counts = f"SELECT * FROM {table} WHERE label_counts <> '{{0,0,0,0,0,0,0,0}}' ORDER BY 1, 2"
        learned[table] = database.execute(counts.encode()).fetchall()
    return learned


@pytest.mark.parametrize("statement", ["bulk update", "erasure"])
def test_many_tickets_write_a_count_once(own_url: str, statement: str) -> None:
    """And not once a ticket: each version of a row is one more that the next write has to pass."""
    writes = "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'triage_weights'"
    with closing(psycopg.connect(own_url, autocommit=True)) as connection:
        for _ in range(50):
            change(connection, suggest(connection, TEXT), requester="ann", category="technical")
        connection.execute("UPDATE tickets SET description = description || ' ' || md5(id::text)")
        tokens = connection.execute("SELECT count(*) FROM triage_weights").fetchone()
        assert tokens
        connection.execute("SELECT pg_stat_force_next_flush()")
        [before] = connection.execute(writes).fetchall()
        store = Database(Config(database_url=own_url))
        if statement == "erasure":
            assert list(erasure.erase(store, "ann")) == [50]
        else:
            assert bulk_update(store, Filters(), "script", category="account") == 50
        store.close()
        wait_until(lambda: connection.execute(writes).fetchall() != [before])  # a session reports at its end
        [after] = connection.execute(writes).fetchall()
        assert int(str(after[0])) - int(str(before[0])) <= int(str(tokens[0]))
        assert connection.execute("SELECT count(*) FROM triage_text_counts").fetchone() == (0,)


def test_the_next_statement_of_the_transaction_learns_at_once(database: Connection) -> None:
    first, second = (suggest(database, f"lamp {unique_word()}", status="closed") for _ in range(2))
    with database.transaction():
        database.execute(
            "UPDATE tickets SET status = 'open' WHERE id = %s"
            " RETURNING set_config('ticketsvc.learning', 'deferred', true)",
            [first],
        )
        assert total(database) == {"general": 200, "medium": 200}
        change(database, second, status="open")
        assert model(database) == ({}, {})


def test_forget_deletes_old_examples_and_trains_with_new_ones(database: Connection, store: Database) -> None:
    old = suggest(database, TEXT, final=("technical", "medium"))
    training.forget(store)
    assert model(database) == ({}, {})
    change(database, old, category="account", status="closed")
    delete(database, old)
    assert model(database) == ({}, {})
    suggest(database, TEXT, final=("billing", "medium"))
    assert total(database) == {"billing": 400}


def test_a_rebuild_restores_forgotten_training_examples(database: Connection, store: Database) -> None:
    suggest(database, TEXT, final=("technical", "medium"))
    learned = model(database)
    training.forget(store)
    assert training.rebuild(store) == 1
    assert model(database) == learned


def test_size_counts_texts_words_and_bytes(database: Connection, store: Database) -> None:
    suggest(database, TEXT, final=("technical", "medium"), status="closed")
    size = training.size(store)
    assert size[:4] == (1, 4, 4, 4)
    assert size.bytes > 0


# --- concurrency


def test_concurrent_changes_count_correctly_without_deadlock(
    database: Connection, database_url: str, store: Database
) -> None:
    words = [f"{first}{second}" for first in "abcdefgh" for second in "xyz"]
    tickets = [suggest(database, " ".join(random.Random(n).sample(words, 12))) for n in range(60)]

    def work(seed: int) -> None:
        rng = random.Random(seed)
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(
                "SELECT set_config('ticketsvc.author', %s, false)", [["", "r a", "r b", "r c"][seed % 4]]
            )
            for _ in range(40):
                ticket = rng.choice(tickets)
                text = " ".join(rng.sample(words, 12))
                change(connection, ticket, category=rng.choice(CATEGORIES), status=rng.choice(["open", "closed"]))
                change(connection, ticket, description=text)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))  # raises the exceptions of the threads, such as DeadlockDetected
    learned = model(database)
    training.rebuild(store)
    assert model(database) == learned


def test_transactions_that_correct_many_tickets_do_not_deadlock(
    database: Connection, database_url: str, store: Database
) -> None:
    """Each connection has tickets of its own; their texts share words, so their counts are in the same rows."""
    words = [f"{first}{second}" for first in "abcdefgh" for second in "xyz"]
    owners = [[suggest(database, " ".join(random.Random(n).sample(words, 6))) for n in range(16)] for _ in range(2)]

    def work(seed: int) -> None:
        rng = random.Random(seed)
        with psycopg.connect(database_url, autocommit=True) as connection:
            for number in range(20):
                with connection.transaction():
                    for ticket in rng.sample(owners[seed], 16):
                        change(connection, ticket, category=CATEGORIES[number % 3])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))  # raises DeadlockDetected
    learned = model(database)
    training.rebuild(store)
    assert model(database) == learned


def test_a_rebuild_during_changes_counts_correctly(database: Connection, database_url: str, store: Database) -> None:
    tickets = [suggest(database, f"lamp {unique_word()}") for _ in range(80)]

    def close(ticket: str) -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            change(connection, ticket, status="closed")

    with ThreadPoolExecutor(9) as pool:
        closing = [pool.submit(close, ticket) for ticket in tickets]
        for _ in range(5):
            training.rebuild(store)
        for done in closing:
            done.result()
    assert total(database) == {"general": 80 * 200, "medium": 80 * 200}


# --- bounds


def test_words_map_to_a_fixed_number_of_buckets(database: Connection) -> None:
    row = database.execute(
        "SELECT min(w.bucket), max(w.bucket) FROM generate_series(1, 20000) AS n,"
        " LATERAL triage_tokens(translate(n::text, '0123456789', 'abcdefghij')) AS w"
    ).fetchone()
    assert row
    least, greatest = row
    assert isinstance(least, int)
    assert isinstance(greatest, int)
    assert 0 <= least < greatest < 65_536


def test_rewriting_a_ticket_leaves_no_old_counts(database: Connection) -> None:
    ticket = suggest(database, TEXT, final=("technical", "medium"))
    for _ in range(30):
        change(database, ticket, description=unique_word())
    votes, weights = model(database)
    assert (len(votes), len(weights)) == (1, 2)
