"""The migration runner, on real databases, with real processes where several or killed ones matter."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.support.locks import wait_until
from tests.support.postgres import execute, query
from ticketsvc import migrations
from ticketsvc.migrations import MIGRATIONS, MigrationError, Patience, engine, ledger
from ticketsvc.migrations.guard import LOCK_NUMBER
from ticketsvc.migrations.session import parameters

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytest_plugins = ("tests.support.postgres",)

IMPATIENT = Patience(lock_timeout=0.1, attempts=2, pause=0.05, turn=0.5)

# What `script` runs in a process of its own: apply(url, directory), printing what it applied.
APPLY = """
import sys, pathlib
from ticketsvc import migrations
print(*migrations.apply(sys.argv[1], pathlib.Path(sys.argv[2])))
"""


@pytest.fixture
def url(new_database: Callable[[], str]) -> str:
    return new_database()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    write(tmp_path, "0001_animals", "CREATE TABLE animals (name text);", "DROP TABLE animals;")
    write(tmp_path, "0002_plants", "CREATE TABLE plants (name text);", "DROP TABLE plants;")
    return tmp_path


def write(directory: Path, name: str, up: str, down: str | None = None) -> None:
    (directory / f"{name}.sql").write_text(up)
    if down is not None:
        (directory / f"{name}.rollback.sql").write_text(down)


def tables(url: str) -> set[str]:
    rows = query(url, "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
    return {row[0] for row in rows if not row[0].startswith(("_", "yoyo"))}


def applying(url: str, directory: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", APPLY, url, str(directory)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=MIGRATIONS.parent)


def test_it_works(url: str, directory: Path) -> None:
    steps: list[str] = []
    assert migrations.pending(url, directory) == ["0001_animals", "0002_plants"]
    assert migrations.apply(url, directory, steps.append) == ["0001_animals", "0002_plants"]
    assert steps == ["apply 0001_animals", "apply 0002_plants"]
    assert tables(url) == {"animals", "plants"}
    assert migrations.pending(url, directory) == []
    assert migrations.apply(url, directory) == []


def test_what_is_expected_is_what_yoyo_marks(url: str, directory: Path) -> None:
    migrations.apply(url, directory)
    marked = {row[0] for row in query(url, "SELECT migration_id FROM _yoyo_migration")}
    assert migrations.expected_ids(directory) == marked


def test_the_schema_goes_up_and_down_and_up_again(url: str) -> None:
    everything = sorted(migrations.expected_ids())
    assert migrations.apply(url) == everything
    before = tables(url)
    assert migrations.rollback(url, len(everything)) == everything[::-1]
    assert tables(url) == set()
    leftovers = query(
        url,
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')",
    )
    leftovers += query(url, "SELECT typname FROM pg_type WHERE typtype = 'e' AND typnamespace = 'public'::regnamespace")
    assert leftovers == []
    assert migrations.apply(url) == everything
    assert tables(url) == before


def test_it_rolls_back_the_latest_first(url: str, directory: Path) -> None:
    migrations.apply(url, directory)
    assert migrations.rollback(url, 1, directory) == ["0002_plants"]
    assert tables(url) == {"animals"}
    assert migrations.pending(url, directory) == ["0002_plants"]


def test_it_undoes_nothing_when_a_rollback_is_missing(url: str, directory: Path) -> None:
    (directory / "0001_animals.rollback.sql").unlink()
    migrations.apply(url, directory)
    with pytest.raises(MigrationError, match=r"0001_animals\.rollback\.sql is missing"):
        migrations.rollback(url, 2, directory)
    assert tables(url) == {"animals", "plants"}


def test_a_failing_migration_leaves_nothing_and_can_be_corrected(url: str, directory: Path) -> None:
    write(directory, "0003_broken", "CREATE TABLE half (a int); CREATE TABLE half (a int);")
    with pytest.raises(MigrationError, match=r'0003_broken\.sql fails: relation "half" already exists\. Nothing'):
        migrations.apply(url, directory)
    assert tables(url) == {"animals", "plants"}
    write(directory, "0003_broken", "CREATE TABLE whole (a int);")
    assert migrations.apply(url, directory) == ["0003_broken"]


def test_it_runs_outside_a_transaction_when_a_file_asks_for_it(url: str, directory: Path) -> None:
    concurrent = "-- transactional: false\nCREATE INDEX CONCURRENTLY names ON animals (name);"
    write(directory, "0003_names", concurrent, "-- transactional: false\nDROP INDEX CONCURRENTLY names;")
    assert "0003_names" in migrations.apply(url, directory)
    assert migrations.rollback(url, 1, directory) == ["0003_names"]


# --- edited, renamed and foreign migrations


@pytest.mark.parametrize("more", [False, True])
def test_it_refuses_an_edited_file(url: str, directory: Path, more: bool) -> None:
    migrations.apply(url, directory)
    write(directory, "0001_animals", "CREATE TABLE animals (name text, legs int);")
    if more:
        write(directory, "0003_stones", "CREATE TABLE stones ();")
    with pytest.raises(MigrationError, match=r"0001_animals\.sql was edited after it was applied"):
        migrations.apply(url, directory)
    assert "stones" not in tables(url)


def test_other_line_endings_are_no_edit(url: str, directory: Path) -> None:
    write(directory, "0001_animals", "CREATE TABLE animals (\nname text);\n")
    migrations.apply(url, directory)
    (directory / "0001_animals.sql").write_bytes(b"CREATE TABLE animals (\r\nname text);\r\n")
    assert migrations.apply(url, directory) == []


def test_it_adopts_what_was_marked_without_a_fingerprint(url: str, directory: Path) -> None:
    migrations.apply(url, directory)
    execute(url, "DROP TABLE _migration_content")
    assert migrations.apply(url, directory) == []
    write(directory, "0001_animals", "-- edited")
    with pytest.raises(MigrationError, match="edited"):
        migrations.apply(url, directory)


def test_an_older_release_runs_on_a_newer_schema(url: str, directory: Path) -> None:
    write(directory, "0003_newer", "CREATE TABLE newer ();", "DROP TABLE newer;")
    migrations.apply(url, directory)
    for path in directory.glob("0003*"):
        path.unlink()
    steps: list[str] = []
    assert migrations.apply(url, directory, steps.append) == []
    assert steps == ["0003_newer is of a newer release: left alone"]
    with pytest.raises(MigrationError, match="A newer release applied 0003_newer"):
        migrations.rollback(url, 1, directory)


@pytest.mark.parametrize("name", ["post-apply", "tickets", "1_tickets"])
def test_it_rejects_a_name_without_its_number(tmp_path: Path, name: str) -> None:
    write(tmp_path, name, "SELECT 1;")
    with pytest.raises(MigrationError, match=re.escape(f"{name}.sql: name a migration like 0001_tickets.sql")):
        migrations.expected_ids(tmp_path)


def test_it_rejects_a_missing_directory(tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match="There is no directory"):
        migrations.expected_ids(tmp_path / "absent")


def test_it_rejects_an_unknown_dependency(url: str, directory: Path) -> None:
    write(directory, "0003_orphan", "-- depends: 0000_absent\nSELECT 1;")
    with pytest.raises(MigrationError, match=r"0003_orphan\.sql: correct its line `-- depends:`"):
        migrations.apply(url, directory)


# --- several processes, killed ones, busy tables


def test_ten_processes_at_once_apply_each_migration_once(url: str, directory: Path) -> None:
    # The concurrent index is the hard one: it waits for every statement that holds a snapshot.
    write(directory, "0003_names", "-- transactional: false\nCREATE INDEX CONCURRENTLY names ON animals (name);")
    write(directory, "0004_slow", "SELECT pg_sleep(0.5); CREATE TABLE slow ();")
    processes = [applying(url, directory) for _ in range(10)]
    outcomes = [(*process.communicate(timeout=300), process.returncode) for process in processes]
    assert [(errors, code) for _, errors, code in outcomes] == [("", 0)] * 10
    applied = [word for printed, _, _ in outcomes for word in printed.split() if word.startswith("000")]
    assert sorted(applied) == ["0001_animals", "0002_plants", "0003_names", "0004_slow"]


def test_a_killed_run_leaves_nothing_in_the_way(url: str, directory: Path) -> None:
    write(directory, "0003_long", "CREATE TABLE long (); SELECT pg_sleep(600);")
    with applying(url, directory) as process:
        sleeping = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
        wait_until(lambda: query(url, sleeping))
        # As it is when the process dies inside yoyo's own critical section.
        execute(url, "INSERT INTO yoyo_lock (locked, ctime, pid) VALUES (1, now(), 1)")
        process.kill()
    write(directory, "0003_long", "CREATE TABLE long ();")
    assert migrations.apply(url, directory, patience=Patience(turn=30)) == ["0003_long"]


@pytest.mark.parametrize("crash", ["mark_one", "record"])
def test_a_crash_at_the_mark_undoes_the_migration(
    url: str, directory: Path, crash: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from yoyo.backends.base import DatabaseBackend  # type: ignore[import-untyped]

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(DatabaseBackend if crash == "mark_one" else ledger, crash, die)
        with pytest.raises(KeyboardInterrupt):
            migrations.apply(url, directory)
    assert tables(url) == set()
    assert migrations.apply(url, directory) == ["0001_animals", "0002_plants"]


def test_it_waits_for_a_busy_table(url: str, directory: Path) -> None:
    migrations.apply(url, directory)
    write(directory, "0003_legs", "ALTER TABLE animals ADD legs int;")
    steps: list[str] = []
    patience = Patience(lock_timeout=0.2, pause=0.01)
    with psycopg.connect(url) as busy:
        busy.execute("SELECT * FROM animals")

        def report(step: str) -> None:
            steps.append(step)
            if "busy" in step:
                busy.rollback()

        assert migrations.apply(url, directory, report, patience) == ["0003_legs"]
    assert steps == ["apply 0003_legs", "0003_legs.sql: a table is busy (attempt 1 of 5)"]


def test_it_gives_up_on_a_table_that_stays_busy(url: str, directory: Path) -> None:
    migrations.apply(url, directory)
    write(directory, "0003_legs", "CREATE TABLE shoes (); ALTER TABLE animals ADD legs int;")
    with psycopg.connect(url) as busy:
        busy.execute("SELECT * FROM animals")
        with pytest.raises(MigrationError, match=r"0003_legs\.sql needs a table that stays busy.* quieter time"):
            migrations.apply(url, directory, patience=IMPATIENT)
    assert tables(url) == {"animals", "plants"}
    assert migrations.apply(url, directory) == ["0003_legs"]


def test_it_gives_up_on_another_run_that_does_not_end(url: str, directory: Path) -> None:
    steps: list[str] = []
    with psycopg.connect(url) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [LOCK_NUMBER])
        with pytest.raises(MigrationError, match="Another process has been migrating"):
            migrations.apply(url, directory, steps.append, IMPATIENT)
    assert steps == ["waiting for another process that is migrating"]


# --- who connects, and how


def test_a_role_without_rights_may_check_but_not_migrate(url: str, directory: Path) -> None:
    role = f"guest_{os.getpid()}"
    execute(url, f"CREATE ROLE {role} LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    guest = url.replace("user=postgres", f"user={role}")
    try:
        with pytest.raises(MigrationError, match=f'"{role}" may not change the schema .*role that owns the tables'):
            migrations.apply(guest, directory)
        migrations.apply(url, directory)
        execute(url, f"GRANT SELECT ON _yoyo_migration, _migration_content TO {role}")
        assert migrations.apply(guest, directory) == []
    finally:
        execute(url, f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_it_takes_every_kind_of_url(url: str, directory: Path, scheme: str) -> None:
    password = "p%40s%25s%2Fw%3A%26%23+%C3%A9%3F%3D"
    difficult = url.replace("postgresql", scheme, 1).replace("&", f"&password={password}&sslmode=prefer&")
    assert migrations.apply(difficult, directory) == ["0001_animals", "0002_plants"]
    with engine.connect(parameters(difficult)) as backend:
        assert backend.connection.info.password == "p@s%s/w:&#+é?="


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:hunter2@127.0.0.1:1/tickets",
        "postgresql://ann:hunter2@[::1:5432/tickets",
        "postgresql://ann:hunter2/@127.0.0.1/tickets",
        "postgresql://ann:hunter2%zz@127.0.0.1/tickets",
        "postgresql://127.0.0.1:1/tickets?user=ann&password=hunter2",
        "postgresql+psycopg://ann:hunter2@127.0.0.1/tickets",
        "mysql://ann:hunter2@127.0.0.1/tickets",
    ],
)
def test_no_message_holds_the_password(url: str, directory: Path) -> None:
    for action in (migrations.pending, migrations.apply):
        with pytest.raises(MigrationError) as caught:
            action(url, directory)
        assert "hunter2" not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_an_unreachable_database_is_named(directory: Path) -> None:
    with pytest.raises(MigrationError, match=r'database "tickets" on 127\.0\.0\.1 as "ann".*run it again'):
        migrations.apply("postgresql://ann:hunter2@127.0.0.1:1/tickets", directory)


def test_it_needs_no_name_of_user_or_host(url: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("getpass.getuser", unknown)
    monkeypatch.setattr("socket.getfqdn", unknown)
    assert migrations.apply(url, directory) == ["0001_animals", "0002_plants"]
    assert migrations.rollback(url, 1, directory) == ["0002_plants"]


def test_a_web_worker_does_not_import_yoyo() -> None:
    program = "from ticketsvc import migrations; migrations.expected_ids(); print('yoyo' in sys.modules)"
    command = [sys.executable, "-c", f"import sys; {program}"]
    assert subprocess.check_output(command, text=True, cwd=MIGRATIONS.parent) == "False\n"
