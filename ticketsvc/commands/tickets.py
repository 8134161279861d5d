"""`flask tickets import`, `export` and `demo`: many tickets at once, in the same ways as over HTTP."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import IO
from urllib.parse import urlencode

import click
from flask.cli import AppGroup

from ticketsvc.api.input.body import CHUNK_BYTES
from ticketsvc.api.input.filters import parse_export
from ticketsvc.commands.database import open_database
from ticketsvc.commands.progress import Advance, progress
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.files import FORMATS, READERS
from ticketsvc.problems import InvalidFile, InvalidInput
from ticketsvc.services import services
from ticketsvc.store import exports, imports
from ticketsvc.store import tickets as counted
from ticketsvc.store.history import NOBODY
from ticketsvc.store.imports import StagedTicket
from ticketsvc.store.postgres.database import Database
from ticketsvc.store.tickets import Filters

SECONDS = 86_400
"""How long a command may work."""
COUNTED_AT_ONCE = 1000
SUFFIXES = {".ndjson": "ndjson", ".jsonl": "ndjson", ".csv": "csv"}

tickets = AppGroup("tickets", help="Bring many tickets in or out as files, or make some up.")


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
@click.option("--format", type=click.Choice(FORMATS), help="Default: by the name of the output, else ndjson.")
@click.option("-o", "--output", default="-", help="The file to write; default: standard output.")
@click.option("--category", multiple=True, help=f"One or more of {', '.join(CATEGORIES)}.")
@click.option("--priority", multiple=True, help=f"One or more of {', '.join(PRIORITIES)}.")
@click.option("--status", multiple=True, help=f"One or more of {', '.join(STATUSES)}.")
@click.option("--search", help="As the list's filter, like the following ones.")
@click.option("--created-since", help="A date, or an RFC 3339 time.")
@click.option("--created-before")
@click.option("--updated-since")
@click.option("--updated-before")
def export_file(output: str, **options: object) -> None:
    """Write all tickets that the filters allow, oldest first, from one snapshot."""
    given = {name: value for name, value in options.items() if value}
    try:
        filters, asked = parse_export(urlencode(given, doseq=True).encode())
    except InvalidInput as problem:
        raise click.UsageError(str(problem)) from None
    file_format = asked or ("ndjson" if output == "-" else _format_of(output))
    with open_database() as database, _whole_file(output) as target:
        parts = exports.stream(database, filters, file_format == "csv", SECONDS)
        first = next(parts)  # there is one even of no tickets; what is wrong shows before anything is counted
        with _counting(database, filters, output) as advance:
            for part in chain([first], parts):
                target.write(part.lines)
                advance(part.tickets)


@tickets.command("demo")
@click.argument("count", type=click.IntRange(1, 100_000_000))
@click.option("--seed", default=1, help="Another number makes other tickets.")
def make_up(count: int, seed: int) -> None:
    """Add COUNT made-up tickets of the year up to now."""
    from ticketsvc.dev import demo  # never in production

    with progress(count, "tickets") as advance:
        _import(_counted(demo.tickets(count, seed, datetime.now(UTC)), advance))


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


def _counting(database: Database, filters: Filters, output: str) -> AbstractContextManager[Advance]:
    """Progress by the tickets of an export, where counting them costs little and no pipe waits for them."""
    if output == "-" or filters.by_text:
        return nullcontext(_tell_nothing)
    return progress(counted.count(database, filters), "tickets")


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
