"""The commands `flask tickets import`, `export`, `erase` and `demo`."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT
from tests.support.commands import run, run_flask
from tests.support.postgres import program_files
from tests.support.tickets import TICKET, URL, count_rows, file_ticket, insert_many
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.store.exports import CSV_HEADER
from ticketsvc_dev import demo

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from tests.support.tickets import Connection
    from ticketsvc.store.imports import StagedTicket

NOW = datetime(2026, 11, 23, 6, 30, 15, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("clean")


def flask(url: str, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run `flask tickets` with these arguments."""
    return run_flask("tickets", *arguments, environment={"PATH": os.environ["PATH"], "DATABASE_URL": url}, stdin=stdin)


def lines(number: int) -> bytes:
    return (json.dumps(TICKET) + "\n").encode() * number


# --- import


def test_import_works(database_url: str, database: Connection, tmp_path: Path) -> None:
    file = tmp_path / "old.JSONL"
    file.write_bytes(lines(3000))
    done = flask(database_url, "import", str(file))
    assert (done.returncode, done.stdout) == (0, b"Imported 3,000 tickets.\n")
    assert re.fullmatch(rb"([\d,]+ of [\d,]+ bytes\n)+", done.stderr)
    assert count_rows(database) == 3000


def test_import_reads_standard_input(database_url: str, database: Connection) -> None:
    done = flask(database_url, "import", "-", "--format", "csv", stdin=b"title,description\na,b\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"Imported 1 tickets.\n", b"")
    assert count_rows(database) == 1


def test_import_draws_a_bar_on_a_terminal(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "old.ndjson"
    file.write_bytes(lines(3000))
    controller, terminal = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": database_url, "TERM": "xterm"}
    command = [sys.executable, "-m", "flask", "tickets", "import", str(file)]
    subprocess.run(
        command, cwd=ROOT, env=environment, stdin=terminal, stdout=terminal, stderr=terminal, check=True, timeout=300
    )
    os.close(terminal)
    shown = os.read(controller, 65_536)
    os.close(controller)
    assert b"###" in shown
    assert b"Imported 3,000 tickets." in shown


def test_import_reports_every_invalid_line(database_url: str, database: Connection) -> None:
    content = lines(2) + b'{"title": " ", "description": "b"}\n{\n'
    done = flask(database_url, "import", "-", "--format", "ndjson", stdin=content)
    assert (done.returncode, done.stdout) == (1, b"")
    printed = done.stderr.decode().splitlines()
    assert printed[0] == "Error: Nothing was imported. Errors: 2, in lines: 2."
    assert printed[1] == "line 3: title must not be empty."
    assert printed[2].startswith("line 4: The line is not JSON: ")
    assert len(printed) == 3
    assert count_rows(database) == 0


def test_import_has_the_parameters_of_the_api(database_url: str, database: Connection) -> None:
    options = ["--columns", "title:Subject", "--columns", "description:Body,created_at:Date", "--tz", "Asia/Tokyo"]
    options += ["--map", "priority=Really urgent:critical,normal:medium", "--map", "status=solved:resolved"]
    content = b"Subject;Body;Date;Priority;Status;Agent\na;b;2024-03-01 10:00:00;REALLY URGENT;solved;Kim\n"
    done = flask(database_url, "import", "-", "--format", "csv", *options, stdin=content)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b"Imported 1 tickets.\nIgnored columns: Agent.\n"
    row = database.execute("SELECT title, priority::text, status::text, rfc3339(created_at) FROM tickets").fetchone()
    assert row == ("a", "critical", "resolved", "2024-03-01T01:00:00.000Z")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--columns", "name:Subject"),
        ("--map", "priority"),
        ("--map", "title=a:b"),
        ("--map", "priority=a"),
        ("--tz", "x"),
    ],
)
def test_import_rejects_bad_options_as_the_api_does(
    database_url: str, database: Connection, option: str, value: str
) -> None:
    done = flask(database_url, "import", "-", "--format", "csv", option, value, stdin=b"title,description\na,b\n")
    assert (done.returncode, done.stdout) == (2, b"")
    assert option.strip("-").encode() in done.stderr
    assert count_rows(database) == 0


def test_import_requires_a_format_for_unknown_file_names(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_bytes(lines(1))
    for name in (str(tmp_path / "old.txt"), "-"):
        done = flask(database_url, "import", name)
        assert done.returncode == 2
        assert b"--format ndjson or --format csv" in done.stderr
    assert b"does not exist" in flask(database_url, "import", str(tmp_path / "absent.csv")).stderr


# --- export


def test_export_works(database_url: str, database: Connection, tmp_path: Path) -> None:
    insert_many(database, 200)
    done = flask(database_url, "export", "--status", "open", "--priority", "low", "--priority", "high")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert {(ticket["status"], ticket["priority"]) for ticket in found} == {("open", "low"), ("open", "high")}
    assert done.stderr == b""
    file = tmp_path / "all.csv"
    assert flask(database_url, "export", "-o", str(file)).returncode == 0
    assert file.read_bytes().startswith(CSV_HEADER)
    assert file.read_bytes().count(b"\r\n") == 201
    assert [path.name for path in tmp_path.iterdir()] == ["all.csv"]


def test_export_and_import_give_the_same_tickets(database_url: str, database: Connection, tmp_path: Path) -> None:
    insert_many(database, 100)
    first, second = tmp_path / "first.csv", tmp_path / "second.ndjson"
    kept = (
        "SELECT title, description, category, priority, status, created_at, updated_at, resolved_at"
        " FROM tickets ORDER BY id"
    )
    database.execute("UPDATE tickets SET resolved_at = created_at + interval '1 hour' WHERE status <> 'open'")
    before = database.execute(kept.encode()).fetchall()
    for file, ignored in ((first, b"id, version, duplicate_of"), (second, b"id, version, triage, duplicate_of")):
        assert flask(database_url, "export", "-o", str(file)).returncode == 0
        database.execute("TRUNCATE tickets")
        done = flask(database_url, "import", str(file))
        assert done.stdout == b"Imported 100 tickets.\nIgnored columns: " + ignored + b".\n"
    assert database.execute(kept.encode()).fetchall() == before


def test_export_rejects_bad_filters_as_the_list_does(database_url: str) -> None:
    done = flask(database_url, "export", "--status", "new", "--created-since", "yesterday")
    assert done.returncode == 2
    assert b"status must be one or more of open, in_progress, resolved, closed." in done.stderr
    assert b"created_since must be a date" in done.stderr


def test_export_filters_by_people_tags_and_metadata(database_url: str, database: Connection) -> None:
    insert_many(database, 5)
    database.execute(
        "UPDATE tickets SET requester = 'Ann', tags = '{a}', metadata = '{\"plan\": \"a=b\"}' WHERE title = 'Ticket 2'"
    )
    options = ("--requester", "ann", "--requester", "bob", "--assigned", "false", "--tags", "A,b", "--tags-all", "a")
    done = flask(database_url, "export", *options, "--metadata", "plan=a=b", "--metadata", "plan=other")
    assert [json.loads(line)["title"] for line in done.stdout.splitlines()] == ["Ticket 2"]


@pytest.mark.parametrize(
    ("option", "error"),
    [
        (["--metadata", "plan"], b"metadata has a key: metadata[KEY]=VALUE."),
        (["--metadata", "a b=1"], b"metadata[a b] must have a key of 1 to 40 letters"),
        (["--assigned", "maybe"], b"assigned must be true or false."),
    ],
)
def test_export_explains_invalid_filters_by_attributes(database_url: str, option: list[str], error: bytes) -> None:
    done = flask(database_url, "export", *option)
    assert done.returncode == 2
    assert error in b" ".join(done.stderr.split())


def test_a_failed_export_leaves_no_file(tmp_path: Path) -> None:
    file = tmp_path / "all.csv"
    file.write_text("yesterday's")
    status, printed = run(
        "flask", "tickets", "export", "-o", str(file), DATABASE_URL="postgresql://ann:hunter2@127.0.0.1:1/tickets"
    )
    assert (status, printed.count("\n")) == (1, 1)
    assert printed.startswith("Error: ")
    assert "hunter2" not in printed
    assert file.read_text() == "yesterday's"
    assert [path.name for path in tmp_path.iterdir()] == ["all.csv"]


# --- erase


def test_erase_deletes_everything_about_a_requester(
    client: FlaskClient, database_url: str, database: Connection
) -> None:
    key = {"Idempotency-Key": "erased"}
    body = {**TICKET, "requester": "Kim@Example.com", "metadata": {"contract": "gold-nugget"}}
    erased = client.post(URL, json=body, headers=key).get_json()
    client.patch(URL + erased["id"], json={"title": "Secret title", "status": "resolved"})
    client.post(f"{URL}{erased['id']}/comments/", json={"body": "Secret reply", "author": "Kim"})
    other = file_ticket(client, title="Other", description="Other", requester="kim@example.org")
    done = flask(database_url, "erase", "--requester", "kim@EXAMPLE.com", "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == b"kim@EXAMPLE.com has 1 tickets with 1 comments."
    assert done.stdout.splitlines()[1].startswith(b"Erased 1 tickets.")
    assert client.get(URL + erased["id"]).status_code == 404
    assert client.get(URL + other["id"]).get_json() == other
    dump = subprocess.run(
        [f"{program_files()}/pg_dump", "--data-only", database_url], check=True, capture_output=True, text=True
    ).stdout
    assert "kim@example.org" in dump
    traces = ("kim@example.com", "secret title", "secret reply", "gold-nugget", "cannot log in", "wrong password")
    assert [trace for trace in traces if trace in dump.lower()] == []
    events = [entry["event"] for entry in client.get(f"{URL}{erased['id']}/history").get_json()]
    assert events == ["created", "changed", "commented", "deleted"]
    again = flask(database_url, "erase", "--requester", "kim@example.com", "--yes")
    assert (again.returncode, again.stdout) == (0, b"kim@example.com has 0 tickets with 0 comments.\n")


def test_erase_asks_first(client: FlaskClient, database_url: str, database: Connection) -> None:
    file_ticket(client, requester="kim")
    assert flask(database_url, "erase", "--requester", "kim", stdin=b"n\n").returncode == 1
    done = flask(database_url, "erase", "--requester", "kim", "--dry-run")
    assert (done.returncode, done.stdout) == (0, b"kim has 1 tickets with 0 comments.\n")
    assert flask(database_url, "erase").returncode == 2
    assert flask(database_url, "erase", "--requester", " ").returncode == 2
    assert count_rows(database) == 1
    assert flask(database_url, "erase", "--requester", "kim", stdin=b"y\n").returncode == 0
    assert count_rows(database) == 0


def test_erase_works_in_batches(database_url: str, database: Connection) -> None:
    insert_many(database, 1201)
    database.execute("UPDATE tickets SET requester = 'kim' WHERE title <> 'Ticket 7'")
    done = flask(database_url, "erase", "--requester", "kim", "--yes")
    assert done.stdout.startswith(b"kim has 1,200 tickets with 0 comments.\nErased 1,200 tickets.")
    assert b"1,200 of 1,200 tickets" in done.stderr
    assert count_rows(database) == 1
    assert count_rows(database, "ticket_attributes") == 0


# --- demo


def test_demo_works(database_url: str, database: Connection) -> None:
    done = flask(database_url, "demo", "1500", "--seed", "7")
    assert (done.returncode, done.stdout) == (0, b"Imported 1,500 tickets.\n")
    assert done.stderr.endswith(b"1,500 of 1,500 tickets\n")
    row = database.execute("SELECT count(*), min(created_at), max(updated_at) FROM tickets").fetchone()
    assert row
    number, oldest, newest = row
    assert number == 1500
    assert isinstance(oldest, datetime)
    assert isinstance(newest, datetime)
    assert timedelta(days=350) < datetime.now(UTC) - oldest < timedelta(days=366)
    assert newest <= datetime.now(UTC)
    assert triage_figures(database) == {"kept": True, "corrected": True, "not judged": True}
    assert run("flask", "stats", "check", DATABASE_URL=database_url)[0] == 0


def triage_figures(database: Connection) -> dict[str, bool]:
    """Return whether there are tickets with each outcome of a suggested priority."""
    judged, suggested = "priority_label(t) IS NOT NULL", "suggested_priority IS NOT NULL"
    row = database.execute(
        f"SELECT bool_or({judged} AND priority = suggested_priority), bool_or(priority <> suggested_priority),"
        f" bool_or({suggested} AND NOT {judged}) FROM tickets AS t".encode()
    ).fetchone()
    assert row
    return dict(zip(("kept", "corrected", "not judged"), map(bool, row), strict=True))


@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_demo_rejects_invalid_numbers(database_url: str, number: str) -> None:
    assert flask(database_url, "demo", "--", number).returncode == 2


@cache
def demo_tickets(number: int) -> list[StagedTicket]:
    """Return demo tickets, which the tests share: making them takes seconds."""
    return list(demo.tickets(number, 1, NOW))


def test_demo_tickets_depend_on_the_seed_only() -> None:
    assert list(demo.tickets(300, 1, NOW)) == list(demo.tickets(300, 1, NOW))
    assert list(demo.tickets(300, 1, NOW)) != list(demo.tickets(300, 2, NOW))


@pytest.mark.parametrize("number", [1, 7, 999, 20_000])
def test_demo_tickets_are_plausible(number: int) -> None:
    made = demo_tickets(number)
    assert len(made) == number
    assert [ticket.created_at for ticket in made] == sorted(str(ticket.created_at) for ticket in made)
    for ticket in made:
        assert ticket.created_at
        assert ticket.updated_at
        assert (ticket.resolved_at is not None) == (ticket.status in ("resolved", "closed"))
        times = (ticket.created_at, ticket.resolved_at or ticket.created_at, ticket.updated_at)
        created, resolved, updated = map(datetime.fromisoformat, times)
        assert NOW - timedelta(days=365) <= created <= resolved <= updated <= NOW
        assert ticket.title
        assert ticket.description
        assert len(ticket.title) <= 200
        assert not re.search(r"[{}|]", ticket.title + ticket.description)


@pytest.mark.parametrize("number", [50, 200, 20_000])
def test_demo_tickets_show_what_waits(number: int) -> None:
    made = demo_tickets(number)
    waiting = [ticket for ticket in made if ticket.status in ("open", "in_progress")]
    assert sum(ticket.priority == "critical" for ticket in waiting) >= 3
    assert {ticket.status for ticket in waiting} == {"open", "in_progress"}
    if number >= 200:
        ages = sorted((NOW - datetime.fromisoformat(str(ticket.created_at))).days for ticket in waiting)
        assert len(ages) > 20
        assert ages[0] < 7 < 30 < ages[-1]


def test_demo_tickets_of_higher_priority_are_resolved_sooner() -> None:
    hours: dict[str | None, list[timedelta]] = {}
    for ticket in demo_tickets(20_000):
        if ticket.resolved_at:
            taken = datetime.fromisoformat(ticket.resolved_at) - datetime.fromisoformat(str(ticket.created_at))
            hours.setdefault(ticket.priority, []).append(taken)
    medians = [sorted(hours[priority])[len(hours[priority]) // 2] for priority in reversed(PRIORITIES)]
    assert medians == sorted(medians)
    assert timedelta(hours=2) < medians[0] < timedelta(hours=8)


def test_demo_tickets_have_all_labels_and_old_ones_are_closed() -> None:
    made = demo_tickets(20_000)
    assert {ticket.category for ticket in made} == set(CATEGORIES)
    assert {ticket.priority for ticket in made} == set(PRIORITIES)
    assert {ticket.status for ticket in made} == set(STATUSES)
    old, new = list(islice(made, 5000)), made[-50:]
    assert sum(ticket.status == "closed" for ticket in old) > 4900
    assert sum(ticket.status in ("open", "in_progress") for ticket in new) > 25
    assert all(ticket.created_at == ticket.updated_at for ticket in made if ticket.status == "open")
    hours = [datetime.fromisoformat(str(ticket.created_at)) for ticket in made]
    assert sum(hour.weekday() < 5 for hour in hours) > 0.85 * len(made)


def test_demo_tickets_have_people_tags_and_metadata() -> None:
    made = demo_tickets(5_000)
    assert len({ticket.requester for ticket in made}) > 200
    assert len({ticket.assignee for ticket in made}) == 6
    open_ones = [ticket for ticket in made if ticket.status == "open"]
    assert 0.5 < sum(ticket.assignee is None for ticket in open_ones) / len(open_ones) < 0.95
    assert {len(ticket.tags or ()) for ticket in made} == {0, 1, 2, 3}
    assert all(ticket.tags is None or ticket.tags == sorted(set(ticket.tags)) for ticket in made)
    assert 0.1 < sum(ticket.metadata is not None for ticket in made) / len(made) < 0.3
    for ticket in made:
        assert (ticket.first_response_at is None) == (ticket.status == "open")
        if ticket.first_response_at:
            times = (ticket.created_at, ticket.first_response_at, ticket.resolved_at or ticket.updated_at)
            created, responded, ended = map(datetime.fromisoformat, map(str, times))
            assert created <= responded <= ended
