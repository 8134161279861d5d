"""flask triage reclassify: suggestions for tickets that were labelled without one"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg

from tests.conftest import ROOT
from tests.support.tickets import URL, file_ticket
from tests.support.training import change, model, suggest
from ticketsvc.commands import triage as module
from ticketsvc.commands.triage import triage as commands
from ticketsvc.enums import CATEGORIES
from ticketsvc.store import training

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.support.tickets import Connection

MAX_ENTRIES = """
    SELECT id, created_at, updated_at, version, category, priority, status, title, description FROM tickets ORDER BY id
"""
REFUND = {"title": "Charged twice", "description": "I was charged twice on my invoice, please refund me."}


def reclassify(app: Flask) -> str:
    result = app.test_cli_runner().invoke(commands, ["reclassify"])
    assert result.exit_code == 0, result.output
    return result.stdout


def import_many(database: Connection, count: int, status: str = "closed") -> None:
    """Tickets with labels of people and no suggestion, each with words of its own."""
    database.execute(
        """
        INSERT INTO tickets (title, description, created_at, category, priority, status)
        SELECT 'Imported', translate('refund ' || n, '0123456789', 'abcdefghij'),
            '2026-01-01'::timestamptz + n * interval '1 second',
            (enum_range(NULL::ticket_category))[1 + n %% 4], 'medium', %s
        FROM generate_series(1, %s) AS n
        """,
        [status, count],
    )


def left(database: Connection) -> object:
    row = database.execute("SELECT count(*) FROM tickets WHERE suggested_by IS NULL").fetchone()
    assert row
    return row[0]


def test_it_works(client: FlaskClient, database: Connection) -> None:
    ticket = file_ticket(client, **REFUND, category="account", priority="low")
    assert reclassify(client.application) == "Suggested labels for 1 tickets.\n"
    row = database.execute(
        "SELECT suggested_category, category_confidence > 0.5, suggested_by FROM tickets WHERE id = %s", [ticket["id"]]
    ).fetchone()
    assert row == ("billing", True, "reclassify")


def test_nothing_but_the_suggestion_changes(app: Flask, database: Connection) -> None:
    import_many(database, 40)
    before = database.execute(MAX_ENTRIES.encode()).fetchall()
    reclassify(app)
    assert database.execute(MAX_ENTRIES.encode()).fetchall() == before
    assert left(database) == 0


def test_the_ticket_still_says_that_its_labels_are_the_callers(client: FlaskClient) -> None:
    """Also where the suggestion is the same: it came afterwards and decided nothing."""
    ticket = file_ticket(client, **REFUND, category="billing", priority="low")
    reclassify(client.application)
    answer = client.get(URL + ticket["id"])
    now = answer.get_json()
    assert now["triage"]["category"] == {"source": "caller", "suggested": "billing"}
    assert now["triage"]["priority"]["source"] == "caller"
    assert (answer.headers["ETag"], now["updated_at"]) == ('"1"', ticket["updated_at"])
    changed = client.patch(URL + ticket["id"], json={"category": "general"}).get_json()
    assert changed["triage"]["category"] == {"source": "caller", "suggested": "billing"}


def test_tickets_with_a_suggestion_are_left_alone(client: FlaskClient, database: Connection) -> None:
    client.post(URL, json=REFUND)
    client.post(URL, json={**REFUND, "category": "general"})
    suggest(database, "anything")
    rows = "SELECT * FROM tickets ORDER BY id"
    before = database.execute(rows.encode()).fetchall()
    assert reclassify(client.application) == "Suggested labels for 0 tickets.\n"
    assert database.execute(rows.encode()).fetchall() == before


def test_a_second_run_finds_nothing_to_do(app: Flask, database: Connection) -> None:
    import_many(database, 10)
    assert reclassify(app) == "Suggested labels for 10 tickets.\n"
    learned = model(database)
    assert reclassify(app) == "Suggested labels for 0 tickets.\n"
    assert model(database) == learned


def test_the_labels_of_people_teach(app: Flask, client: FlaskClient, database: Connection) -> None:
    for number in range(12):
        text = f"zorbling glimmer {'abcdefghijkl'[number] * 5}"
        file_ticket(client, title="A request", description=text, category="account")
    reclassify(app)
    suggestion = client.post(f"{URL}classify/", json={"description": "My glimmer needs zorbling"}).get_json()
    assert (suggestion["category"], suggestion["source"]) == ("account", "learned")
    learned = model(database)
    training.rebuild(app.extensions["ticketsvc"].database)
    assert model(database) == learned


def test_an_open_ticket_whose_labels_agree_teaches_nothing_yet(client: FlaskClient, database: Connection) -> None:
    labels = client.post(f"{URL}classify/", json=REFUND).get_json()
    ticket = file_ticket(client, **REFUND, category=labels["category"], priority=labels["priority"])
    reclassify(client.application)
    assert model(database) == ({}, {})
    client.patch(URL + ticket["id"], json={"status": "resolved"})
    assert len(model(database)[0]) == 1


def test_it_works_in_batches(app: Flask, database: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 3)
    import_many(database, 10)
    assert reclassify(app) == "Suggested labels for 10 tickets.\n"


def test_without_tickets_there_is_nothing_to_do(app: Flask) -> None:
    assert reclassify(app) == "Suggested labels for 0 tickets.\n"


def test_it_says_when_the_database_is_away(make_app: Callable[..., Flask]) -> None:
    app = make_app(database_url="postgresql://ann:hunter2@127.0.0.1:1/none", pool_timeout=0.2)
    result = app.test_cli_runner().invoke(commands, ["reclassify"])
    assert result.exit_code == 1
    assert "its database is unreachable" in result.stderr
    assert "hunter2" not in result.output


def start(url: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "flask", "triage", "reclassify"]
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": url}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_a_killed_run_can_be_run_again(app: Flask, database: Connection, database_url: str) -> None:
    import_many(database, 400)
    run = start(database_url)
    assert run.stderr is not None
    run.stderr.readline()  # it is in the midst of it
    run.kill()
    run.communicate()
    reclassify(app)
    assert left(database) == 0
    learned = model(database)
    training.rebuild(app.extensions["ticketsvc"].database)
    assert model(database) == learned


def test_two_at_once_among_changes_and_a_rebuild_add_up(app: Flask, database: Connection, database_url: str) -> None:
    import_many(database, 150)
    import_many(database, 50, status="open")
    ids = [str(row[0]) for row in database.execute("SELECT id FROM tickets").fetchall()]

    def work(seed: int) -> None:
        chance = random.Random(seed)
        with psycopg.connect(database_url, autocommit=True) as connection:
            for _ in range(60):
                ticket = chance.choice(ids)
                fields = {"category": chance.choice(CATEGORIES), "status": chance.choice(["open", "closed"])}
                change(connection, ticket, **fields)

    runs = [start(database_url), start(database_url)]
    with ThreadPoolExecutor(4) as pool:
        changes = [pool.submit(work, seed) for seed in range(4)]
        training.rebuild(app.extensions["ticketsvc"].database)
        for done in changes:
            done.result()  # raises what a thread raised, such as DeadlockDetected
    for run in runs:
        _, errors = run.communicate(timeout=120)
        assert run.returncode == 0, errors
    reclassify(app)
    assert left(database) == 0
    learned = model(database)
    training.rebuild(app.extensions["ticketsvc"].database)
    assert model(database) == learned
