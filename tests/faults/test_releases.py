"""Deploys that go wrong: migrations by several processes, killed halfway; the release before on the new schema."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import psycopg

from tests.conftest import ROOT
from tests.support.tickets import LABELS, TICKET
from ticketsvc import migrations

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

URL = "/api/tickets/"
APPLY = "import sys; from ticketsvc import migrations; migrations.apply(sys.argv[1])"
SCHEMA = """
    SELECT 'column', table_name || '.' || column_name || ' ' || data_type || ' ' || coalesce(column_default, '')
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL
    SELECT 'index', pg_get_indexdef(indexrelid) || ' ' || indisvalid
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'function', proname || ' ' || md5(prosrc || coalesce(prosqlbody::text, '-')) FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND prosqlbody IS NULL
    UNION ALL
    SELECT 'trigger', pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    ORDER BY 1, 2
"""


def schema(url: str) -> list[Any]:
    with psycopg.connect(url) as database:
        return database.execute(SCHEMA.encode()).fetchall()


def test_migrations_of_five_processes_that_are_killed_are_whole_in_the_end(
    new_database: Callable[[], str], database_url: str
) -> None:
    url, choose = new_database(), random.Random(5)
    command = [sys.executable, "-c", APPLY, url]
    for _ in range(3):
        runs = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) for _ in range(5)]
        for run in runs:
            time.sleep(choose.uniform(0.1, 0.6))
            run.kill()
            run.wait()
    runs = [subprocess.Popen(command, cwd=ROOT) for _ in range(5)]
    assert [run.wait(120) for run in runs] == [0] * 5
    assert migrations.pending(url) == []
    assert schema(url) == schema(database_url)


# What the first release ran, from its sql/tickets: it knows the columns of migrations/0001_tickets.sql and no others.
CREATE = """
    INSERT INTO tickets (id, created_at, updated_at, title, description, category, priority)
    VALUES (uuid_v7(now()), now(), now(), %s::text, %s::text, %s::ticket_category, %s::ticket_priority)
    RETURNING id::text
"""
CHANGE = """
    UPDATE tickets AS t
    SET title = %s::text, status = 'resolved', version = t.version + 1, updated_at = greatest(now(), t.updated_at)
    WHERE t.id = %s::uuid AND t.version = 1
"""
DELETE = "DELETE FROM tickets WHERE id = %s::uuid"


def test_the_release_before_runs_on_the_schema_of_this_one(
    app: Flask, database: psycopg.Connection[tuple[Any, ...]]
) -> None:
    """Its statements, by hand; this release then finds its figures, search and history true."""
    client = app.test_client()
    texts = [f"Old {number}" for number in range(6)]
    rows = [database.execute(CREATE, [text, "An old one.", "billing", "high"]).fetchone() for text in texts]
    ids = [row[0] for row in rows if row]
    database.execute(CHANGE, ["Renamed", ids[0]])
    database.execute(DELETE, [ids[1]])
    assert client.post(URL, json={**TICKET, **LABELS}).status_code == 201
    figures = client.get(f"{URL}stats/").get_json()
    assert (figures["total_tickets"], figures["category_breakdown"]["billing"], figures["open_tickets"]) == (6, 5, 5)
    assert [ticket["id"] for ticket in client.get(f"{URL}?search=renamed").get_json()] == [ids[0]]
    entries = client.get(f"{URL}{ids[0]}/history").get_json()
    assert [(entry["version"], entry["by"]) for entry in entries] == [(1, None), (2, None)]
    assert entries[1]["changes"]["title"] == {"from": "Old 0", "to": "Renamed"}
    assert client.get(f"{URL}{ids[1]}").status_code == 404
    assert client.get(f"{URL}{ids[1]}/history").get_json()[-1]["event"] == "deleted"
