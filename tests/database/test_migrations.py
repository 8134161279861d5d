"""The migration runner, on real databases, with real processes where several or killed ones are the point."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.support.locks import wait_until
from tests.support.postgres import create_database, execute, query
from ticketsvc import migrations
from ticketsvc.migrations import MIGRATIONS, MigrationError, RetryPolicy, session
from ticketsvc.migrations.session import LOCK_NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ticketsvc_dev.embedded.cluster import Cluster

pytest_plugins = ("tests.support.postgres",)

SHORT_WAITS = RetryPolicy(lock_timeout=0.1, attempts=2, backoff=0.05, lock_wait=0.5)

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
    """Two migrations. Tests add definitions to the folder `sql` next to them."""
    folder = tmp_path / "migrations"
    write(folder, "0001_animals", "CREATE TABLE animals (name text);")
    write(folder, "0002_plants", "CREATE TABLE plants (name text);")
    return folder


def write(directory: Path, name: str, text: str) -> None:
    path = directory / f"{name}.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def define(directory: Path, name: str, text: str) -> None:
    """Write a definition: "functions/legs" or "triggers/animals"."""
    write(directory.parent / "sql", name, text)


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


def test_expected_ids_are_the_ids_that_yoyo_marks(url: str, directory: Path) -> None:
    migrations.apply(url, directory)
    marked = {row[0] for row in query(url, "SELECT migration_id FROM _yoyo_migration")}
    assert migrations.expected_ids(directory) == marked


def test_a_failing_migration_leaves_nothing_and_can_be_corrected(url: str, directory: Path) -> None:
    write(directory, "0003_broken", "CREATE TABLE half (a int); CREATE TABLE half (a int);")
    with pytest.raises(MigrationError, match=r'0003_broken\.sql fails: relation "half" already exists\. Nothing'):
        migrations.apply(url, directory)
    assert tables(url) == {"animals", "plants"}
    write(directory, "0003_broken", "CREATE TABLE whole (a int);")
    assert migrations.apply(url, directory) == ["0003_broken"]


def test_file_can_request_to_run_outside_a_transaction(url: str, directory: Path) -> None:
    concurrent = "-- transactional: false\nCREATE INDEX CONCURRENTLY names ON animals (name);"
    write(directory, "0003_names", concurrent)
    assert "0003_names" in migrations.apply(url, directory)


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_it_refuses_an_encoding_other_than_utf8(postgres: Cluster, encoding: str) -> None:
    url = create_database(postgres, "template0", f"ENCODING '{encoding}' LOCALE 'C'")
    with pytest.raises(MigrationError, match=f"encoding of the database is {encoding}.*ENCODING 'UTF8'"):
        migrations.apply(url)
    assert tables(url) == set()


def test_progress_is_reported_and_other_notices_are_not(url: str, directory: Path) -> None:
    report = "DO $$ BEGIN RAISE INFO 'half of %', 'it'; RAISE NOTICE 'other'; END $$;"
    write(directory, "0003_long", "DROP TABLE IF EXISTS absent; " + report)
    steps: list[str] = []
    migrations.apply(url, directory, steps.append)
    assert steps[2:] == ["apply 0003_long", "  half of it"]


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


def test_other_line_ends_are_not_an_edit(url: str, directory: Path) -> None:
    write(directory, "0001_animals", "CREATE TABLE animals (\nname text);\n")
    migrations.apply(url, directory)
    (directory / "0001_animals.sql").write_bytes(b"CREATE TABLE animals (\r\nname text);\r\n")
    assert migrations.apply(url, directory) == []


def test_it_backfills_missing_checksums(url: str, directory: Path) -> None:
    migrations.apply(url, directory)
    execute(url, "DROP TABLE _migration_content")
    assert migrations.apply(url, directory) == []
    write(directory, "0001_animals", "-- edited")
    with pytest.raises(MigrationError, match="edited"):
        migrations.apply(url, directory)


def test_an_older_release_runs_on_a_newer_schema(url: str, directory: Path) -> None:
    write(directory, "0003_newer", "CREATE TABLE newer ();")
    migrations.apply(url, directory)
    for path in directory.glob("0003*"):
        path.unlink()
    steps: list[str] = []
    assert migrations.apply(url, directory, steps.append) == []
    assert steps == ["0003_newer is of a newer release: left alone"]


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


# --- definitions


LEGS = """CREATE OR REPLACE FUNCTION legs(name text) RETURNS integer LANGUAGE sql IMMUTABLE RETURN {};"""
ON_INSERT = """CREATE OR REPLACE FUNCTION bless() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.name := NEW.name || legs(NEW.name);
    RETURN NEW;
END $$;"""
TRIGGER = "CREATE OR REPLACE TRIGGER bless BEFORE INSERT ON animals FOR EACH ROW EXECUTE FUNCTION bless();"


@pytest.fixture
def defined(directory: Path) -> Path:
    """The directory with a function, a trigger and its function, and a function that needs the first."""
    define(directory, "functions/legs", LEGS.format(4))
    define(
        directory, "functions/a_pair", "-- depends: legs\n" + LEGS.format("legs('pair') * 2").replace("legs", "pair", 1)
    )
    define(directory, "functions/bless", ON_INSERT)
    define(directory, "triggers/animals", TRIGGER)
    return directory


def test_definitions_are_applied_after_the_migrations(url: str, defined: Path) -> None:
    names = ["functions/legs", "functions/bless", "functions/a_pair", "triggers/animals"]
    steps: list[str] = []
    assert migrations.pending(url, defined) == ["0001_animals", "0002_plants", *names]
    assert migrations.apply(url, defined, steps.append) == ["0001_animals", "0002_plants", *names]
    assert steps == ["apply 0001_animals", "apply 0002_plants", "apply 4 definitions of functions and triggers"]
    assert query(url, "INSERT INTO animals VALUES ('cow') RETURNING name, pair('cow')") == [("cow4", 8)]
    assert migrations.apply(url, defined) == []


def test_only_an_edited_definition_is_applied_again(url: str, defined: Path) -> None:
    migrations.apply(url, defined)
    execute(url, "DROP FUNCTION pair")  # applying all of them would create it again
    define(defined, "functions/legs", LEGS.format(6))
    steps: list[str] = []
    assert migrations.apply(url, defined, steps.append) == ["functions/legs"]
    assert steps == ["apply 1 definitions of functions and triggers"]
    assert query(url, "SELECT legs('ant'), to_regproc('pair')") == [(6, None)]


def test_the_last_migration_and_the_definitions_commit_together(url: str, defined: Path) -> None:
    migrations.apply(url, defined)
    write(defined, "0003_beasts", "ALTER TABLE animals RENAME TO beasts;")
    write(defined, "0004_stones", "CREATE TABLE stones ();")
    define(defined, "functions/legs", "SELECT no_such_function();")
    with pytest.raises(MigrationError, match=r"legs\.sql fails: function no_such_function.*Nothing of it was applied"):
        migrations.apply(url, defined)
    assert migrations.pending(url, defined) == ["0004_stones", "functions/legs"]
    assert "stones" not in tables(url)
    define(defined, "functions/legs", LEGS.format(6))
    assert migrations.apply(url, defined) == ["0004_stones", "functions/legs"]


def test_definitions_of_a_newer_release_are_left_alone(url: str, defined: Path) -> None:
    write(defined, "0003_newer", "CREATE TABLE newer ();")
    migrations.apply(url, defined)
    (defined / "0003_newer.sql").unlink()
    define(defined, "functions/legs", LEGS.format(0))
    assert migrations.pending(url, defined) == migrations.apply(url, defined) == []
    assert query(url, "SELECT legs('ant')") == [(4,)]


def test_a_trigger_waits_for_a_busy_table(url: str, defined: Path) -> None:
    migrations.apply(url, defined)
    define(defined, "triggers/animals", TRIGGER + " -- edited")
    define(defined, "functions/legs", LEGS.format(6))
    with psycopg.connect(url) as busy:
        busy.execute("INSERT INTO animals VALUES ('cow')")
        with pytest.raises(MigrationError, match=r"animals\.sql needs a table that stays busy"):
            migrations.apply(url, defined, policy=SHORT_WAITS)
        assert query(url, "SELECT legs('ant')") == [(4,)]
        define(defined, "triggers/animals", TRIGGER)
        assert migrations.apply(url, defined, policy=SHORT_WAITS) == ["functions/legs"]  # needs no lock of the table


@pytest.mark.parametrize("depends", ["absent", "legs"])
def test_it_rejects_definitions_that_cannot_be_ordered(url: str, directory: Path, depends: str) -> None:
    define(directory, "functions/legs", f"-- depends: {depends}\n" + LEGS.format(4))
    with pytest.raises(MigrationError, match="Correct the lines `-- depends:` in sql/functions"):
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


def test_migration_after_a_killed_run_succeeds(url: str, directory: Path) -> None:
    write(directory, "0003_long", "CREATE TABLE long (); SELECT pg_sleep(600);")
    with applying(url, directory) as process:
        sleeping = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
        wait_until(lambda: query(url, sleeping))
        # As it is when the process dies inside yoyo's own critical section.
        execute(url, "INSERT INTO yoyo_lock (locked, ctime, pid) VALUES (1, now(), 1)")
        process.kill()
    write(directory, "0003_long", "CREATE TABLE long ();")
    assert migrations.apply(url, directory, policy=RetryPolicy(lock_wait=30)) == ["0003_long"]


@pytest.mark.parametrize("crash", ["mark_one", "record"])
def test_crash_while_marking_undoes_the_migration(
    url: str, directory: Path, crash: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from yoyo.backends.base import DatabaseBackend  # type: ignore[import-untyped]

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(DatabaseBackend if crash == "mark_one" else session, crash, die)
        with pytest.raises(KeyboardInterrupt):
            migrations.apply(url, directory)
    assert tables(url) == set()
    assert migrations.apply(url, directory) == ["0001_animals", "0002_plants"]


def test_it_waits_for_a_busy_table(url: str, directory: Path) -> None:
    migrations.apply(url, directory)
    write(directory, "0003_legs", "ALTER TABLE animals ADD legs int;")
    steps: list[str] = []
    policy = RetryPolicy(lock_timeout=0.2, backoff=0.01)
    with psycopg.connect(url) as busy:
        busy.execute("SELECT * FROM animals")

        def report(step: str) -> None:
            steps.append(step)
            if "busy" in step:
                busy.rollback()

        assert migrations.apply(url, directory, report, policy) == ["0003_legs"]
    assert steps == ["apply 0003_legs", "0003_legs.sql: a table is busy (attempt 1 of 5)"]


def test_it_gives_up_on_a_table_that_stays_busy(url: str, directory: Path) -> None:
    migrations.apply(url, directory)
    write(directory, "0003_legs", "CREATE TABLE shoes (); ALTER TABLE animals ADD legs int;")
    with psycopg.connect(url) as busy:
        busy.execute("SELECT * FROM animals")
        with pytest.raises(MigrationError, match=r"0003_legs\.sql needs a table that stays busy.* quieter time"):
            migrations.apply(url, directory, policy=SHORT_WAITS)
    assert tables(url) == {"animals", "plants"}
    assert migrations.apply(url, directory) == ["0003_legs"]


def test_it_gives_up_on_another_run_that_does_not_end(url: str, directory: Path) -> None:
    steps: list[str] = []
    with psycopg.connect(url) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [LOCK_NUMBER])
        with pytest.raises(MigrationError, match="Another process has been migrating"):
            migrations.apply(url, directory, steps.append, SHORT_WAITS)
    assert steps == ["waiting for another process that is migrating"]


# --- roles and connections


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
def test_it_accepts_both_url_schemes_and_any_password(url: str, directory: Path, scheme: str) -> None:
    password = "p%40s%25s%2Fw%3A%26%23+%C3%A9%3F%3D"
    difficult = url.replace("postgresql", scheme, 1).replace("&", f"&password={password}&sslmode=prefer&")
    assert migrations.apply(difficult, directory) == ["0001_animals", "0002_plants"]
    with session.migration_lock(difficult, "", RetryPolicy(), print) as backend:
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
def test_no_message_contains_the_password(url: str, directory: Path) -> None:
    for action in (migrations.pending, migrations.apply):
        with pytest.raises(MigrationError) as caught:
            action(url, directory)
        assert "hunter2" not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_an_unreachable_database_is_named(directory: Path) -> None:
    with pytest.raises(MigrationError, match=r'database "tickets" on 127\.0\.0\.1 as "ann".*run it again'):
        migrations.apply("postgresql://ann:hunter2@127.0.0.1:1/tickets", directory)


def test_it_works_without_names_of_user_and_host(url: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("getpass.getuser", unknown)
    monkeypatch.setattr("socket.getfqdn", unknown)
    assert migrations.apply(url, directory) == ["0001_animals", "0002_plants"]


def test_a_web_worker_does_not_import_yoyo() -> None:
    program = "from ticketsvc import migrations; migrations.expected_ids(); print('yoyo' in sys.modules)"
    command = [sys.executable, "-c", f"import sys; {program}"]
    assert subprocess.check_output(command, text=True, cwd=MIGRATIONS.parent) == "False\n"


# --- yoyo


def test_yoyo_has_the_undocumented_names_that_are_used(directory: Path) -> None:
    """An upgrade that fails here: read the new source, then correct ticketsvc/migrations."""
    from yoyo import read_migrations  # type: ignore[import-untyped]
    from yoyo.backends.base import DatabaseBackend

    [migration, _] = read_migrations(str(directory))
    assert migration.is_raw_sql() is True
    migration.load()
    assert migration.use_transactions is True, "the directive `-- transactional:` is read into use_transactions"
    assert list(inspect.signature(migration.process_steps).parameters)[:2] == ["backend", "direction"]
    assert list(inspect.signature(DatabaseBackend.mark_one).parameters) == ["self", "migration", "log"]
    for name in ("break_lock", "connection", "ensure_internal_schema_updated", "to_apply", "transaction"):
        assert hasattr(DatabaseBackend, name), f"yoyo's backend has no {name} any more"
