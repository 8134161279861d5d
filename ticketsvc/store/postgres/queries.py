r"""SQL files as queries with typed rows: `sql/tickets/get.sql` is the query `tickets.get`.

A file starts with a header of comment lines, in this order:

    -- Returns one ticket.          what the query returns or does, and why it is written as it is
    -- Retry: safe                  only if running it twice has the same effect as running it once
    -- Cost: high                   only if its work can grow with the number of tickets; or
    -- Cost: high with NAME ...     only if it can when one of these parameters is not NULL
    -- Position: after              only if clients that read from a replica next must find what it did or returned
    -- $1 id: meaning               a line for each parameter

`Retry: safe` allows `Database` to run the query again after the connection broke, when nobody knows whether Postgres
ran it. Without the line a query is never run again after a lost connection. Queries of high cost may use only a part
of the pool (`shares`). `Position: after` tells clients the position of the database behind the query (`positions`). The
rest is plain Postgres: psql can run it (PREPARE, or \bind).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import repeat
from operator import itemgetter
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints, overload
from uuid import UUID

from psycopg import pq

from ticketsvc.store.postgres import fragments

SQL = Path(__file__).parents[3] / "sql"
_RETRY = re.compile(r"^-- Retry: *(.*)", re.MULTILINE)
_COST = re.compile(r"^-- Cost: *(.*)", re.MULTILINE)
_POSITION = re.compile(r"^-- Position: *(.*)", re.MULTILINE)

Row = TypeVar("Row")
Decoder = Callable[[Any], object]

_DECODERS: dict[Any, Decoder] = {
    bytes: bytes,
    str: bytes.decode,
    int: int,
    float: float,
    bool: {b"t": True, b"f": False}.__getitem__,
    UUID: lambda text: UUID(text.decode()),
    list: json.loads,
}


class Query(Generic[Row]):
    """A statement, the names of its parameters in the order of their numbers, and the type of its rows."""

    def __init__(
        self,
        name: str,
        text: str,
        parameters: tuple[str, ...],
        is_retry_safe: bool,
        costly_with: tuple[str, ...] | None,
        row_type: type[Row],
        has_position: bool = False,
    ) -> None:
        self.name = name
        self.text = text
        self.parameters = parameters
        self.is_retry_safe = is_retry_safe
        self._is_always_costly = costly_with == ()
        self._costly_with = [parameters.index(parameter) for parameter in costly_with or ()]
        self.row_type = row_type
        self.has_position = has_position
        self._decoders = list(enumerate(map(_decoder, column_types(row_type))))
        self._make_row = partial(tuple.__new__, row_type) if issubclass(row_type, tuple) else itemgetter(0)

    def bind(self, values: Mapping[str, object]) -> list[bytes | None]:
        """Return the values of the parameters in order, in Postgres's text form; ignore other values.

        Raises KeyError when one is missing.
        """
        return [_text(values[name]) for name in self.parameters]

    def is_costly(self, values: list[bytes | None]) -> bool:
        """Return whether the query can take long with these values, which `bind` returned."""
        if not self._costly_with:
            return self._is_always_costly
        return any(values[number] is not None for number in self._costly_with)

    def decode(self, result: pq.abc.PGresult) -> list[Row]:
        """Return all rows of a result. Raises an exception when a column is NULL whose type does not allow None."""
        value = result.get_value
        if result.ntuples == 1:  # as below, but without the overhead that pays only with many rows
            return [self._make_row([decode(value(0, n)) for n, decode in self._decoders])]
        rows = range(result.ntuples)
        columns = [_decode_column(decode, map(value, rows, repeat(n))) for n, decode in self._decoders]
        return list(map(self._make_row, zip(*columns, strict=True)))


@overload
def load(name: str) -> Query[None]: ...
@overload
def load(name: str, row_type: type[Row], variant: str = "") -> Query[Row]: ...
def load(name: str, row_type: Any = NoneType, variant: str = "") -> Query[Any]:
    """Read the query `resource.query`. `row_type` says how its rows are decoded; without it they are ignored.

    It is a NamedTuple with a field for each column, or the type of the only column. The types are bytes (the text as
    Postgres wrote it, in UTF-8), str, int, float, bool, UUID, list (of JSON), and any of them `| None` where the
    column may be NULL.

    Raises FileNotFoundError when there is no such file, ValueError when its header does not match its statement.
    """
    return parse(name, SQL.joinpath(*name.split(".")).with_suffix(".sql").read_text(), row_type, variant)


def load_variants(name: str, row_type: type[Row], default: str, other: str, variant: str = "") -> dict[str, Query[Row]]:
    """Read a query that serves two sort orders, in a variant. They are the keys of the result; `other` is a variant."""
    return {default: load(name, row_type, variant), other: load(name, row_type, f"{other} {variant}".rstrip())}


def load_each(name: str, row_type: type[Row], variants: Iterable[str]) -> dict[str, Query[Row]]:
    """Read a query in each of these variants, which are the keys of the result."""
    return {variant: load(name, row_type, variant) for variant in variants}


def parse(name: str, text: str, row_type: Any = NoneType, variant: str = "") -> Query[Any]:
    """Return the query in the text of an SQL file. Raises ValueError when the header does not match the statement."""
    statement, parameters = fragments.expand(name, text, SQL / "fragments", variant)
    retry = _RETRY.findall(text)
    if retry not in ([], ["safe"]):
        raise ValueError(f"{name}: the header says `Retry: {retry[0]}`; write `Retry: safe` or leave the line out.")
    position = _POSITION.findall(text)
    if position not in ([], ["after"]):
        raise ValueError(f"{name}: the header says `Position: {position[0]}`; write `Position: after` or leave it out.")
    return Query(
        f"{name}:{variant}" if variant else name,
        statement,
        tuple(parameters),
        bool(retry),
        _costly_with(name, text, parameters),
        row_type,
        bool(position),
    )


def _costly_with(name: str, text: str, parameters: list[str]) -> tuple[str, ...] | None:
    """Return the parameters that make a query costly, () if it always is, None if it never is."""
    cost = _COST.findall(text)
    if not cost:
        return None
    match cost[0].split():
        case ["high"]:
            return ()
        case ["high", "with", *names] if names and set(names) <= set(parameters):
            return tuple(names)
    raise ValueError(f"{name}: the header says `Cost: {cost[0]}`; write `Cost: high` or `Cost: high with PARAMETER`.")


def column_types(row_type: type[Any]) -> list[Any]:
    """Return the type of each column of a row; none when the rows are ignored."""
    if issubclass(row_type, tuple):
        return list(get_type_hints(row_type).values())
    return [] if row_type is NoneType else [row_type]


def _decoder(column: Any) -> Decoder:
    if get_origin(column) is UnionType:
        [not_null] = set(get_args(column)) - {NoneType}
        if not_null is bytes:
            return _unchanged
        decode = _decoder(not_null)
        return lambda text: None if text is None else decode(text)
    return _DECODERS[get_origin(column) or column]


def _unchanged(value: object) -> object:
    return value


def _decode_column(decode: Decoder, values: Iterable[bytes | None]) -> Iterable[object]:
    if decode is _unchanged:
        return values
    if decode is not bytes:
        return map(decode, values)
    column = list(values)  # to call bytes() with each would cost more than all the rest
    if None in column:
        raise TypeError("The column has a NULL, and its type does not allow None.")
    return column


def _text(value: object) -> bytes | None:
    """Return the text form of a value: None is NULL, a list or tuple an array."""
    if value is None:
        return None
    if isinstance(value, (list, tuple)):
        return ("{" + ",".join(map(_element, value)) + "}").encode()
    return str(value).encode()


def _element(value: object) -> str:
    """Return the form of a value in an array. A list is a text there, because the rows of an array are equally long."""
    if value is None:
        return "NULL"
    if isinstance(value, (list, tuple)):
        return _element((_text(value) or b"").decode())
    return '"' + str(value).replace("\\", r"\\").replace('"', r"\"") + '"'
