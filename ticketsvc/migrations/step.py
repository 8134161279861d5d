"""Running one migration, up or down."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg.errors import DeadlockDetected, LockNotAvailable

from ticketsvc.migrations import files, ledger
from ticketsvc.migrations.session import MigrationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ticketsvc.migrations.engine import Backend, Direction, Migration


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds, and how often to try.

    `lock_timeout` is for one statement on a busy table, `pause` for the time between two attempts, `turn` for
    another process that is migrating.
    """

    lock_timeout: float = 4.0
    attempts: int = 5
    pause: float = 2.0
    turn: float = 600.0


@dataclass(frozen=True, slots=True)
class Step:
    """A migration to run in a direction; `path` is the file whose statements that runs."""

    migration: Migration
    direction: Direction
    path: Path

    def run_patiently(self, backend: Backend, patience: Patience, on_step: Callable[[str], None]) -> None:
        """Run it, again when a table is busy. Raises MigrationError, psycopg.Error for the connection."""
        on_step(f"{self.direction} {self.migration.id}")
        for attempt in range(1, patience.attempts + 1):
            try:
                return self._run(backend)
            except (LockNotAvailable, DeadlockDetected):
                on_step(f"{self.path.name}: a table is busy (attempt {attempt} of {patience.attempts})")
                time.sleep(patience.pause)
            except psycopg.Error as error:
                if error.sqlstate is None:
                    raise  # the connection failed, not a statement
                raise MigrationError(self._complaint(error)) from error
        raise MigrationError(
            f"{self.path.name} needs a table that stays busy. {self._what_is_left()} Try again at a quieter"
            " time, or end the long transactions that pg_stat_activity shows."
        )

    def _run(self, backend: Backend) -> None:
        # In one transaction with its mark. yoyo's own apply_one() marks in another one, and a process killed
        # between the two leaves a migration that can never be applied again.
        if not self.migration.use_transactions:
            self.migration.process_steps(backend, self.direction)
        with backend.transaction():
            if self.migration.use_transactions:
                self.migration.process_steps(backend, self.direction)
            self._mark(backend)

    def _mark(self, backend: Backend) -> None:
        # log=False: yoyo's log asks for the names of user and host, and fails or waits where they are not
        # known.
        if self.direction == "apply":
            backend.mark_one(self.migration, log=False)
            ledger.record(backend.connection, self.migration.id, files.fingerprint(self.path))
        else:
            backend.unmark_one(self.migration, log=False)
            ledger.forget(backend.connection, self.migration.id)

    def _complaint(self, error: psycopg.Error) -> str:
        said = ". ".join(part for part in (error.diag.message_primary, error.diag.message_hint) if part)
        return f"{self.path.name} fails: {said.rstrip('.')}. {self._what_is_left()} Correct it and run it again."

    def _what_is_left(self) -> str:
        if self.migration.use_transactions:
            return "Nothing of it was applied."
        return "It runs outside a transaction, so its first statements may have been applied."
