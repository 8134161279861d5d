"""`flask deliver`: several processes and receivers that respond, fail, hang, redirect, or are private."""

from __future__ import annotations

import signal
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.support.locks import wait_until
from tests.support.receivers import Receivers, deliverer, receivers
from tests.support.tickets import file_ticket
from ticketsvc.store.webhooks import MAX_SENDING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask.testing import FlaskClient

    from tests.support.tickets import Connection

WEBHOOKS = "/api/webhooks/"


@pytest.fixture
def database(url: str) -> Iterator[Connection]:
    """A connection to the database, without webhooks."""
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute("DELETE FROM webhooks")
        yield connection


@pytest.fixture
def served() -> Iterator[Receivers]:
    with receivers() as served:
        yield served


def register(client: FlaskClient, url: str, **members: object) -> str:
    """Register a webhook and return its path."""
    response = client.post(WEBHOOKS, json={"url": url, **members})
    assert response.status_code == 201, response.text
    return response.headers["Location"]


def read(client: FlaskClient, path: str) -> Any:
    return client.get(path).get_json()


def file_tickets(client: FlaskClient, count: int) -> set[str]:
    return {file_ticket(client, title=f"No {number}")["id"] for number in range(count)}


def test_a_receiver_that_fails_or_hangs_delays_no_other(
    client: FlaskClient, database: Connection, served: Receivers, url: str, tmp_path: Path
) -> None:
    kinds = ("200", "hints", "500", "503", "gone", "hang", "redirect")
    paths = {kind: register(client, served.url(f"/{kind}/a")) for kind in kinds}
    tickets = file_tickets(client, 10)
    with deliverer(url, tmp_path / "log") as process:
        wait_until(lambda: len(served.at("/200/a")) == len(served.at("/hints/a")) == 10)
        assert {received.event["ticket_id"] for received in served.at("/200/a")} == tickets
        wait_until(lambda: len(served.at("/hang/a")) == MAX_SENDING)
        wait_until(lambda: not read(client, paths["gone"])["enabled"])
        wait_until(lambda: all(read(client, paths[kind])["failures"] >= 3 for kind in ("500", "503", "redirect")))

        # More arrive: the healthy one gets them, the one that hangs none, the failing ones wait as a whole.
        before = Counter(received.path for received in served.received)
        file_tickets(client, 5)
        wait_until(lambda: len(served.at("/200/a")) == 15)
        after = Counter(received.path for received in served.received)
        assert after["/hang/a"] == MAX_SENDING
        assert after["/gone/a"] == before["/gone/a"] <= MAX_SENDING
        assert all(3 <= after[f"/{kind}/a"] < 15 for kind in ("500", "503", "redirect"))
        assert "/200/redirected" not in after

        # One probe follows each pause.
        def probe() -> bool:
            database.execute("UPDATE webhooks SET next_attempt_at = 'infinity' WHERE url LIKE '%/redirect/a'")
            wait_until(lambda: read(client, f"{paths['redirect']}/deliveries?state=sending") == [])
            count = len(served.at("/redirect/a"))
            database.execute("UPDATE webhook_deliveries SET next_attempt_at = now() WHERE state = 'pending'")
            database.execute("UPDATE webhooks SET next_attempt_at = now() WHERE url LIKE '%/redirect/a'")
            failures = read(client, paths["redirect"])["failures"]
            wait_until(lambda: read(client, paths["redirect"])["failures"] == failures + 1)
            return len(served.at("/redirect/a")) == count + 1

        assert probe()
        assert probe()
        served.release.set()
        wait_until(lambda: len(served.at("/hang/a")) == 15)
        wait_until(lambda: read(client, paths["hang"])["pending"] == 0)
        assert process.end() == 0
    assert len({received.id for received in served.at("/hang/a")}) == 15, "each once"
    gone, throttled = read(client, paths["gone"]), read(client, paths["503"])
    assert (gone["disabled_reason"], gone["next_attempt_at"]) == ("The receiver responded 410 Gone.", None)
    waits = database.execute(
        "SELECT next_attempt_at > now() + '9 min' FROM webhooks WHERE url LIKE '%/503/a'"
    ).fetchone()
    assert waits == (True,), "Retry-After counts"
    assert throttled["enabled"]
    last = read(client, f"{paths['redirect']}/deliveries?state=pending")[-1]
    assert (last["last_status"], last["last_error"]) == (307, "The status is 307.")
    lines = process.lines
    assert [line["message"] for line in lines][:: len(lines) - 1] == ["deliveries start", "deliveries stopped"]
    assert "No 3" not in process.log.read_text()
    assert "/500/a" not in process.log.read_text()


def test_a_killed_process_loses_nothing_and_repeats_the_same_delivery(
    client: FlaskClient, database: Connection, served: Receivers, url: str, tmp_path: Path
) -> None:
    path = register(client, served.url("/hang/b"))
    with deliverer(url, tmp_path / "log") as process:
        ticket = file_ticket(client)
        wait_until(lambda: served.at("/hang/b"))
        assert process.end(signal.SIGKILL) == -signal.SIGKILL
    served.release.set()
    assert [delivery["state"] for delivery in read(client, f"{path}/deliveries")] == ["sending"]
    with deliverer(url, tmp_path / "log") as process:
        file_ticket(client)  # is delivered although the lease of the first goes on
        wait_until(lambda: len(served.at("/hang/b")) == 2)
        wait_until(lambda: read(client, path)["pending"] == 1)  # otherwise the second is repeated, too
        database.execute("UPDATE webhook_deliveries SET next_attempt_at = now() WHERE state = 'sending'")
        wait_until(lambda: len(served.at("/hang/b")) == 3)
        wait_until(lambda: read(client, path)["pending"] == 0)
        assert process.end() == 0
    first, _, again = served.at("/hang/b")
    assert first.id == again.id
    assert (first.event, again.event["ticket_id"]) == (again.event, ticket["id"])
    assert [delivery["attempts"] for delivery in read(client, f"{path}/deliveries")] == [1, 2]


def test_two_processes_deliver_each_event_once_and_survive_the_loss_of_their_connections(
    client: FlaskClient, database: Connection, served: Receivers, url: str, tmp_path: Path
) -> None:
    path = register(client, served.url("/200/c"))
    sessions = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with deliverer(url, tmp_path / "1") as first, deliverer(url, tmp_path / "2") as second:
        wait_until(lambda: all("deliveries start" in p.log.read_text() for p in (first, second)))
        database.execute(f"SELECT pg_terminate_backend(pid) {sessions}".encode())
        database.execute("INSERT INTO tickets (title, description) SELECT 't', 'd' FROM generate_series(1, 300)")
        wait_until(lambda: read(client, path)["delivered_total"] == 300)
        assert (first.end(), second.end()) == (0, 0)
    counts = Counter(received.event["id"] for received in served.at("/200/c"))
    assert (len(counts), set(counts.values())) == (300, {1})


def test_sigterm_finishes_what_is_under_way(
    client: FlaskClient, database: Connection, served: Receivers, url: str, tmp_path: Path
) -> None:
    path = register(client, served.url("/hang/d"))
    with deliverer(url, tmp_path / "log") as process:
        file_tickets(client, 6)
        wait_until(lambda: len(served.at("/hang/d")) == MAX_SENDING)
        process.process.send_signal(signal.SIGTERM)
        served.release.set()
        assert process.process.wait(60) == 0
    states = Counter(delivery["state"] for delivery in read(client, f"{path}/deliveries"))
    assert states == {"delivered": MAX_SENDING, "pending": 2}
    assert len(served.at("/hang/d")) == MAX_SENDING


def test_a_name_of_a_private_address_is_refused_when_connecting(
    client: FlaskClient, database: Connection, served: Receivers, url: str, tmp_path: Path
) -> None:
    names = [register(client, served.url("/200/e", host)) for host in ("localhost", "127.0.0.1", "0x7f.1")]
    file_ticket(client)
    with deliverer(url, tmp_path / "log", "--once", WEBHOOK_ALLOW_PRIVATE="off") as process:
        assert process.process.wait(60) == 0
    for path in names:
        (delivery,) = read(client, f"{path}/deliveries")
        assert delivery["last_error"] == "The host has no public address, and WEBHOOK_ALLOW_PRIVATE is off."
        assert delivery["state"] == "pending"
    assert served.received == []
