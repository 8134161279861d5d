"""`flask tickets import`, `export` and `demo`: many tickets at once, in the same ways as over HTTP."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import IO

import click
from flask.cli import AppGroup

from ticketsvc import filters
from ticketsvc.commands.database import open_database
from ticketsvc.commands.progress import Advance, progress
from ticketsvc.dev import demo
from ticketsvc.files import CHUNK_BYTES, FORMATS, READERS
from ticketsvc.filters import Filters
from ticketsvc.problems import InvalidFile, InvalidInput
from ticketsvc.services import services
from ticketsvc.store import exports, imports, pages
from ticketsvc.store.history import NOBODY
from ticketsvc.store.imports import StagedTicket
from ticketsvc.store.postgres.database import Database
from ticketsvc.validation.parameters import Parameters

SECONDS = 86_400
"""How long a command may work."""
COUNTED_AT_ONCE = 1000
SUFFIXES = {".ndjson": "ndjson", ".jsonl": "ndjson", ".csv": "csv"}

tickets = AppGroup("tickets", help="Bring many tickets in or out as files, or make some up.")


def _filter_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add an option for each filter."""
    for name, meaning in reversed(filters.HELP.items()):
        command = click.option(f"--{name.replace('_', '-')}", name, multiple=True, help=meaning)(command)
    return command


@tickets.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--format", "file_format", type=click.Choice(FORMATS), help="Default: by the file's name.")
def import_file(file: str, file_format: str | None) -> None:
    """File all tickets of FILE (- for standard input), or none.

    NDJSON or CSV; fields: title, description, category, priority, status, created_at, updated_at. All but the first
    two may be left out.
    """
    read = READERS[file_format or _format_of(file)]
    with click.open_file(file, "rb") as source, _told(source) as advance:
        _import(read(_chunks(source, advance), services().config.max_body_bytes))


@tickets.command("export")
@click.option("--format", "file_format", type=click.Choice(FORMATS), help="Default: by the output's name, else ndjson.")
@click.option("-o", "--output", default="-", help="The file to write; default: standard output.")
@_filter_options
def export_file(output: str, file_format: str | None, **options: tuple[str, ...]) -> None:
    """Write all tickets that match the filters, oldest first, from one snapshot."""
    wanted = _parse_filters(options)
    file_format = file_format or ("ndjson" if output == "-" else _format_of(output))
    with open_database() as database, _whole_file(output) as target:
        parts = exports.stream(database, wanted, file_format == "csv", SECONDS)
        first = next(parts)  # there is one even of no tickets; what is wrong shows before anything is counted
        with _counting(database, wanted, output) as advance:
            for part in chain([first], parts):
                target.write(part.lines)
                advance(part.tickets)


@tickets.command("demo")
@click.argument("count", type=click.IntRange(1, 100_000_000))
@click.option("--seed", default=1, help="Another number makes other tickets.")
def make_up(count: int, seed: int) -> None:
    """Add COUNT made-up tickets of the year up to now."""
    with progress(count, "tickets") as advance:
        _import(_counted(demo.tickets(count, seed, datetime.now(UTC)), advance))


def _parse_filters(options: dict[str, tuple[str, ...]]) -> Filters:
    parameters = Parameters((name, value) for name, values in options.items() for value in values)
    parsed = filters.parse(parameters)
    try:
        parameters.check()
    except InvalidInput as problem:
        raise click.UsageError(str(problem)) from None
    return parsed


def _import(rows: Iterator[StagedTicket]) -> None:
    with open_database() as database:
        try:
            imported = imports.run(database, rows, NOBODY, SECONDS)
        except InvalidFile as problem:
            lines = [f"line {fault.line}: {fault.detail}" for fault in problem.faults]
            raise click.ClickException("\n".join([problem.detail, *lines])) from None
    click.echo(f"Imported {imported:,} tickets.")


def _format_of(name: str) -> str:
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise click.UsageError(f"The name does not tell the format: add --format {' or --format '.join(FORMATS)}.")
    return SUFFIXES[suffix]


def _told(source: IO[bytes]) -> AbstractContextManager[Advance]:
    """Progress by the bytes of a file; of standard input nobody knows the end."""
    status = os.fstat(source.fileno())
    if stat.S_ISREG(status.st_mode):
        return progress(status.st_size, "bytes")
    return nullcontext(_tell_nothing)


def _counting(database: Database, wanted: Filters, output: str) -> AbstractContextManager[Advance]:
    """Progress by the tickets of an export, where counting them costs little and no pipe waits for them."""
    if output == "-" or wanted.search:
        return nullcontext(_tell_nothing)
    return progress(pages.count(database, wanted), "tickets")


def _tell_nothing(steps: int) -> None:
    """Stands in for progress."""


def _chunks(source: IO[bytes], advance: Advance) -> Iterator[bytes]:
    while chunk := source.read(CHUNK_BYTES):
        yield chunk
        advance(len(chunk))


def _counted(rows: Iterator[StagedTicket], advance: Advance) -> Iterator[StagedTicket]:
    while some := list(islice(rows, COUNTED_AT_ONCE)):
        yield from some
        advance(len(some))


@contextmanager
def _whole_file(name: str) -> Iterator[IO[bytes]]:
    """The file gets its name when it is complete."""
    if name == "-":
        yield sys.stdout.buffer
        return
    unfinished = Path(f"{name}.part")
    try:
        with unfinished.open("wb") as target:
            yield target
        unfinished.replace(name)
    finally:
        unfinished.unlink(missing_ok=True)
