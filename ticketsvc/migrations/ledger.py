"""What the database knows of its migrations: yoyo's marks, and beside each its file's fingerprint.

yoyo marks a migration by its name only and so never notices that an applied file was edited. The few
statements of this bookkeeping stand here and not in sql/: they come before there is a schema, and no request
ever runs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

_CREATE = """
    CREATE TABLE IF NOT EXISTS _migration_content (
        migration_id text PRIMARY KEY,
        sha256 text NOT NULL
    )"""
_EXISTS = "SELECT to_regclass('_yoyo_migration') IS NOT NULL AND to_regclass('_migration_content') IS NOT NULL"
_APPLIED = """
    SELECT migration_id, sha256
    FROM _yoyo_migration
    LEFT JOIN _migration_content USING (migration_id)
    ORDER BY applied_at_utc, migration_id"""
_RECORD = """
    INSERT INTO _migration_content (migration_id, sha256)
    VALUES (%s, %s)
    ON CONFLICT (migration_id) DO UPDATE SET sha256 = EXCLUDED.sha256"""
_FORGET = "DELETE FROM _migration_content WHERE migration_id = %s"


def create(connection: psycopg.Connection[Any]) -> None:
    """Create the table of fingerprints unless it is there."""
    connection.execute(_CREATE)


def applied(connection: psycopg.Connection[Any]) -> dict[str, str | None]:
    """The fingerprint of each applied migration by id, oldest first; None for one that was marked without."""
    found = connection.execute(_EXISTS).fetchone()
    return dict(connection.execute(_APPLIED).fetchall()) if found and found[0] else {}


def record(connection: psycopg.Connection[Any], migration_id: str, fingerprint: str) -> None:
    """Remember the fingerprint of a migration in the caller's transaction."""
    connection.execute(_RECORD, (migration_id, fingerprint))


def forget(connection: psycopg.Connection[Any], migration_id: str) -> None:
    """Forget a migration that is rolled back, in the caller's transaction."""
    connection.execute(_FORGET, (migration_id,))
