"""The schema: migrations (`migrations/*.sql`, read by yoyo), and definitions of functions and triggers (`sql/`).

A migration and its mark commit together, so a killed run leaves nothing behind and is simply repeated. A file with
`-- transactional: false` (for CREATE INDEX CONCURRENTLY) must be safe to repeat from its first statement: DROP INDEX
CONCURRENTLY IF EXISTS, then CREATE. Applied files are never edited; a change is a new file.

A definition is a file in `sql/functions` or `sql/triggers`, or `sql/compatibility.sql`. It is edited in place, and
applied when its checksum has changed, in the transaction of the last pending migration. What CREATE OR REPLACE cannot
do (other parameters or result columns, another name, removal) needs a migration that drops the old object.
There is no rollback: deploy the previous release, which works on the new schema.
"""

from __future__ import annotations

import glob
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.errors import DeadlockDetected, LockNotAvailable

from ticketsvc.migrations import session
from ticketsvc.migrations.files import MIGRATIONS, checksum, definition_files, expected_ids, migration_files
from ticketsvc.migrations.session import MigrationError, RetryPolicy

if TYPE_CHECKING:
    from ticketsvc.migrations.session import OnStep

__all__ = ["MIGRATIONS", "MigrationError", "RetryPolicy", "apply", "edited", "expected_ids", "pending"]


def pending(url: str, directory: Path = MIGRATIONS, schema: str = "") -> list[str]:
    """Return the names of the migrations and definitions that `apply` would apply, in order. Raises MigrationError."""
    return _read_state(url, directory, schema, "read").pending


def edited(url: str, directory: Path = MIGRATIONS, schema: str = "") -> list[str]:
    """Return the ids of the migrations whose files were edited after they were applied. Raises MigrationError."""
    return _read_state(url, directory, schema, "read").edited


def apply(
    url: str,
    directory: Path = MIGRATIONS,
    on_step: OnStep = lambda _: None,
    policy: RetryPolicy = RetryPolicy(),  # noqa: B008 -- frozen
    schema: str = "",
) -> list[str]:
    """Apply all pending migrations and definitions in order; return the names of those that this call applied.

    Everything is in one schema, which is created if it is missing; without a name it is the one that the role uses.

    Any number of processes may call it at once: one works, the others wait and then find nothing pending. With nothing
    pending it only reads, so a role that may not create tables is enough. `on_step` receives a sentence for each step.
    Migrations of a newer release are reported and left alone, and with them all definitions.

    Raises MigrationError when the database cannot be reached, a file was edited after it was applied, a statement
    fails, or a table stays locked. Migrations before the failing one stay applied.
    """
    state = _read_state(url, directory, schema)
    for name in state.newer:
        on_step(f"{name} is of a newer release: left alone")
    state.check()
    if not state.pending:
        return []
    with session.translate_errors(url), session.migration_lock(url, schema, policy, on_step) as backend:
        state = _State(backend.connection, directory, schema)  # another process may have migrated meanwhile
        state.check()
        # A migration that was marked before checksums were stored is assumed to be the file as it is now.
        for name in state.unchecked:
            session.record(backend.connection, name, checksum(state.files[name]))
        for step in _steps(backend, directory, state):
            step.run(backend, policy, on_step)
    return state.pending


def _steps(backend: Any, directory: Path, state: _State) -> list[_Step]:
    """Return a step for each pending migration; the last step includes the definitions. Raises MigrationError."""
    from yoyo import read_migrations  # type: ignore[import-untyped]
    from yoyo.exceptions import BadMigration  # type: ignore[import-untyped]

    try:
        found = read_migrations(glob.escape(str(directory))).filter(lambda migration: migration.is_raw_sql())
        steps = [_Step(migration, {migration.id: state.files[migration.id]}) for migration in backend.to_apply(found)]
    except BadMigration as error:
        raise MigrationError(f"{error}: correct its line `-- depends:`.") from error
    ids = [step.migration.id for step in steps]
    if definitions := {name: state.files[name] for name in state.pending if name not in ids}:
        steps = steps or [_Step(None, {})]
        steps[-1].files |= definitions
    return steps


def _read_state(url: str, directory: Path, schema: str, verb: str = "migrate") -> _State:
    parameters = session.connection_parameters(url)
    with session.translate_errors(url, verb), psycopg.connect(**parameters, autocommit=True) as connection:
        return _State(connection, directory, schema)


class _State:
    """The files of the schema compared with a database."""

    def __init__(self, connection: psycopg.Connection[Any], directory: Path, schema: str) -> None:
        migrations, definitions = migration_files(directory), definition_files(directory)
        applied, checksums = session.applied(connection, schema)
        self.encoding = connection.info.parameter_status("server_encoding")
        self.files = migrations | definitions
        changed = [name for name, path in self.files.items() if checksums.get(name) != checksum(path)]
        self.edited = [name for name in changed if name in migrations and name in checksums]
        self.unchecked = [name for name in changed if name in applied and name not in checksums]
        self.newer = [name for name in applied if name not in migrations]
        self.pending = [name for name in migrations if name not in applied]
        if not self.newer:
            self.pending += [name for name in changed if name in definitions]

    def check(self) -> None:
        """Raise MigrationError when an applied migration was edited, or texts cannot be stored."""
        if self.encoding != "UTF8":
            raise MigrationError(
                f"The encoding of the database is {self.encoding}, which cannot store every text. Create another one"
                " with CREATE DATABASE ... TEMPLATE template0 ENCODING 'UTF8', and set DATABASE_URL to it."
            )
        if self.edited:
            raise MigrationError(
                f"{self.edited[0]}.sql was edited after it was applied to this database."
                " Restore the file as it was, and put the change into a new migration."
            )


@dataclass
class _Step:
    """A unit that one transaction applies: a migration of yoyo's (or None), definitions, or both."""

    migration: Any
    files: dict[str, Path]
    file: Path = Path()  # the one that is being applied

    def run(self, backend: Any, policy: RetryPolicy, on_step: OnStep) -> None:
        """Apply it, again when a table is locked. Raises MigrationError, psycopg.Error for the connection."""
        if self.migration:
            on_step(f"apply {self.migration.id}")
        if count := len(self.files) - bool(self.migration):
            on_step(f"apply {count} definitions of functions and triggers")
        rollback_note = "Nothing of it was applied."
        if self.migration and not self.migration.use_transactions:
            rollback_note = "It runs outside a transaction, so its first statements may have been applied."
        for attempt in range(1, policy.attempts + 1):
            try:
                return self._apply(backend)
            except (LockNotAvailable, DeadlockDetected):
                on_step(f"{self.file.name}: a table is busy (attempt {attempt} of {policy.attempts})")
                time.sleep(policy.backoff)
            except psycopg.Error as error:
                if error.sqlstate is None:
                    raise  # the connection failed, not a statement
                reason = ". ".join(part for part in (error.diag.message_primary, error.diag.message_hint) if part)
                message = f"{self.file.name} fails: {reason.rstrip('.')}. {rollback_note} Correct it and run it again."
                raise MigrationError(message) from error
        raise MigrationError(
            f"{self.file.name} needs a table that stays busy. {rollback_note} Try again at a quieter"
            " time, or end the long transactions that pg_stat_activity shows."
        )

    def _apply(self, backend: Any) -> None:
        # One transaction with the mark. yoyo's apply_one() marks in another one, and a process that is killed between
        # the two leaves a migration that can never be applied again.
        if self.migration and not self.migration.use_transactions:
            self.file = self.files[self.migration.id]
            self.migration.process_steps(backend, "apply")
        with backend.transaction():
            for name, path in self.files.items():
                self.file = path
                if self.migration is None or name != self.migration.id:
                    for statement in _statements(path):
                        backend.connection.execute(statement)
                elif self.migration.use_transactions:
                    self.migration.process_steps(backend, "apply")
                session.record(backend.connection, name, checksum(path))
            if self.migration:
                # log=False: yoyo's log needs the names of user and host, and fails or waits where they are unknown.
                backend.mark_one(self.migration, log=False)


def _statements(path: Path) -> list[bytes]:
    """Return the statements of a definition: those of triggers one by one, as Citus passes them on to its nodes."""
    from sqlparse import split  # comes with yoyo

    text = path.read_text(encoding="utf-8")
    return [statement.encode() for statement in (split(text) if path.parent.name == "triggers" else [text])]
