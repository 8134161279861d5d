"""The command `flask triage reclassify`: suggestions for tickets that have none."""

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

COLUMNS = """
    SELECT id, created_at, updated_at, version, category, priority, status, title, description FROM tickets ORDER BY id
"""
REFUND = {"title": "Charged twice", "description": "I was charged twice on my invoice, please refund me."}


def reclassify(app: Flask) -> str:
    result = app.test_cli_runner().invoke(commands, ["reclassify"])
    assert result.exit_code == 0, result.output
    return result.stdout


def import_many(database: Connection, count: int, status: str = "closed") -> None:
    """Insert tickets with labels and without a suggestion, each with different words."""
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


def count_without_suggestion(database: Connection) -> object:
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


def test_only_the_suggestion_changes(app: Flask, database: Connection) -> None:
    import_many(database, 40)
    before = database.execute(COLUMNS.encode()).fetchall()
    reclassify(app)
    assert database.execute(COLUMNS.encode()).fetchall() == before
    assert count_without_suggestion(database) == 0


def test_the_source_of_the_labels_does_not_change(client: FlaskClient) -> None:
    """Also if the suggestion equals the label, because it was made later."""
    ticket = file_ticket(client, **REFUND, category="billing", priority="low")
    reclassify(client.application)
    response = client.get(URL + ticket["id"])
    now = response.get_json()
    assert now["triage"]["category"] == {"source": "caller", "suggested": "billing"}
    assert now["triage"]["priority"]["source"] == "caller"
    assert (response.headers["ETag"], now["updated_at"]) == ('"1"', ticket["updated_at"])
    changed = client.patch(URL + ticket["id"], json={"category": "general"}).get_json()
    assert changed["triage"]["category"] == {"source": "caller", "suggested": "billing"}


def test_tickets_with_a_suggestion_do_not_change(client: FlaskClient, database: Connection) -> None:
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


def test_labels_of_people_become_training_examples(app: Flask, client: FlaskClient, database: Connection) -> None:
    for number in range(12):
        text = f"zorbling glimmer {'abcdefghijkl'[number] * 5}"
        file_ticket(client, title="A request", description=text, category="account")
    reclassify(app)
    suggestion = client.post(f"{URL}classify/", json={"description": "My glimmer needs zorbling"}).get_json()
    assert (suggestion["category"], suggestion["source"]) == ("account", "learned")
    learned = model(database)
    training.rebuild(app.extensions["ticketsvc"].database)
    assert model(database) == learned


def test_an_open_ticket_with_kept_labels_is_no_training_example(client: FlaskClient, database: Connection) -> None:
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


def test_without_tickets_no_suggestions_are_stored(app: Flask) -> None:
    assert reclassify(app) == "Suggested labels for 0 tickets.\n"


def test_it_reports_an_unreachable_database(make_app: Callable[..., Flask]) -> None:
    app = make_app(database_url="postgresql://ann:hunter2@127.0.0.1:1/none", pool_timeout=0.2)
    result = app.test_cli_runner().invoke(commands, ["reclassify"])
    assert result.exit_code == 1
    assert result.stderr.startswith('Error: Cannot read database "none" on 127.0.0.1 as "ann": ')
    assert "hunter2" not in result.output


def start(url: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "flask", "triage", "reclassify"]
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": url}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_a_killed_run_can_be_repeated(app: Flask, database: Connection, database_url: str) -> None:
    import_many(database, 400)
    run = start(database_url)
    assert run.stderr is not None
    run.stderr.readline()  # the first progress line shows that it is running
    run.kill()
    run.communicate()
    reclassify(app)
    assert count_without_suggestion(database) == 0
    learned = model(database)
    training.rebuild(app.extensions["ticketsvc"].database)
    assert model(database) == learned


def test_concurrent_runs_changes_and_a_rebuild_count_correctly(
    app: Flask, database: Connection, database_url: str
) -> None:
    import_many(database, 150)
    import_many(database, 50, status="open")
    ids = [str(row[0]) for row in database.execute("SELECT id FROM tickets").fetchall()]

    def work(seed: int) -> None:
        rng = random.Random(seed)
        with psycopg.connect(database_url, autocommit=True) as connection:
            for _ in range(60):
                ticket = rng.choice(ids)
                fields = {"category": rng.choice(CATEGORIES), "status": rng.choice(["open", "closed"])}
                change(connection, ticket, **fields)

    runs = [start(database_url), start(database_url)]
    with ThreadPoolExecutor(4) as pool:
        changes = [pool.submit(work, seed) for seed in range(4)]
        training.rebuild(app.extensions["ticketsvc"].database)
        for done in changes:
            done.result()  # raises the exceptions of the threads, such as DeadlockDetected
    for run in runs:
        _, errors = run.communicate(timeout=300)
        assert run.returncode == 0, errors
    reclassify(app)
    assert count_without_suggestion(database) == 0
    learned = model(database)
    training.rebuild(app.extensions["ticketsvc"].database)
    assert model(database) == learned
