"""The files of the migrations. Nothing here opens a database or imports yoyo: web workers use it too."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from ticketsvc.migrations.session import MigrationError

MIGRATIONS = Path(__file__).parents[2] / "migrations"

# The number makes the order; it also keeps out yoyo's "post-apply" files, which it runs but never marks.
_NAME = re.compile(r"[0-9]{4}_[a-z0-9_]+")


def expected_ids(directory: Path = MIGRATIONS) -> frozenset[str]:
    """The ids (file names without `.sql`) that `_yoyo_migration.migration_id` holds when nothing is pending.

    The database may hold more: those of a newer release, on whose schema this one must run too.
    Raises MigrationError when the directory is missing or a name is not like 0001_tickets.sql.
    """
    return frozenset(read(directory))


def read(directory: Path) -> dict[str, Path]:
    """The migrations' paths by id, in the order of their numbers. Raises as `expected_ids` does."""
    if not directory.is_dir():
        raise MigrationError(f"There is no directory {directory}: install the service with its migrations.")
    paths = sorted(path for path in directory.glob("*.sql") if not path.name.endswith(".rollback.sql"))
    for path in paths:
        if not _NAME.fullmatch(path.stem):
            raise MigrationError(f"{path.name}: name a migration like 0001_tickets.sql.")
    return {path.stem: path for path in paths}


def fingerprint(path: Path) -> str:
    """SHA-256 of a file's text in hexadecimal, the same whether lines end in LF or CRLF."""
    return hashlib.sha256(path.read_text(encoding="utf-8").encode()).hexdigest()


def undo(path: Path) -> Path:
    """The file that undoes a migration."""
    return path.with_suffix(".rollback.sql")
