"""All that is used of yoyo, with types. Functions import it: only the command that migrates needs it."""

from __future__ import annotations

import glob
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast
from urllib.parse import urlencode

from ticketsvc.migrations.session import MigrationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import psycopg

Direction = Literal["apply", "rollback"]


class Migration(Protocol):
    """One migration file."""

    id: str
    use_transactions: bool

    def process_steps(self, backend: Backend, direction: Direction) -> None:
        """Run its statements, in the transaction that is open, else in one of their own."""
        ...


class Backend(AbstractContextManager["Backend"], Protocol):
    """A session for migrating; it is in autocommit outside `transaction`."""

    connection: psycopg.Connection[Any]

    def transaction(self) -> AbstractContextManager[object]:
        """A transaction; inside of one, a savepoint."""
        ...

    def create_lock_table(self) -> None:
        """Create the table of yoyo's own lock unless it is there."""
        ...

    def break_lock(self) -> None:
        """Release yoyo's own lock, whoever holds it."""
        ...

    def ensure_internal_schema_updated(self) -> None:
        """Create or update yoyo's own tables."""
        ...

    def to_apply(self, migrations: Iterable[Migration]) -> Sequence[Migration]:
        """Those not applied, each after what it depends on."""
        ...

    def to_rollback(self, migrations: Iterable[Migration]) -> Sequence[Migration]:
        """Those applied, each before what it depends on."""
        ...

    def mark_one(self, migration: Migration, *, log: bool) -> None:
        """Mark it as applied."""
        ...

    def unmark_one(self, migration: Migration, *, log: bool) -> None:
        """Mark it as not applied."""
        ...


def connect(parameters: Mapping[str, str]) -> Backend:
    """Open a session with libpq's parameters. Raises psycopg.OperationalError."""
    from yoyo.backends import get_backend_class  # type: ignore[import-untyped]
    from yoyo.connections import parse_uri  # type: ignore[import-untyped]
    from yoyo.migrations import default_migration_table  # type: ignore[import-untyped]

    # Not yoyo.get_backend(): that tries out DDL, and here no lock is held yet. Everything goes into the query
    # part of yoyo's kind of URL, where no character of a password needs care.
    uri = parse_uri(f"postgresql+psycopg://?{urlencode(parameters)}")
    return cast("Backend", get_backend_class(uri.scheme)(uri, default_migration_table))


def read(directory: Path) -> Iterable[Migration]:
    """The SQL migrations of a directory, by name. Raises MigrationError when one depends on a missing one."""
    from yoyo import read_migrations  # type: ignore[import-untyped]
    from yoyo.exceptions import BadMigration  # type: ignore[import-untyped]

    migrations = read_migrations(glob.escape(str(directory))).filter(lambda migration: migration.is_raw_sql())
    try:
        for migration in migrations:
            migration.load()
    except BadMigration as error:
        raise MigrationError(f"{error}: correct its line `-- depends:`.") from error
    return cast("Iterable[Migration]", migrations)
