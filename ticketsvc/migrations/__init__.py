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
import re
import time
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.errors import DeadlockDetected, LockNotAvailable

from ticketsvc.migrations import session
from ticketsvc.migrations.session import MigrationError, RetryPolicy

if TYPE_CHECKING:
    from ticketsvc.migrations.session import OnStep

__all__ = ["MIGRATIONS", "MigrationError", "RetryPolicy", "apply", "edited", "expected_ids", "pending"]

MIGRATIONS = Path(__file__).parents[2] / "migrations"

# The number makes the order. It also excludes yoyo's "post-apply" files, which yoyo runs but never marks.
_NAME = re.compile(r"[0-9]{4}_[a-z0-9_]+")
_DEPENDS = re.compile(r"^-- depends: (.+)$", re.MULTILINE)
_DEFAULT_POLICY = RetryPolicy()


def expected_ids(directory: Path = MIGRATIONS) -> frozenset[str]:
    """Return the ids (file names without `.sql`) of all migrations of this release, without importing yoyo.

    Raises MigrationError when the directory is missing or a name is not like 0001_tickets.sql.
    """
    return frozenset(_migrations(directory))


def pending(url: str, directory: Path = MIGRATIONS) -> list[str]:
    """Return the names of the migrations and definitions that `apply` would apply, in order. Raises MigrationError."""
    with session.translate_errors(url), psycopg.connect(**session.connection_parameters(url)) as connection:
        return _State(connection, directory).pending


def edited(url: str, directory: Path = MIGRATIONS) -> list[str]:
    """Return the ids of the migrations whose files were edited after they were applied. Raises MigrationError."""
    with session.translate_errors(url, "read"), psycopg.connect(**session.connection_parameters(url)) as connection:
        return _State(connection, directory).edited


def apply(
    url: str, directory: Path = MIGRATIONS, on_step: OnStep = lambda _: None, policy: RetryPolicy = _DEFAULT_POLICY
) -> list[str]:
    """Apply all pending migrations and definitions in order; return the names of those that this call applied.

    Any number of processes may call it at once: one works, the others wait and then find nothing pending. With nothing
    pending it only reads, so a role that may not create tables is enough. `on_step` receives a sentence for each step.
    Migrations of a newer release are reported and left alone, and with them all definitions. A migration that was
    marked before checksums were stored is assumed to be the file as it is now.

    Raises MigrationError when the database cannot be reached, a file was edited after it was applied, a statement
    fails, or a table stays locked. Migrations before the failing one stay applied.
    """
    with session.translate_errors(url):
        with psycopg.connect(**session.connection_parameters(url)) as connection:
            if not _State(connection, directory).check(on_step).pending:
                return []
        with session.migration_lock(url, policy, on_step) as backend:
            # Read again: another process may have migrated meanwhile.
            state = _State(backend.connection, directory).check(lambda _: None)
            state.backfill_checksums(backend.connection)
            steps = [_Step(migration, state) for migration in backend.to_apply(_load(directory))]
            if definitions := {name: path for name, path in state.definitions.items() if name in state.pending}:
                steps = steps or [_Step(None, state)]
                steps[-1].files |= definitions
            for step in steps:
                step.run(backend, policy, on_step)
    return state.pending


def _migrations(directory: Path) -> dict[str, Path]:
    """Return the migrations' paths by id, in the order of their numbers."""
    if not directory.is_dir():
        raise MigrationError(f"There is no directory {directory}: install the service with its migrations.")
    paths = sorted(directory.glob("*.sql"))
    for path in paths:
        if not _NAME.fullmatch(path.stem):
            raise MigrationError(f"{path.name}: name a migration like 0001_tickets.sql.")
    return {path.stem: path for path in paths}


def _definitions(directory: Path) -> dict[str, Path]:
    """Return the paths of the definitions by name, in the order in which they are applied.

    Functions come first, each after those in its line `-- depends:`; then triggers, then the compatibility file.
    """
    folder = directory.parent / "sql"
    functions = {path.stem: path for path in sorted(folder.glob("functions/*.sql"))}
    graph = {name: re.findall(r"\w+", " ".join(_DEPENDS.findall(path.read_text()))) for name, path in functions.items()}
    try:
        order = [functions[name] for name in TopologicalSorter(graph).static_order()]
    except (CycleError, KeyError) as error:
        raise MigrationError(f"Correct the lines `-- depends:` in sql/functions: {error}.") from error
    paths = [*order, *sorted(folder.glob("triggers/*.sql")), *folder.glob("compatibility.sql")]
    return {str(path.relative_to(folder).with_suffix("")): path for path in paths}


def _load(directory: Path) -> Any:
    """Return yoyo's list of the migrations. Raises MigrationError when one depends on a missing one."""
    from yoyo import read_migrations  # type: ignore[import-untyped]
    from yoyo.exceptions import BadMigration  # type: ignore[import-untyped]

    found = read_migrations(glob.escape(str(directory))).filter(lambda migration: migration.is_raw_sql())
    try:
        for migration in found:
            migration.load()
    except BadMigration as error:
        raise MigrationError(f"{error}: correct its line `-- depends:`.") from error
    return found


class _State:
    """The files of the schema, compared with a database."""

    def __init__(self, connection: psycopg.Connection[Any], directory: Path) -> None:
        self.migrations, self.definitions = _migrations(directory), _definitions(directory)
        self.applied, checksums = session.applied(connection)
        files = self.migrations | self.definitions
        changed = [name for name, path in files.items() if checksums.get(name) != session.checksum(path)]
        self.edited = [name for name in changed if name in self.migrations and name in checksums]
        self.unchecked = [name for name in self.applied if name in self.migrations and name not in checksums]
        self.newer = [name for name in self.applied if name not in self.migrations]
        self.pending = [name for name in self.migrations if name not in self.applied]
        if not self.newer:
            self.pending += [name for name in changed if name in self.definitions]

    def check(self, on_step: OnStep) -> _State:
        """Report migrations of a newer release. Raises MigrationError when an applied migration was edited."""
        for name in self.newer:
            on_step(f"{name} is of a newer release: left alone")
        for name in self.edited:
            raise MigrationError(
                f"{name}.sql was edited after it was applied to this database."
                " Restore the file as it was, and put the change into a new migration."
            )
        return self

    def backfill_checksums(self, connection: psycopg.Connection[Any]) -> None:
        """Store the checksums of the migrations that were marked before checksums were stored."""
        for name in self.unchecked:
            session.record(connection, name, self.migrations[name])


class _Step:
    """What is applied in one transaction: a migration of yoyo's (or None), definitions, or both."""

    def __init__(self, migration: Any, state: _State) -> None:
        self.migration = migration
        self.files = {migration.id: state.migrations[migration.id]} if migration else {}
        self.file = Path()  # the one that is being applied

    def run(self, backend: Any, policy: RetryPolicy, on_step: OnStep) -> None:
        """Apply it, again when a table is locked. Raises MigrationError, psycopg.Error for the connection."""
        if self.migration:
            on_step(f"apply {self.migration.id}")
        if count := len(self.files) - bool(self.migration):
            on_step(f"apply {count} definitions of functions and triggers")
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
                message = f"{self.file.name} fails: {reason.rstrip('.')}. {self._note()} Correct it and run it again."
                raise MigrationError(message) from error
        raise MigrationError(
            f"{self.file.name} needs a table that stays busy. {self._note()} Try again at a quieter"
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
                    backend.connection.execute(path.read_bytes())
                else:
                    if self.migration.use_transactions:
                        self.migration.process_steps(backend, "apply")
                    # yoyo's log needs the names of user and host, and fails or waits where they are unknown.
                    backend.mark_one(self.migration, log=False)
                session.record(backend.connection, name, path)

    def _note(self) -> str:
        if self.migration is None or self.migration.use_transactions:
            return "Nothing of it was applied."
        return "It runs outside a transaction, so its first statements may have been applied."
