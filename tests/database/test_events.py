"""The feed of events in the database: what is written, in which order it is published, and which cursors continue."""

from __future__ import annotations

import json
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.support.locks import wait_until
from tests.support.tickets import URL, file_ticket

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.support.tickets import Connection

LIST = (Path(__file__).parents[2] / "sql/events/list.sql").read_text()
INSERT = "INSERT INTO tickets (title, description) VALUES ('t', 'd') RETURNING id"


def page(
    database: Connection,
    after: str | None = None,
    limit: int = 1000,
    *,
    page_bytes: int = 10**6,
    without_internal: bool = False,
) -> list[dict[str, Any]] | None:
    """Return the events after a cursor, or None if the cursor is gone."""
    database.execute("SELECT publish_events(10000)")
    generation, seq = after.split("-") if after else (None, None)
    query = LIST
    for place, name in enumerate(("generation", "seq", "limit", "page_bytes", "without_internal"), start=1):
        query = query.replace(f"${place}::", f"%({name})s::")
    values = {
        "generation": generation,
        "seq": seq,
        "limit": limit,
        "page_bytes": page_bytes,
        "without_internal": without_internal,
    }
    rows = database.execute(query.partition("WITH")[1] + query.partition("WITH")[2], values).fetchall()
    if rows[0][2]:
        return None
    return [json.loads(str(text)) for text, *_ in rows if text]


def events(database: Connection, after: str | None = None) -> list[dict[str, Any]]:
    found = page(database, after)
    assert found is not None
    return found


def latest(database: Connection) -> str:
    database.execute("SELECT publish_events(10000)")
    row = database.execute("SELECT event_id(coalesce((SELECT max(seq) FROM events), 0))").fetchone()
    assert row
    return str(row[0])


def prune(database: Connection) -> int:
    """Delete events that are older than 30 days, and return how many there were."""
    query = (Path(__file__).parents[2] / "sql/events/prune.sql").read_text().partition("WITH oldest")
    row = database.execute((query[1] + query[2]).replace("$1::integer", "30")).fetchone()
    assert row
    return int(str(row[0]))


def seq(event: dict[str, Any]) -> int:
    return int(event["id"].split("-")[1])


def test_an_event_for_every_change_also_by_hand(client: FlaskClient, database: Connection) -> None:
    start = latest(database)
    first = file_ticket(client)["id"]
    (by_hand,) = database.execute(INSERT).fetchone() or ()
    path = f"{URL}{first}"
    client.patch(path, json={"status": "in_progress"})
    comment = client.post(f"{path}/comments", json={"body": "b", "status": "resolved", "internal": True}).get_json()
    client.delete(f"{path}/comments/{comment['id']}")
    client.patch(f"{URL}?status=open", json={"priority": "high"})
    database.execute("UPDATE tickets SET title = 'n', version = version + 1 WHERE id = %s", [by_hand])
    client.post(f"{URL}import", data='{"title": "i", "description": "d"}', content_type="application/x-ndjson")
    client.delete(path)
    found = events(database, start)
    assert [(e["type"], e["data"]["event"], e["version"]) for e in found] == [
        ("ticket.created", "created", 1),
        ("ticket.created", "created", 1),
        ("ticket.updated", "changed", 2),
        ("ticket.commented", "commented", 3),
        ("ticket.updated", "comment_deleted", 4),
        ("ticket.updated", "changed", 2),
        ("ticket.updated", "changed", 3),
        ("ticket.created", "created", 1),
        ("ticket.deleted", "deleted", 4),
    ]
    assert {e["ticket_id"] for e in found[2:5]} == {first}
    assert {e["ticket_id"] for e in found[5:7]} == {str(by_hand)}
    assert found[3]["data"]["changes"] == {"status": {"from": "in_progress", "to": "resolved"}}
    assert found[0]["data"]["changes"]["title"] == {"from": None, "to": None}, "its text is gone with the ticket"
    assert found[1]["data"]["changes"]["title"] == {"from": None, "to": "t"}
    assert len({e["id"] for e in found}) == len(found)
    assert events(database, found[-1]["id"]) == []
    assert [e["id"] for e in events(database, found[3]["id"])] == [e["id"] for e in found[4:]]


def test_text_of_a_comment_is_gone_with_it_and_hidden_if_internal(client: FlaskClient, database: Connection) -> None:
    path = f"{URL}{file_ticket(client)['id']}/comments"
    start = latest(database)
    comment = client.post(path, json={"body": "secret", "author": "Ann", "internal": True}).get_json()
    (event,) = events(database, start)
    assert event["data"]["comment"] == {"id": comment["id"], "author": "Ann", "internal": True, "body": "secret"}
    [hidden] = page(database, start, without_internal=True) or []
    assert (hidden["type"], hidden["by"], hidden["data"]) == (
        "ticket.updated",
        None,
        {"event": "changed", "changes": {}},
    )
    client.delete(f"{path}/{comment['id']}")
    assert events(database, start)[0]["data"]["comment"]["body"] is None


def test_a_change_that_nobody_sees_is_no_event(client: FlaskClient, database: Connection) -> None:
    ticket = file_ticket(client)
    start = latest(database)
    client.patch(f"{URL}{ticket['id']}", json={"title": ticket["title"]})
    database.execute("UPDATE tickets SET category_unjudged = true WHERE id = %s", [ticket["id"]])
    assert events(database, start) == []


def test_late_commits_are_neither_missed_nor_waited_for(database: Connection, database_url: str) -> None:
    start = latest(database)
    with psycopg.connect(database_url) as late:
        late.execute(INSERT)
        (early,) = database.execute(INSERT).fetchone() or ()
        (event,) = events(database, start)
        assert event["ticket_id"] == str(early)
        late.commit()
        assert len(events(database, event["id"])) == 1


def test_versions_of_a_ticket_are_in_order_although_the_later_transaction_is_older(
    database: Connection, database_url: str
) -> None:
    (ticket,) = database.execute(INSERT).fetchone() or ()
    start = latest(database)
    change = "UPDATE tickets SET title = title || 'x', version = version + 1 WHERE id = %s"
    with psycopg.connect(database_url) as older, psycopg.connect(database_url) as newer:
        older.execute("SELECT pg_current_xact_id()")
        newer.execute(change, [ticket])
        waiting = threading.Thread(target=older.execute, args=(change, [ticket]))
        waiting.start()
        newer.commit()
        waiting.join()
        older.commit()
    assert [e["version"] for e in events(database, start)] == [2, 3]


def test_publishing_in_parts_keeps_the_order_and_finds_the_rest(database: Connection) -> None:
    start = latest(database)
    database.execute("INSERT INTO tickets (title, description) SELECT 'part', 'd' FROM generate_series(1, 5)")
    database.execute("UPDATE tickets SET title = 'n', version = version + 1 WHERE title = 'part'")
    counts = [database.execute("SELECT publish_events(3)").fetchone() for _ in range(5)]
    assert counts == [(3,), (3,), (3,), (1,), (0,)]
    assert [e["version"] for e in events(database, start)] == [1] * 5 + [2] * 5


def test_a_ticket_that_is_restored_by_hand_is_created_again(client: FlaskClient, database: Connection) -> None:
    (ticket,) = database.execute(INSERT).fetchone() or ()
    start = latest(database)
    change = "UPDATE tickets SET title = %s, version = version + 1 WHERE id = %s"
    database.execute(change, ["before", ticket])
    with database.transaction():
        database.execute("CREATE TEMPORARY TABLE saved ON COMMIT DROP AS SELECT * FROM tickets")
        database.execute("DELETE FROM tickets")
        database.execute("INSERT INTO tickets SELECT * FROM saved")
    database.execute(change, ["after", ticket])
    replayed: dict[str, Any] = {}
    for event in events(database, start):
        if event["type"] == "ticket.deleted":
            replayed = {}
        replayed |= {name: change["to"] for name, change in event["data"]["changes"].items()}
        replayed["version"] = event["version"]
    current = client.get(f"{URL}{ticket}").get_json()
    assert replayed == {name: current[name] for name in replayed}
    assert (replayed["title"], replayed["description"], replayed["version"]) == ("after", "d", 3)


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_the_feed_does_not_stop_at_another_isolation_level(database: Connection, level: str) -> None:
    start = latest(database)
    database.execute(INSERT)
    with database.transaction():
        database.execute(f"SET TRANSACTION ISOLATION LEVEL {level}".encode())
        database.execute("SELECT publish_events(10000)")
    found = database.execute("SELECT max(seq) FROM events").fetchone()
    assert found == (int(start.split("-")[1]) + 1,)


def test_pruning_leaves_no_gap(database: Connection, database_url: str) -> None:
    """A gap would not be noticed by readers that are behind it. Times are those at which transactions began."""
    database.execute("INSERT INTO tickets (title, description) SELECT 't', 'd' FROM generate_series(1, 5)")
    found = events(database)
    database.execute("UPDATE events SET at = now() - interval '31 days' WHERE seq <> 2 + %s", [seq(found[0]) - 1])
    short = psycopg.connect(database_url, autocommit=True, options="-c lock_timeout=1")
    with psycopg.connect(database_url) as other, closing(short):
        other.execute("SELECT FROM events ORDER BY seq LIMIT 1 FOR UPDATE")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            prune(short)
    prune(database)
    assert [e["id"] for e in events(database)] == [e["id"] for e in found[1:]]


def test_a_page_of_one_large_event_tells_that_others_follow(database: Connection) -> None:
    start = latest(database)
    database.execute("INSERT INTO tickets (title, description) SELECT 't', 'd' FROM generate_series(1, 4)")
    counts = [len(page(database, start, page_bytes=size) or []) for size in (1, 10**6)]
    assert counts == [2, 4]


def test_pruning_keeps_the_newest_event_and_tells_who_is_too_late(database: Connection) -> None:
    start = latest(database)
    database.execute("INSERT INTO tickets (title, description) SELECT 't', 'd' FROM generate_series(1, 4)")
    found = events(database, start)
    database.execute("UPDATE events SET at = now() - interval '31 days'")
    assert prune(database) >= 3
    assert page(database, start) is None
    assert page(database, found[1]["id"]) is None
    assert [e["id"] for e in events(database, found[2]["id"])] == [found[3]["id"]]
    assert [e["id"] for e in events(database)] == [found[3]["id"]]
    database.execute(INSERT)
    assert len(events(database, found[3]["id"])) == 1


def test_cursors_after_a_restore_from_an_older_copy(database: Connection) -> None:
    """Another cluster, timeline, database or table is another source of numbers."""
    database.execute("INSERT INTO tickets (title, description) SELECT 't', 'd' FROM generate_series(1, 3)")
    found = events(database)
    generation, seq = found[-1]["id"].split("-")
    lost = f"{generation}-{int(seq) + 2}"
    assert page(database, lost) is None, "the original had two more"
    database.execute("UPDATE event_generations SET source = 'elsewhere'")
    database.execute("UPDATE events SET horizon = '9223372036854775807'")
    database.execute("INSERT INTO tickets (title, description) SELECT 't', 'd' FROM generate_series(1, 3)")
    later = events(database, found[-1]["id"])
    assert [int(e["id"].split("-")[1]) for e in later] == [int(seq) + 1, int(seq) + 2, int(seq) + 3]
    assert {e["id"].split("-")[0] for e in later}.isdisjoint({generation})
    assert page(database, lost) is None, "its number now names another event"
    assert events(database, found[0]["id"])[-1] == later[-1]
    assert [e["id"] for e in events(database)][: len(found)] == [e["id"] for e in found]
    assert page(database, f"ffffffff-{seq}") is None


def test_truncate_ends_all_cursors(database: Connection) -> None:
    database.execute(INSERT)
    end = latest(database)
    database.execute("TRUNCATE tickets")
    assert page(database, end) is None
    assert events(database) == []
    database.execute(INSERT)
    assert page(database, end) is None
    assert len(events(database)) == 1


def test_publishing_reads_only_what_may_be_new(database: Connection, database_url: str) -> None:
    """Deleted rows stay in the index while an old snapshot may need them; the horizon passes over them."""
    publish = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT publish_events(10000)"
    no_older_transaction = "SELECT pg_snapshot_xmin(pg_current_snapshot()) > max(xid) FROM event_outbox"

    def blocks_read(horizon: object) -> int:
        """Return the least of three runs: now and then PostgreSQL plans a statement again, which reads its catalogs."""
        read = []
        for _ in range(3):
            database.execute("UPDATE events SET horizon = %s::text::xid8", [horizon])
            database.execute(INSERT)
            [(plan,)] = database.execute(publish).fetchall()
            read.append(int(plan[0]["Plan"]["Shared Hit Blocks"]))  # type: ignore[index]
        return min(read)

    latest(database)
    with psycopg.connect(database_url) as reader:
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT count(*) FROM tickets")
        database.execute("INSERT INTO tickets (title, description) SELECT 't', 'd' FROM generate_series(1, 3000)")
        # A transaction in any database of the server holds the horizon back.
        wait_until(lambda: database.execute(no_older_transaction).fetchone() == (True,))
        latest(database)
        [(horizon,)] = database.execute("SELECT max(horizon)::text FROM events").fetchall()
        assert blocks_read(horizon) < blocks_read("0") / 2


def test_a_copy_of_the_database_opens_a_generation(own_url: str) -> None:
    three = "INSERT INTO tickets (title, description) SELECT 't', 'd' FROM generate_series(1, 3)"
    with psycopg.connect(own_url, autocommit=True) as original:
        original.execute(three)
        copied = latest(original)
        name = original.info.dbname
    copy_url = psycopg.conninfo.make_conninfo(own_url, dbname=f"{name}_copy")
    with psycopg.connect(own_url, dbname="postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}_copy TEMPLATE {name}".encode())
    with psycopg.connect(own_url, autocommit=True) as original, psycopg.connect(copy_url, autocommit=True) as copy:
        original.execute(three)
        copy.execute(three)
        assert len(events(original, copied)) == len(events(copy, copied)) == 3
        for one, other in ((original, copy), (copy, original)):
            assert page(other, latest(one)) is None
