"""Older states of the schema."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from ticketsvc.migrations import MIGRATIONS

if TYPE_CHECKING:
    from pathlib import Path


def release(folder: Path, last: str) -> Path:
    """Copy the migrations up to the number `last` into a folder, without definitions, and return their directory."""
    directory = folder / f"migrations-{last}"
    directory.mkdir()
    for path in MIGRATIONS.glob("*.sql"):
        if path.name[:4] <= last:
            shutil.copy(path, directory)
    return directory
