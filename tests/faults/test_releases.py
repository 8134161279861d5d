"""Deploys: migrations by several processes, killed halfway; the previous release on the schema of this one."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import pytest
from psycopg import pq

from tests.conftest import ROOT
from tests.support.postgres import guest
from tests.support.releases import release
from tests.support.tickets import LABELS, TICKET, URL, insert_many
from ticketsvc import migrations
from ticketsvc.application import create_app
from ticketsvc.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


def test_migrations_of_killed_processes_are_complete_in_the_end(
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


# --- the previous release during a deploy: its statements, before and after the migration


class Release:
    """The previous release: a connection on which all its queries were prepared before the migration."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.parameters: dict[str, list[str]] = {}
        for path in sorted(PREVIOUS.glob("sql/*/*.sql")):
            if path.parent.name not in ("functions", "triggers", "files"):
                self._prepare(path)

    def _prepare(self, path: Path) -> None:
        text = path.read_text()
        name = f"{path.parent.name}.{path.stem}"
        self.parameters[name] = re.findall(r"^-- \$\d+ (\w+)", text, re.MULTILINE)
        prepared = self.connection.pgconn.prepare(name.encode(), text.encode())
        assert prepared.status == pq.ExecStatus.COMMAND_OK, f"{name}: {prepared.get_error_message()}"

    def run(self, name: str, **values: str | None) -> list[list[str]]:
        """Run a query with the values of VALUES and others; return its rows in text form, NULL as ""."""
        bound = [{**VALUES, **values}[parameter] for parameter in self.parameters[name]]
        arguments = [None if value is None else value.encode() for value in bound]
        result = self.connection.pgconn.exec_prepared(name.encode(), arguments)  # type: ignore[arg-type] # None is NULL
        assert result.status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK), f"{name}: {result.error_message!r}"
        columns = range(result.nfields)
        return [[(result.get_value(row, c) or b"").decode() for c in columns] for row in range(result.ntuples)]


PREVIOUS = Path(__file__).parent / "previous_release"
PREVIOUS_MIGRATION = "0006"
WRITES = {
    *("tickets.create", "tickets.create_idempotent", "tickets.update", "tickets.delete", "triage.store_suggestion"),
    *("triage.forget", "triage.rebuild", "triage.stop", "stats.rebuild", "session.configure"),
    *("keys.add", "keys.revoke", "keys.touch", "limits.prune"),
}
NOW = {"stats.daily", "health.server", "limits.take", "keys.list"}
"""Queries whose rows depend on the time."""
# fmt: off
VALUES: dict[str, str | None] = {
    **dict.fromkeys(["after_entry", "after_id", "after_key", "before", "since", "versions"]),
    **dict.fromkeys(["created_since", "created_before", "updated_since", "updated_before"]),
    "categories": "{billing,account}", "priorities": "{low,high}", "statuses": "{open,resolved}", "csv": "false",
    "search_patterns": "{%old%}", "excluded_patterns": "{}", "index_patterns": "{%old%}", "index_regex": "",
    "limit": "3", "batches": "1", "characters": "100", "dense": "1", "few": "1", "near": "1", "rare": "1",
    "title": "Old invoice", "description": "An old invoice about money", "category": "billing", "priority": "high",
    "suggested_category": "general", "category_confidence": "0.5", "suggested_by": "offline", "status": None,
    "suggested_priority": None, "priority_confidence": None, "created_by": "ann", "created_request": "r1",
    "author": "r2 bob", "id": "00000000-0000-7000-8000-000000000001", "version": "1", "scope": "read",
    "key": "00000000-0000-0000-0000-00000000000a", "fingerprint": "00000000-0000-0000-0000-00000000000b",
    "hash": "ab" * 32, "subject": "key ann", "window": "60", "tz": "UTC", "text": "old invoice money",
    "name": "ann", "names": "{application_name}", "values": "{old}", "expected": "{0001_tickets,9999_absent}",
}
# fmt: on
"""A value in text form for each parameter of the previous release's queries."""


@pytest.fixture
def previous(new_database: Callable[[], str], tmp_path: Path) -> Iterator[tuple[str, Release]]:
    """A database of the previous release with 40 tickets, three of them training examples, and the release at work."""
    url = new_database()
    shutil.copytree(PREVIOUS / "sql", tmp_path / "sql")
    migrations.apply(url, release(tmp_path, PREVIOUS_MIGRATION))
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        insert_many(connection, 37, step="1 day")
        yield url, Release(connection)


ADDED = {"requester", "assignee", "tags", "metadata", "resolved_at", "first_response_at", "duplicate_of"}
"""The members of a ticket that the previous release did not show."""


def without_additions(rows: dict[str, list[list[str]]]) -> object:
    """Return rows with their JSON decoded, without added members: its spacing may differ."""

    def decoded(value: str) -> object:
        document = json.loads(value) if value[:1] in ("{", "[") else value
        return {name: document[name] for name in document.keys() - ADDED} if isinstance(document, dict) else document

    return {name: [[decoded(value) for value in row] for row in found] for name, found in rows.items()}


def test_every_query_of_the_previous_release_works_on_this_schema(previous: tuple[str, Release]) -> None:
    """Reads return the same rows before and after the migration; each query was prepared before it."""
    url, old = previous
    for number in range(3):
        [[_, _, ticket]] = old.run("tickets.create", title=f"Old invoice {number}")
        old.run("tickets.update", id=ticket, status="resolved", title=None)
    assert old.run("triage.size")[0][0] == "1"  # a number makes no other text
    reads = [name for name in old.parameters if name not in WRITES | NOW]
    values = {name: {"id": ticket} for name in reads}
    values["triage.reclassify_batch"]["after_id"] = str(UUID(int=0))
    before = {name: old.run(name, **values[name]) for name in reads}
    migrations.apply(url)
    after = {name: old.run(name, **values[name]) for name in reads}
    before["triage.size"][0].pop()  # bytes on disk: not seen through a view
    after["triage.size"][0].pop()
    assert without_additions(after) == without_additions(before)
    assert {name for name, rows in after.items() if not rows} == {"keys.find", "stats.check"}
    for name in sorted(WRITES | NOW):
        old.run(name, id=ticket)


def test_the_previous_release_keeps_working_during_a_deploy(previous: tuple[str, Release]) -> None:
    """This release finds its writes after the migration in statistics, search, history and training."""
    url, old = previous
    old.connection.execute("DELETE FROM tickets")
    migrations.apply(url)
    ids = [old.run("tickets.create", title=f"Old {number}")[0][2] for number in range(6)]
    key = {"key": "00000000-0000-0000-0000-0000000000ff"}
    outcomes = [old.run("tickets.create_idempotent", **key)[0], old.run("tickets.create_idempotent", **key)[0]]
    assert [outcome[0] for outcome in outcomes] == ["created", "replayed"]
    assert outcomes[0][1:] == outcomes[1][1:]
    old.connection.execute("UPDATE idempotency_records SET created_at = now() - interval '2 days'")
    old.run("tickets.create_idempotent", key="00000000-0000-0000-0000-0000000000fe")
    assert old.connection.execute("SELECT count(*) FROM idempotency_records").fetchone() == (1,)  # the older was pruned
    old.run(
        "tickets.update", id=ids[0], title="Renamed", category=None, priority=None, description=None, status="closed"
    )
    old.run("tickets.delete", id=ids[1])

    app = create_app(Config(database_url=url))
    client = app.test_client()
    assert client.post(URL, json={**TICKET, **LABELS}).status_code == 201
    figures = client.get(f"{URL}stats/").get_json()
    assert (figures["total_tickets"], figures["category_breakdown"]["billing"], figures["open_tickets"]) == (8, 7, 7)
    assert [ticket["id"] for ticket in client.get(f"{URL}?search=renamed").get_json()] == [ids[0]]
    entries = client.get(f"{URL}{ids[0]}/history").get_json()
    assert [(entry["version"], entry["by"]) for entry in entries] == [(1, "ann"), (2, "bob")]
    assert entries[1]["changes"]["title"] == {"from": "Old 0", "to": "Renamed"}
    assert client.get(f"{URL}{ids[1]}").status_code == 404
    assert client.get(f"{URL}{ids[1]}/history").get_json()[-1]["event"] == "deleted"
    assert old.run("triage.size")[0][0] == old.run("triage.rebuild")[0][0] != "0"
    assert old.run("stats.check") == []
    app.extensions["ticketsvc"].database.close()


def test_an_import_of_the_previous_release_works_on_this_schema(previous: tuple[str, Release]) -> None:
    url, old = previous
    migrations.apply(url)
    queries = {path.stem: path.read_text() for path in PREVIOUS.glob("sql/files/*.sql")}
    with old.connection.transaction():
        old.connection.execute(queries["stage"].encode())
        with old.connection.cursor().copy(queries["fill"].encode()) as copy:
            copy.write_row((1, "An imported one", "-", None, None, None, None, None, None, None))
        stored = psycopg.RawCursor(old.connection)
        assert stored.execute(queries["line_errors"].encode(), [10]).fetchall() == []
        stored.execute(queries["insert"].encode(), ["ann", None])
    old.connection.execute(queries["index"].encode())
    assert len(old.run("tickets.list_newest", limit="100")) == 38
    assert old.run("stats.check") == []


def test_a_role_that_owns_nothing_may_use_the_old_names(previous: tuple[str, Release]) -> None:
    url, _ = previous
    other = guest(url)
    migrations.apply(url)
    with closing(psycopg.connect(other, autocommit=True)) as connection:
        old = Release(connection)
        assert old.run("tickets.create_idempotent")[0][0] == "created"
        assert old.run("triage.token_counts") != []
        assert old.run("stats.check") == []
