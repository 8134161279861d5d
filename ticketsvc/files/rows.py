"""Conversion of the lines of an import file to rows of the staging table. The rules are those of creating a ticket."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ticketsvc import compact_json
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.files import times
from ticketsvc.files.options import FIELDS, LABELS, OTHER_VALUES, Options, plain
from ticketsvc.problems import LineError
from ticketsvc.store.imports import Line, StagedTicket
from ticketsvc.validation import strict_json
from ticketsvc.validation.fields import Fields
from ticketsvc.validation.values import DESCRIPTION_LENGTH, TITLE_LENGTH

MAX_IGNORED = 100
"""The maximum number of ignored columns that are listed, and of characters of each name."""
CLOCK_SKEW = timedelta(minutes=1)
"""The time by which the clock of the other system may be ahead: later times are in the future."""

_EARLIEST = "1970"
_MAX_SPELLINGS = 1000


class Rows:
    """Makes the rows of a file, and records which columns it ignores. Columns are members, in NDJSON."""

    def __init__(self, options: Options) -> None:
        self.ignored: list[str] = []
        """The first ignored columns that have a name."""
        self.renamed = {plain(column): column for columns in options.columns.values() for column in columns}
        """The columns that the options name, as they spell them."""
        self._sources = {field: [*map(plain, options.columns.get(field, [field]))] for field in FIELDS}
        self._columns: dict[str, str | None] = {name: name for names in self._sources.values() for name in names}
        self._used = set(self._columns)
        self._labels = {
            field: {label: label for label in LABELS[field]} | dict(labels)
            for field, labels in options.labels.items()
            if labels
        }
        self._zone = options.zone
        self._latest = ""

    def column(self, name: str) -> str | None:
        """Return the name by which a column is known, or None if it is ignored, which is recorded."""
        try:
            return self._columns[name]
        except KeyError:
            known = plain(name) if plain(name) in self._used else None
            if len(self._columns) < _MAX_SPELLINGS:  # else a file could fill the memory
                self._columns[name] = known
            if known is None:
                self._ignore(name)
            return known

    def missing(self, columns: Collection[str | None]) -> list[str]:
        """Return the required columns that are not among those of a file."""
        required = {name: name for field in ("title", "description") for name in self._sources[field]} | self.renamed
        present = set(columns)
        return [spelled for name, spelled in required.items() if name not in present]

    def members(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return the members of an object that are not ignored. Of those with the same name the last counts."""
        if self._used.issuperset(given):
            return given
        return {known: value for name, value in given.items() if (known := self.column(name)) is not None}

    def ticket(self, line: int, cells: dict[str, Any]) -> Line:
        """Return the row of a line, or its errors. `cells` are its values by `column`."""
        values = self._values(cells) if self.renamed else cells
        for field, labels in self._labels.items():
            if field in values:
                values[field] = _label(labels, values[field])
        for field, read in _CELLS.items():
            if isinstance(text := values.get(field), str):
                values[field] = read(text.strip())
        fields = Fields(values)
        row = StagedTicket(
            fields.text("title", TITLE_LENGTH),
            fields.text("description", DESCRIPTION_LENGTH),
            fields.choice("category", CATEGORIES),
            fields.choice("priority", PRIORITIES),
            fields.choice("status", STATUSES),
            created_at := self._time(fields, "created_at", _EARLIEST),
            self._time(fields, "updated_at", created_at),
            self._time(fields, "resolved_at", created_at),
            fields.person("requester"),
            fields.person("assignee"),
            fields.tags("tags"),
            compact_json.encode_or_none(fields.metadata("metadata")),
            self._time(fields, "first_response_at", created_at),
        )
        if fields.errors:
            return [LineError(line, error.where["pointer"], error.detail, error.code) for error in fields.errors]
        return row

    def _values(self, cells: Mapping[str, Any]) -> dict[str, Any]:
        """Return the value of each field: that of its first column that is not empty."""
        values = {}
        for field, columns in self._sources.items():
            given = [cells[column] for column in columns if column in cells]
            if given:
                values[field] = next((value for value in given if not _is_empty(value)), given[0])
        return values

    def _time(self, fields: Fields, name: str, earliest: str | None) -> str | None:
        """Return a time in UTC. `earliest` is None for a ticket that is created now."""
        value = fields.body.get(name)
        if value is None or value == "":
            return None
        earliest = earliest or datetime.now(UTC).isoformat()
        try:
            time = times.in_utc(value, self._zone)
            if time < earliest:
                time = times.in_utc(value, self._zone, is_second=True)
        except TypeError:
            fields.add_error(name, "must be a string.", "not_allowed")
            return None
        except ValueError as error:
            fields.add_error(name, f"{error}.", "not_allowed")
            return None
        if time < earliest:
            limit = "1970" if earliest is _EARLIEST else "created_at, which is now if it is missing"
            fields.add_error(name, f"must not be before {limit}.", "out_of_range")
        elif time > self._latest and self._is_future(time):
            fields.add_error(name, "must not be in the future.", "out_of_range")
        return time

    def _is_future(self, time: str) -> bool:
        self._latest = (datetime.now(UTC) + CLOCK_SKEW).isoformat()
        return time > self._latest

    def _ignore(self, name: str) -> None:
        shown = name.replace("\ufeff", "").strip()[:MAX_IGNORED].encode(errors="replace").decode()
        if shown and shown not in self.ignored and len(self.ignored) < MAX_IGNORED:
            self.ignored.append(shown)


def unreadable(line: int, reason: str) -> list[LineError]:
    """Return the error of an invalid line. `reason` completes a sentence that begins with "The line"."""
    return [LineError(line, "#", f"The line {reason}", "unreadable")]


def _label(labels: Mapping[str, str], value: object) -> object:
    """Return the label that a value means, or the value itself if it means none."""
    if not isinstance(value, (str, int)) or isinstance(value, bool) or not (key := plain(str(value))):
        return value
    return labels.get(key) or labels.get(OTHER_VALUES) or value


def _tags(cell: str) -> object:
    """Return the tags in a cell: separated by commas, or a JSON array."""
    return _decoded(cell) if cell.startswith("[") else [tag for tag in cell.split(",") if tag.strip()]


def _decoded(cell: str) -> object:
    """Return the value of a cell that holds JSON; None if it is empty, the cell if it is not JSON."""
    try:
        return strict_json.decode(cell.encode()) if cell else None
    except ValueError:
        return cell


_CELLS: dict[str, Callable[[str], object]] = {"tags": _tags, "metadata": _decoded}
"""The function that makes the value of a field, which is not a text, of the text of a cell."""


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
