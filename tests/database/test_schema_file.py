"""The schema as files: sql/schema.sql, sql/functions and sql/triggers say what the database has."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.support.releases import release
from tests.support.schema_dump import SCHEMA, dump
from tests.support.tickets import insert_many
from ticketsvc import migrations

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.tickets import Connection

SQL = SCHEMA.parent
NAMES = re.compile(r"^CREATE OR REPLACE (?:FUNCTION|AGGREGATE|TRIGGER|VIEW) (\w+)", re.MULTILINE)
OWN = "NOT EXISTS (SELECT FROM pg_depend WHERE objid = {}.oid AND deptype = 'e')"  # not an extension's

embedded_only = pytest.mark.skipif(
    "TEST_POSTGRES_BIN" in os.environ, reason="other versions of PostgreSQL write the schema in other words"
)


def defined(folder: str) -> list[str]:
    return sorted(name for path in SQL.glob(f"{folder}.sql") for name in NAMES.findall(path.read_text()))


def found(database: Connection, statement: str) -> list[object]:
    return [row[0] for row in database.execute(statement.encode())]


@embedded_only
def test_schema_sql_is_what_the_migrations_produce(own_url: str) -> None:
    assert SCHEMA.read_text() == dump(own_url), "run script/schema"


@embedded_only
def test_an_upgraded_database_has_the_schema_of_a_new_one(
    new_database: Callable[[], str], own_url: str, tmp_path: Path
) -> None:
    url = new_database()
    for last in ("0001", "0003", "0004", "0006"):
        migrations.apply(url, release(tmp_path, last))
        with closing(psycopg.connect(url, autocommit=True)) as connection:
            insert_many(connection, 10)
    migrations.apply(url)
    assert dump(url) == dump(own_url)


@embedded_only
def test_edited_definitions_replace_the_older_ones(
    new_database: Callable[[], str], own_url: str, tmp_path: Path
) -> None:
    """As a release does that changed some of them and no table."""
    url = new_database()
    older = release(tmp_path, "9999")
    shutil.copytree(SQL, tmp_path / "sql")
    for name, text, edit in (
        ("functions/decision_json", "'reclassify'", "'other'"),
        ("triggers/history", "OLD IS DISTINCT FROM NEW", "OLD <> NEW"),
        ("functions/count_deleted", "256", "64"),
    ):
        path = tmp_path / "sql" / f"{name}.sql"
        assert text in path.read_text()
        path.write_text(path.read_text().replace(text, edit))
    migrations.apply(url, older)
    assert dump(url) != dump(own_url)
    assert set(migrations.apply(url)) == {"functions/decision_json", "functions/count_deleted", "triggers/history"}
    assert dump(url) == dump(own_url)


def test_each_function_and_trigger_has_a_file(database: Connection) -> None:
    functions = f"SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND {OWN.format('pg_proc')}"
    assert sorted(map(str, found(database, functions))) == sorted(
        name for name in defined("functions/*") + defined("compatibility") if name not in views(database)
    )
    triggers = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname"
    assert found(database, triggers) == defined("triggers/*")


def views(database: Connection) -> list[object]:
    return found(database, "SELECT relname FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace")


def test_old_names_are_defined_in_one_file(database: Connection) -> None:
    """And the file says how to drop each of them."""
    text = (SQL / "compatibility.sql").read_text()
    dropped = re.findall(r"\w+", " ".join(re.findall(r"^--     DROP (?:FUNCTION|VIEW) (.*);", text, re.MULTILINE)))
    assert sorted(dropped) == defined("compatibility")
    assert set(map(str, views(database))) <= set(dropped)


def test_each_function_declares_what_it_depends_on(database: Connection) -> None:
    """A missing name would be noticed only where functions are created for the first time."""
    rows = database.execute("""
        SELECT DISTINCT f.proname::text, needed.proname::text
        FROM pg_depend AS d
        JOIN pg_proc AS f ON d.classid = 'pg_proc'::regclass AND f.oid = d.objid
        JOIN pg_proc AS needed ON d.refclassid = 'pg_proc'::regclass AND needed.oid = d.refobjid
        WHERE f.pronamespace = 'public'::regnamespace AND needed.pronamespace = 'public'::regnamespace
    """).fetchall()
    files = {name: path for path in SQL.glob("functions/*.sql") for name in NAMES.findall(path.read_text())}
    needed = {
        (files[str(function)].stem, files[str(other)].stem)
        for function, other in rows
        if function in files and files[str(function)] != files[str(other)]
    }
    declared = {
        (path.stem, name)
        for path in set(files.values())
        for line in re.findall(r"^-- depends: (.+)$", path.read_text(), re.MULTILINE)
        for name in line.split(", ")
    }
    assert declared == needed


# --- NULL is a value like any other


def test_a_field_that_is_set_or_cleared_is_a_change(database: Connection) -> None:
    [changes] = found(
        database,
        "SELECT field_change('a', NULL, 'x') || field_change('b', 'x', NULL) || field_change('c', NULL, NULL)"
        " || field_change('d', 'x', 'x') || field_change('e', 'x', 'y')",
    )
    assert changes == {"a": {"from": None, "to": "x"}, "b": {"from": "x", "to": None}, "e": {"from": "x", "to": "y"}}
