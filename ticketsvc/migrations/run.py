"""Applying, listing and undoing migrations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from ticketsvc.migrations import engine, files, ledger
from ticketsvc.migrations.files import MIGRATIONS
from ticketsvc.migrations.guard import exclusive
from ticketsvc.migrations.session import MigrationError, explained, parameters
from ticketsvc.migrations.step import Patience, Step

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    OnStep = Callable[[str], None]

PATIENCE = Patience()


def _silent(_: str) -> None:
    """Report nothing."""


def pending(url: str, directory: Path = MIGRATIONS) -> list[str]:
    """The ids of the migrations that the database lacks, in order; read only. Raises MigrationError."""
    paths = files.read(directory)
    with explained(url), psycopg.connect(**parameters(url), autocommit=True) as connection:
        applied = ledger.applied(connection)
    return [migration_id for migration_id in paths if migration_id not in applied]


def edited(url: str, directory: Path = MIGRATIONS) -> list[str]:
    """The ids of the migrations whose file is not what was applied, in order; read only. Raises MigrationError."""
    paths = files.read(directory)
    with explained(url, "read"), psycopg.connect(**parameters(url), autocommit=True) as connection:
        applied = ledger.applied(connection)
    return [name for name, path in paths.items() if applied.get(name) not in (None, files.fingerprint(path))]


def apply(
    url: str, directory: Path = MIGRATIONS, on_step: OnStep = _silent, patience: Patience = PATIENCE
) -> list[str]:
    """Apply all pending migrations in order; return the ids of those that this call applied.

    Any number of processes may do so at once: one works, the others wait and find nothing left to do. With
    nothing pending it only reads, so a role that may not create tables will do. `on_step` gets a sentence for
    each step; migrations of a newer release are reported there and left alone. A migration that was marked
    before fingerprints were kept is believed to be the file as it is now.

    Raises MigrationError: the database cannot be reached, a file was edited after it was applied, a statement
    fails, a table stays busy. Migrations before the failing one stay applied.
    """
    paths = files.read(directory)
    with explained(url):
        with psycopg.connect(**parameters(url), autocommit=True) as connection:
            if not _left_to_do(connection, paths, on_step):
                return []
        with exclusive(url, patience, on_step) as backend:
            _left_to_do(backend.connection, paths, _silent)  # others may have been at work since
            _adopt(backend.connection, paths)
            todo = backend.to_apply(engine.read(directory))
            for migration in todo:
                Step(migration, "apply", paths[migration.id]).run_patiently(backend, patience, on_step)
    return [migration.id for migration in todo]


def rollback(
    url: str,
    count: int = 1,
    directory: Path = MIGRATIONS,
    on_step: OnStep = _silent,
    patience: Patience = PATIENCE,
) -> list[str]:
    """Undo the last `count` migrations, the latest first, with their `.rollback.sql`; return their ids.

    Raises MigrationError as `apply` does, and when a rollback file is missing (nothing is undone then) or
    when a newer release has migrated the database.
    """
    paths = files.read(directory)
    with explained(url), exclusive(url, patience, on_step) as backend:
        if unknown := ledger.applied(backend.connection).keys() - paths.keys():
            raise MigrationError(f"A newer release applied {', '.join(sorted(unknown))}: use that one.")
        todo = backend.to_rollback(engine.read(directory))[:count]
        steps = [Step(migration, "rollback", files.undo(paths[migration.id])) for migration in todo]
        for step in steps:
            if not step.path.exists():
                raise MigrationError(f"{step.path.name} is missing: write it, then roll back.")
        for step in steps:
            step.run_patiently(backend, patience, on_step)
    return [migration.id for migration in todo]


def _left_to_do(connection: psycopg.Connection[Any], paths: dict[str, Path], on_step: OnStep) -> bool:
    """Whether anything is pending, after a check of what was applied."""
    applied = ledger.applied(connection)
    for migration_id, known in applied.items():
        if migration_id not in paths:
            on_step(f"{migration_id} is of a newer release: left alone")
        elif known is not None and known != files.fingerprint(paths[migration_id]):
            raise MigrationError(
                f"{paths[migration_id].name} was edited after it was applied to this database."
                " Restore the file as it was, and put the change into a new migration."
            )
    return not applied.keys() >= paths.keys()


def _adopt(connection: psycopg.Connection[Any], paths: dict[str, Path]) -> None:
    for migration_id, known in ledger.applied(connection).items():
        if known is None and migration_id in paths:
            ledger.record(connection, migration_id, files.fingerprint(paths[migration_id]))
