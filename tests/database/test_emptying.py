"""tests/support/emptying.py leaves in a database the rows that TRUNCATE leaves."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from tests.support.emptying import Emptying
from tests.support.postgres import execute, query

if TYPE_CHECKING:
    from collections.abc import Callable

TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname"
NEEDED = """
SELECT column_name, coalesce(
    (SELECT quote_literal(min(enumlabel)) FROM pg_enum WHERE enumtypid = udt_name::regtype),
    CASE udt_name
        WHEN 'uuid' THEN 'gen_random_uuid()' WHEN 'timestamptz' THEN 'now()' WHEN 'text' THEN $$'a'$$
        WHEN 'bytea' THEN $$sha256('')$$ WHEN 'bool' THEN 'true' WHEN 'jsonb' THEN $$'{{}}'$$
        WHEN 'date' THEN 'current_date' WHEN 'xid8' THEN $$'1'$$
        WHEN '_int4' THEN 'ARRAY[1]' WHEN '_int8' THEN 'ARRAY[1]' ELSE '1'
    END
) FROM information_schema.columns
WHERE table_name = '{}' AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'
"""
"""Each column without which a row cannot be, with a value of its type."""


def fill(url: str) -> None:
    """Add a row to each table of the service, without what a trigger makes of it."""
    for (table,) in query(url, TABLES):
        columns = query(url, NEEDED.format(table))
        names, values = ", ".join(name for name, _ in columns), ", ".join(value for _, value in columns)
        row = f"({names}) VALUES ({values})" if columns else "DEFAULT VALUES"
        execute(url, f"SET session_replication_role = replica; INSERT INTO {table} {row}")


def rows(url: str) -> dict[str, int]:
    """Return the number of rows of each table, and the totals of the stems."""
    counts = {table: query(url, f"SELECT count(*) FROM {table}")[0][0] for (table,) in query(url, TABLES)}
    [(stems, seq)] = query(url, "SELECT sum(tickets), max(seq) FROM ticket_stem_totals")
    return counts | {"stems": stems, "seq": seq}


def test_it_leaves_what_truncate_leaves(migrated_database: Callable[[], str]) -> None:
    emptied, truncated = migrated_database(), migrated_database()
    new = rows(emptied)
    for url in (emptied, truncated):
        fill(url)
        execute(url, "UPDATE ticket_stem_totals SET tickets = 5, seq = 5")
    filled = rows(emptied)
    assert [name for name, count in filled.items() if count <= new[name]] == []
    with closing(Emptying(emptied)) as emptying:
        emptying.empty()
    execute(truncated, "TRUNCATE tickets", "DELETE FROM webhooks")
    assert rows(emptied) == rows(truncated)


def test_it_truncates_what_has_grown(own_url: str) -> None:
    execute(own_url, "INSERT INTO tickets (title, description) SELECT 'a', 'b' FROM generate_series(1, 1000)")
    with closing(Emptying(own_url)) as emptying:
        emptying.empty()
    assert query(own_url, "SELECT count(*), pg_relation_size('tickets') FROM tickets") == [(0, 0)]
