"""Failed deployments: concurrent migrations that are killed, and the previous release on the new schema."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from tests.conftest import ROOT
from tests.support.postgres import query
from tests.support.tickets import LABELS, TICKET, URL
from ticketsvc import migrations

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from tests.support.tickets import Connection

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


def test_killed_migrations_complete_in_the_end(new_database: Callable[[], str], database_url: str) -> None:
    """Five processes at a time migrate one database and are killed; then five run to the end."""
    url, choose = new_database(), random.Random(5)
    command = [sys.executable, "-c", APPLY, url]
    for _ in range(3):
        runs = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) for _ in range(5)]
        for run in runs:
            time.sleep(choose.uniform(0.1, 0.6))
            run.kill()
            run.wait()
    runs = [subprocess.Popen(command, cwd=ROOT) for _ in range(5)]
    assert [run.wait(300) for run in runs] == [0] * 5
    assert migrations.pending(url) == []
    assert query(url, SCHEMA) == query(database_url, SCHEMA)


# Statements of the first release, which knows only the columns of migrations/0001_tickets.sql.
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


def test_the_first_release_works_on_the_current_schema(app: Flask, database: Connection) -> None:
    """Run its statements; statistics, search and history of this release then follow."""
    client = app.test_client()
    texts = [f"Old {number}" for number in range(6)]
    rows = [database.execute(CREATE, [text, "An old one.", "billing", "high"]).fetchone() for text in texts]
    ids = [row[0] for row in rows if row]
    database.execute(CHANGE, ["Renamed", ids[0]])
    database.execute(DELETE, [ids[1]])
    assert client.post(URL, json={**TICKET, **LABELS}).status_code == 201
    statistics = client.get(f"{URL}stats/").get_json()
    assert statistics["total_tickets"] == 6
    assert (statistics["category_breakdown"]["billing"], statistics["open_tickets"]) == (5, 5)
    assert [ticket["id"] for ticket in client.get(f"{URL}?search=renamed").get_json()] == [ids[0]]
    entries = client.get(f"{URL}{ids[0]}/history").get_json()
    assert [(entry["version"], entry["by"]) for entry in entries] == [(1, None), (2, None)]
    assert entries[1]["changes"]["title"] == {"from": "Old 0", "to": "Renamed"}
    assert client.get(f"{URL}{ids[1]}").status_code == 404
    assert client.get(f"{URL}{ids[1]}/history").get_json()[-1]["event"] == "deleted"
