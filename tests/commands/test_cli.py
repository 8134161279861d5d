"""The command `flask migrate`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.commands import run
from ticketsvc import __version__, migrations

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_migrate_works(new_database: Callable[[], str]) -> None:
    url = new_database()
    applied = "".join(f"apply {migration}\n" for migration in sorted(migrations.expected_ids()))
    definitions = len(migrations.pending(url)) - len(migrations.expected_ids())
    applied += f"apply {definitions} definitions of functions and triggers\n"
    assert run("flask", "migrate", DATABASE_URL=url) == (0, applied)
    assert run("flask", "migrate", DATABASE_URL=url) == (0, "The database is up to date.\n")
    assert migrations.pending(url) == []


def test_migrate_reports_an_unreachable_database() -> None:
    status, printed = run("flask", "migrate", DATABASE_URL="postgresql://ann:hunter2@127.0.0.1:1/tickets")
    assert status == 1
    assert printed.startswith('Error: Cannot migrate database "tickets" on 127.0.0.1 as "ann"')
    assert len(printed.splitlines()) == 1
    assert "hunter2" not in printed


def test_commands_say_why_a_database_is_unreachable() -> None:
    status, printed = run("flask", "keys", "list", DATABASE_URL="postgresql://ann:hunter2@127.0.0.1:1/tickets")
    assert (status, len(printed.splitlines()), "hunter2" in printed) == (1, 1, False)
    assert re.match('Error: Cannot read database "tickets" on 127.0.0.1 as "ann": .*Connection refused', printed)


@pytest.mark.parametrize("command", ["keys list", "tickets demo 10", "stats check", "triage info"])
def test_commands_refuse_a_database_that_is_not_migrated(new_database: Callable[[], str], command: str) -> None:
    printed = run("flask", *command.split(), DATABASE_URL=new_database())
    assert printed == (1, "Error: The database is not up to date. Run `flask migrate` first.\n")


def test_migrate_reports_an_invalid_url() -> None:
    status, printed = run("flask", "migrate", DATABASE_URL="postgresql://ann:hunter2@[::1/tickets")
    assert status == 1
    assert printed.startswith("DATABASE_URL has a character where it is not allowed.")
    assert "hunter2" not in printed


def test_version_prints_the_version_without_a_database() -> None:
    printed = run("flask", "version", DATABASE_URL="postgresql://127.0.0.1:1/tickets")
    assert printed == (0, f"Ticket service {__version__}\n")


def test_help_needs_no_database() -> None:
    status, printed = run("flask", "--help", DATABASE_URL="postgresql://ann:hunter2@127.0.0.1:1/tickets")
    assert status == 0
    assert re.search("migrate +Bring the database up to date.", printed)
    assert "hunter2" not in printed
    assert run("flask", "migrate", "--help", DATABASE_URL="postgresql://127.0.0.1:1/")[0] == 0


def test_migrate_starts_the_embedded_server_and_stops_it(tmp_path: Path) -> None:
    url = f"embedded:{tmp_path / 'postgres'}"
    assert run("flask", "migrate", DATABASE_URL=url)[0] == 0
    assert run("flask", "migrate", DATABASE_URL=url)[1].endswith("The database is up to date.\n")
    assert not (tmp_path / "postgres" / "data" / "postmaster.pid").exists()
