"""SQL files as queries: `sql/tickets/get.sql` is the query called tickets.get.

A file starts with comment lines: what it answers, then one line a parameter, `-- $1 name: meaning`. It is plain
Postgres and runs in psql as it stands (PREPARE, or \\bind).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SQL = Path(__file__).parents[3] / "sql"
_PARAMETER = re.compile(r"^-- \$(\d+) (\w+)", re.MULTILINE)
_WRITES = re.compile(r"\b(?:INSERT|UPDATE|DELETE)\b")
_PLACEHOLDER = re.compile(r"\$(\d+)")


@dataclass(frozen=True)
class Query:
    """A statement and the names of its parameters, in the order of their numbers."""

    name: str
    text: str
    parameters: tuple[str, ...]
    is_idempotent: bool = False

    @property
    def repeatable(self) -> bool:
        """Whether running it twice is the same as running it once."""
        return self.is_idempotent or self.text.startswith("SELECT") or not _WRITES.search(self.text)

    def bind(self, values: Mapping[str, object]) -> list[bytes | None]:
        """The values of the parameters in order, in Postgres's text form; other values are left out.

        Raises KeyError when one is missing.
        """
        return [_text(values[name]) for name in self.parameters]


def load(name: str, is_idempotent: bool = False) -> Query:
    """Read the query called "resource.query"; `is_idempotent` says of one that writes that it may be run again.

    Raises FileNotFoundError when there is no such file, ValueError when it documents other parameters than it has.
    """
    text = SQL.joinpath(*name.split(".")).with_suffix(".sql").read_text()
    documented = {int(number): parameter for number, parameter in _PARAMETER.findall(text)}
    statement = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    used = {int(number) for number in _PLACEHOLDER.findall(statement)}
    if used != set(documented) or used != set(range(1, len(used) + 1)):
        raise ValueError(f"sql/{name.replace('.', '/')}.sql documents {sorted(documented)} and uses {sorted(used)}")
    return Query(name, statement, tuple(documented[number] for number in sorted(documented)), is_idempotent)


def _text(value: object) -> bytes | None:
    """The text form of a value: None is NULL, a list or tuple an array."""
    if value is None:
        return None
    if isinstance(value, (list, tuple)):
        elements = [str(element).replace("\\", r"\\").replace('"', r"\"") for element in value]
        return ("{" + ",".join([f'"{element}"' for element in elements]) + "}").encode()
    return str(value).encode()
