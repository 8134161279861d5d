"""The files of the schema: migrations and definitions. Web workers use it too: it imports no yoyo."""

from __future__ import annotations

import hashlib
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from ticketsvc.migrations.session import MigrationError

MIGRATIONS = Path(__file__).parents[2] / "migrations"

# The number makes the order. It also excludes yoyo's "post-apply" files, which yoyo runs but never marks.
_NAME = re.compile(r"[0-9]{4}_[a-z0-9_]+")
_DEPENDS = re.compile(r"^-- depends: (.+)$", re.MULTILINE)


def expected_ids(directory: Path = MIGRATIONS) -> frozenset[str]:
    """Return the ids (file names without `.sql`) of this release's migrations. Raises MigrationError for a bad name."""
    return frozenset(migration_files(directory))


def migration_files(directory: Path) -> dict[str, Path]:
    """Return the migrations' paths by id, in the order of their numbers."""
    if not directory.is_dir():
        raise MigrationError(f"There is no directory {directory}: install the service with its migrations.")
    paths = sorted(directory.glob("*.sql"))
    for path in paths:
        if not _NAME.fullmatch(path.stem):
            raise MigrationError(f"{path.name}: name a migration like 0001_tickets.sql.")
    return {path.stem: path for path in paths}


def definition_files(directory: Path) -> dict[str, Path]:
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


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file's text in hexadecimal, which is the same for LF and CRLF line ends."""
    return hashlib.sha256(path.read_text(encoding="utf-8").encode()).hexdigest()
