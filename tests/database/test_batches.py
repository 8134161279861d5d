"""Creates and changes that share a statement: each has the effect and the response that it would have alone."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.support.locks import KEY_LOCK, wait_until, waiting_sessions
from tests.support.tickets import count_rows
from tests.support.training import SUBJECTS, model, suggest
from ticketsvc.config import Config
from ticketsvc.enums import CATEGORIES
from ticketsvc.problems import (
    CreateInProgress,
    InvalidInput,
    KeyReused,
    NotFound,
    PreconditionFailed,
    Problem,
    Unavailable,
    VersionMismatch,
)
from ticketsvc.store import batches, stats, tickets, training
from ticketsvc.store.history import NO_AUTHOR, Author
from ticketsvc.store.postgres import errors
from ticketsvc.store.postgres.database import Database
from ticketsvc.store.tickets import ANY_VERSION, Condition, Created, IdempotencyKey, NewTicket, Ticket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from tests.support.tickets import Connection

NEW = NewTicket("Title", "Description", "billing", "low", None, None, None, None)
_NULLABLE = ("requester", "assignee", "tags", "metadata", "duplicate_of")
NO_CHANGE: dict[str, Any] = dict.fromkeys(("title", "description", "category", "priority", "status", *_NULLABLE))
NO_CHANGE |= dict.fromkeys((f"has_{name}" for name in _NULLABLE), False)


END_FIRST_SESSION = """
    CREATE SEQUENCE sessions;
    CREATE FUNCTION end_session() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_terminate_backend(pg_backend_pid()) WHERE nextval('sessions') = 1;
        RETURN NEW;
    END $$;
    CREATE TRIGGER end_session BEFORE INSERT ON tickets
        FOR EACH ROW WHEN (NEW.title = 'end') EXECUTE FUNCTION end_session();
"""


class Worker:
    """A Database of the service, the names of the statements that it runs, and calls that it runs together."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.database = Database(Config(database_url=url, pool_timeout=60, lock_timeout=60))
        self.statements: list[str] = []
        self.database.trace = self._trace

    def _trace(self, name: str) -> AbstractContextManager[object]:
        self.statements.append(name)
        return nullcontext()

    def create(self, key: IdempotencyKey | None = None, author: Author = NO_AUTHOR, **fields: Any) -> Created:
        return tickets.create(self.database, NEW._replace(**fields), None, author, key)

    def change(
        self, ticket_id: str, condition: Condition = ANY_VERSION, author: Author = NO_AUTHOR, **fields: Any
    ) -> Ticket:
        given = {f"has_{name}": True for name in fields if name in _NULLABLE}
        return tickets.update(self.database, UUID(ticket_id), {**NO_CHANGE, **given, **fields}, condition, author)

    def ticket(self, **fields: Any) -> str:
        """Create a ticket and return its id."""
        return self.create(**fields).id

    def together(self, calls: Sequence[partial[Any]]) -> list[Any]:
        """Return the results or problems of calls that are run together.

        They wait for one of the same kind before them, which waits for a lock.
        """

        def outcome(call: Callable[[], Any]) -> Any:
            try:
                return call()
            except Problem as problem:
                return problem

        with psycopg.connect(self.url) as holder, ThreadPoolExecutor(len(calls) + 1) as threads:
            if calls[0].func == self.create:
                holder.execute("LOCK TABLE tickets")
                first: partial[Any] = partial(self.create)
            else:
                ticket_id = self.ticket()
                holder.execute("SELECT FROM tickets WHERE id = %s FOR UPDATE", [ticket_id])
                first = partial(self.change, ticket_id, status="closed")
            head = threads.submit(first)
            wait_until(lambda: waiting_sessions(holder) == 1)
            [waiting] = [batch for batch in self.database._batches.values() if batch._leader]
            outcomes = []
            for number, call in enumerate(calls, start=1):
                outcomes.append(threads.submit(outcome, call))
                wait_until(partial(lambda count: len(waiting._waiting) == count, number))
            self.statements.clear()
            holder.rollback()
            head.result(60)
            return [found.result(60) for found in outcomes]


@pytest.fixture
def database_url(own_url: str) -> str:
    """Return the URL of a database that no service works on meanwhile."""
    return own_url


@pytest.fixture
def worker(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    monkeypatch.setattr(batches, "HOLD_SECONDS", 60)
    worker = Worker(database_url)
    yield worker
    worker.database.close()


@pytest.fixture
def other(database_url: str) -> Iterator[Worker]:
    """Another worker process."""
    other = Worker(database_url)
    yield other
    other.database.close()


def shown(result: Created | Ticket) -> dict[str, Any]:
    ticket = result.ticket if isinstance(result, Created) else result
    shown: dict[str, Any] = json.loads(ticket.json)
    return shown


def new_key() -> IdempotencyKey:
    return IdempotencyKey(uuid4(), uuid4())


def history(database: Connection, ticket_id: str) -> list[tuple[object, ...]]:
    statement = "SELECT version, actor, request_id, changes FROM ticket_history WHERE ticket_id = %s ORDER BY entry"
    return database.execute(statement, [ticket_id]).fetchall()


# --- creates


def test_a_lone_write_is_run_by_the_statement_for_one(worker: Worker) -> None:
    ticket_id = worker.ticket()
    worker.create(new_key())
    worker.change(ticket_id, status="closed")
    assert worker.statements == ["tickets.create", "tickets.create_idempotent", "tickets.update"]


@pytest.mark.parametrize("has_keys", [False, True])
def test_each_create_gets_its_ticket(worker: Worker, database: Connection, has_keys: bool) -> None:
    fields: list[dict[str, Any]] = [
        {"title": 'a "quoted" {brace}, \\ and NULL', "tags": ["NULL", "b c", 'd"e'], "metadata": '{"k":"\\"v, {}"}'},
        {"description": "é 😀\nline", "requester": "Ada", "priority": "critical"},
        {"assignee": "bob", "tags": ["x"], "category": "general"},
        {"title": "NULL"},
    ]
    calls = [
        partial(worker.create, new_key() if has_keys else None, Author(f"key{n}", f"r{n}"), **given)
        for n, given in enumerate(fields)
    ]
    results = worker.together(calls)
    assert worker.statements == ["tickets.create_batch"]
    made = [shown(result) for result in results]
    for n, (given, ticket, result) in enumerate(zip(fields, made, results, strict=True)):
        expected = {**NEW._asdict(), **given}
        for name in ("title", "description", "category", "priority", "requester", "assignee"):
            assert ticket[name] == expected[name]
        assert (ticket["tags"], ticket["metadata"]) == (
            sorted(expected["tags"] or []),
            json.loads(expected["metadata"] or "{}"),
        )
        assert (ticket["id"], result.is_replayed, ticket["version"]) == (result.id, False, 1)
        stored = "SELECT created_by, created_request, ticket_json(t) FROM tickets AS t WHERE id = %s"
        assert database.execute(stored, [result.id]).fetchone() == (f"key{n}", f"r{n}", result.ticket.json.decode())
    assert [ticket["id"] for ticket in made] == sorted(ticket["id"] for ticket in made)
    agrees = "SELECT bool_and(id >= uuid_v7_floor(created_at) AND id < uuid_v7_floor(created_at + '1 us')) FROM tickets"
    assert database.execute(agrees).fetchone() == (True,)
    assert count_rows(database, "ticket_texts") == 5
    database.execute("SELECT publish_events(100)")
    published = "SELECT count(*) FROM events WHERE ticket_id = ANY (%s::uuid[])"
    assert database.execute(published, [[ticket["id"] for ticket in made]]).fetchone() == (4,)


def test_a_key_is_used_once(worker: Worker, other: Worker, database: Connection) -> None:
    key, stored, held, old = new_key(), new_key(), new_key(), new_key()
    before, expired = other.create(stored), other.create(old)
    age = "UPDATE idempotency_records SET created_at = now() - '25 hours'::interval WHERE key_hash = %s"
    database.execute(age, [old.key_hash])
    with psycopg.connect(worker.url) as holder:
        holder.execute(f"SELECT pg_advisory_xact_lock({KEY_LOCK})".encode(), [held.key_hash])
        results = worker.together(
            [
                partial(worker.create, key),
                partial(worker.create, stored),
                partial(worker.create, stored._replace(body_hash=uuid4())),
                partial(worker.create, held),
                partial(worker.create),
                partial(worker.create, key),
                partial(worker.create, old),
                partial(worker.create, old),
            ]
        )
    assert worker.statements == ["tickets.create_batch"] * 2
    assert results[0].is_replayed is False
    assert (results[1].is_replayed, results[1].id) == (True, before.id)
    assert isinstance(results[2], KeyReused)
    assert isinstance(results[3], CreateInProgress)
    assert (results[5].is_replayed, results[5].id, results[5].ticket) == (True, results[0].id, results[0].ticket)
    assert (results[6].is_replayed, results[6].id == expired.id) == (False, False)
    assert (results[7].is_replayed, results[7].ticket) == (True, results[6].ticket)
    assert count_rows(database) == 6


def test_a_key_of_an_open_transaction_delays_only_its_create(worker: Worker, other: Worker) -> None:
    """Its record is not visible, and its advisory lock is free: the insertion would wait for the other transaction."""
    key = new_key()
    made = other.create(key)
    with psycopg.connect(worker.url) as holder:
        row = holder.execute(
            "DELETE FROM idempotency_records RETURNING key_hash, body_hash, ticket_id, response"
        ).fetchone()
        holder.commit()
        holder.execute(
            "INSERT INTO idempotency_records (key_hash, body_hash, ticket_id, response) VALUES (%s, %s, %s, %s)", row
        )
        with ThreadPoolExecutor(1) as threads:
            calls = [partial(worker.create, key), partial(worker.create), partial(worker.create)]
            outcomes = threads.submit(worker.together, calls)
            wait_until(lambda: worker.statements.count("tickets.create") == 2)
            wait_until(lambda: waiting_sessions(holder) == 1)
            holder.commit()
            results = outcomes.result(60)
    assert (results[0].is_replayed, results[0].id) == (True, made.id)
    assert len({result.id for result in results}) == 3


def test_a_lost_connection_makes_no_ticket_twice(own_url: str) -> None:
    """Nobody knows whether the statement was run: only with a key may a create be run again."""
    with closing(psycopg.connect(own_url, autocommit=True)) as database:
        database.execute(END_FIRST_SESSION)
        worker = Worker(own_url)
        calls = [partial(worker.create, key, title="end") for key in (new_key(), None, new_key(), None)]
        results = worker.together(calls)
        worker.database.close()
        assert count_rows(database) == 3
    assert [isinstance(result, Unavailable) for result in results] == [False, True, False, True]
    assert [result.is_replayed for result in results[::2]] == [False, False]
    assert worker.statements == ["tickets.create_batch", *["tickets.create_idempotent"] * 2]


# --- changes


def test_each_change_gets_its_outcome(worker: Worker, database: Connection) -> None:
    ids = [worker.ticket(tags=["old"], metadata='{"a": "1"}', requester="Ada") for _ in range(8)]
    missing = str(uuid4())
    results = worker.together(
        [
            partial(worker.change, ids[7], title='"{\\}"', tags=["new", 'a "b"'], metadata='{"b": "x"}'),
            partial(worker.change, ids[0], requester=None, tags=None, metadata=None),
            partial(worker.change, missing, status="closed"),
            partial(worker.change, ids[3], Condition([7, 1, 9], []), status="resolved"),
            partial(worker.change, ids[4], Condition([2], []), status="resolved"),
            partial(worker.change, ids[5], Condition(None, [1]), status="resolved"),
            partial(worker.change, ids[6], Condition([], []), status="resolved"),
            partial(worker.change, ids[1], category="billing"),
            partial(worker.change, ids[2], status="closed"),
            partial(worker.change, ids[2], Condition([1], []), assignee="bob"),
            partial(worker.change, ids[3], Condition([2], []), priority="critical"),
        ]
    )
    assert worker.statements == ["tickets.update_batch", "tickets.update_batch"]
    kinds = [VersionMismatch if isinstance(result, VersionMismatch) else type(result) for result in results]
    assert kinds == [
        *(Ticket, Ticket, NotFound, Ticket, VersionMismatch, PreconditionFailed, PreconditionFailed),
        *(Ticket, Ticket, VersionMismatch, Ticket),
    ]
    assert shown(results[0]).items() >= {"title": '"{\\}"', "tags": ["new", 'a "b"'], "version": 2}.items()
    assert shown(results[0])["metadata"] == {"a": "1", "b": "x"}
    assert shown(results[1]).items() >= {"requester": None, "tags": [], "metadata": {}, "version": 2}.items()
    assert (results[7].version, shown(results[7])["version"]) == (1, 1), "it changes nothing"
    assert history(database, ids[1]) == []
    assert shown(results[10]).items() >= {"status": "resolved", "priority": "critical", "version": 3}.items()
    assert ["version is now 1" in str(results[4]), "version is now 2" in str(results[9])] == [True, True]
    for ticket_id, result in ((ids[7], results[0]), (ids[3], results[10])):
        stored = "SELECT ticket_json(t) FROM tickets AS t WHERE id = %s"
        assert database.execute(stored, [ticket_id]).fetchone() == (result.json.decode(),)


def test_each_change_has_its_author(worker: Worker, database: Connection) -> None:
    """Also as the author of training examples: the change of a suggested label."""
    ids = [suggest(database, f"lamp {n}") for n in range(3)]
    authors = [Author("ann", "r1"), Author(None, "r2"), Author('b"c', None)]
    calls = [
        partial(worker.change, ticket_id, author=author, category="billing")
        for ticket_id, author in zip(ids, authors, strict=True)
    ]
    worker.together(calls)
    change = {"category": {"from": "general", "to": "billing"}}
    assert [history(database, ticket_id) for ticket_id in ids] == [
        [(2, "ann", "r1", change)],
        [(2, None, "r2", change)],
        [(2, 'b"c', None, change)],
    ]
    examples = "SELECT author FROM triage_examples WHERE ticket_id = %s"
    assert [database.execute(examples, [ticket_id]).fetchone() for ticket_id in ids] == [("ann",), None, ('b"c',)]


def test_a_change_that_is_not_allowed_fails_alone(worker: Worker) -> None:
    full = worker.ticket(metadata=json.dumps({f"k{n}": n for n in range(50)}))
    ids = [worker.ticket() for _ in range(2)]
    results = worker.together(
        [
            partial(worker.change, ids[0], status="closed"),
            partial(worker.change, full, metadata='{"more": 1}'),
            partial(worker.change, ids[1], status="closed"),
        ]
    )
    assert isinstance(results[1], InvalidInput)
    assert [shown(results[n])["status"] for n in (0, 2)] == ["closed", "closed"]
    assert sorted(worker.statements) == [*["tickets.update"] * 3, "tickets.update_batch"]


@pytest.mark.parametrize("other_change", ["UPDATE tickets SET priority = 'critical'", "DELETE FROM tickets"])
def test_a_ticket_that_is_locked_delays_only_its_change(
    worker: Worker, database: Connection, other_change: str
) -> None:
    ids = [worker.ticket() for _ in range(3)]
    calls = [partial(worker.change, ticket_id, Condition([1], []), status="closed") for ticket_id in ids]
    closed = "SELECT count(*) FROM tickets WHERE status = 'closed' AND id = ANY (%s::uuid[])"
    with psycopg.connect(worker.url) as holder, ThreadPoolExecutor(1) as threads:
        holder.execute(f"{other_change} WHERE id = %s".encode(), [ids[1]])
        outcomes = threads.submit(worker.together, calls)
        wait_until(lambda: worker.statements[-2:] == ["tickets.update_batch", "tickets.update"])
        assert database.execute(closed, [ids]).fetchone() == (2,)
        holder.commit()
        results = outcomes.result(60)
    assert isinstance(results[1], NotFound if other_change.startswith("DELETE") else VersionMismatch)
    assert [shown(results[n])["status"] for n in (0, 2)] == ["closed", "closed"]


def test_concurrent_writes_of_two_workers_lose_nothing(
    worker: Worker, other: Worker, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Corrections of tickets that both change, with texts that share words: no deadlock, exact counts and histories."""
    monkeypatch.setattr(batches, "HOLD_SECONDS", 0.1)
    failures: list[psycopg.Error] = []
    find_kind = errors.kind

    def kind(error: psycopg.Error) -> str:
        failures.append(error)
        return find_kind(error)

    monkeypatch.setattr(errors, "kind", kind)
    words = [word for text in SUBJECTS.values() for word in text.split()]
    dice = random.Random(1)
    ids = [suggest(database, " ".join(dice.sample(words, 8))) for _ in range(40)]

    def work(seed: int) -> list[str]:
        dice = random.Random(seed)
        user = (worker, other)[seed % 2]
        made = []
        for number in range(12):
            author = Author(f"key{seed}", f"{seed}-{number}")
            user.change(dice.choice(ids), author=author, category=dice.choice(CATEGORIES))
            made.append(user.create(new_key() if seed % 3 else None, author, title=f"{seed}-{number}").id)
            user.change(made[-1], author=author, status=dice.choice(["resolved", "open"]), title=f"new {seed}-{number}")
        return made

    with ThreadPoolExecutor(16) as threads:
        made = [ticket_id for found in threads.map(work, range(16)) for ticket_id in found]
    assert {"tickets.create_batch", "tickets.update_batch"} <= {
        *worker.statements,
        *other.statements,
    }
    assert not [failure for failure in failures if isinstance(failure, psycopg.errors.DeadlockDetected)]
    assert len(set(made)) == 16 * 12 == count_rows(database) - len(ids)
    assert stats.check(worker.database) == []
    gaps = """
        SELECT t.id FROM tickets AS t LEFT JOIN ticket_history AS h ON h.ticket_id = t.id
        GROUP BY t.id HAVING count(h.version) <> t.version - 1 OR count(DISTINCT h.version) <> t.version - 1
    """
    assert database.execute(gaps).fetchall() == []
    foreign = """
        SELECT FROM ticket_history AS h JOIN tickets AS t ON t.id = h.ticket_id
        WHERE h.actor <> 'key' || split_part(h.request_id, '-', 1)
            OR (t.title LIKE 'new %' AND t.title <> 'new ' || h.request_id)
    """
    assert database.execute(foreign).fetchall() == []
    learned = model(database)
    training.rebuild(worker.database)
    assert model(database) == learned
