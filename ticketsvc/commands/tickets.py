"""`flask tickets import`, `export`, `erase` and `demo`: many tickets at once."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import IO, TypeVar

import click
from flask.cli import AppGroup

from ticketsvc import filters
from ticketsvc.commands.database import open_database
from ticketsvc.commands.progress import Advance, progress
from ticketsvc.files import CHUNK_BYTES, FORMATS, READERS, options
from ticketsvc.files.rows import Rows
from ticketsvc.problems import InvalidFile, InvalidInput
from ticketsvc.services import services
from ticketsvc.store import erasure, exports, imports, pages
from ticketsvc.store.history import NO_AUTHOR
from ticketsvc.store.imports import Line
from ticketsvc.validation.parameters import Parameters

TIMEOUT = 86_400
"""Maximum duration of a command in seconds."""
PROGRESS_STEP = 1000
"""Number of demo tickets between two updates of the progress."""
SUFFIXES = {".ndjson": "ndjson", ".jsonl": "ndjson", ".csv": "csv"}

_T = TypeVar("_T")

tickets = AppGroup("tickets", help="Import, export and erase tickets, and create demo tickets.")


def _filter_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add an option for each filter."""
    for name, meaning in reversed(filters.HELP.items()):
        command = click.option(f"--{name.replace('_', '-')}", name, multiple=True, help=meaning)(command)
    return command


@tickets.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--format", "file_format", type=click.Choice(FORMATS), help="Default: from the file name.")
@click.option("--columns", multiple=True, metavar="FIELD:COLUMN,...", help="Columns that have other names.")
@click.option("--map", "labels", multiple=True, metavar="FIELD=VALUE:LABEL,...", help="Labels that values mean.")
@click.option("--tz", multiple=True, metavar="ZONE", help="The IANA time zone of times without an offset.")
def import_file(
    file: str, file_format: str | None, columns: tuple[str, ...], labels: tuple[str, ...], tz: tuple[str, ...]
) -> None:
    """Create all tickets of FILE ("-" for standard input), or none if any line is invalid.

    The format is NDJSON or CSV with the fields title, description, category, priority, status, created_at, updated_at,
    resolved_at, requester, assignee, tags, metadata and first_response_at. Only the first two are required. Files of
    other systems need options, such as --columns title:Subject,description:Body --map
    priority=urgent:critical,normal:medium --tz Europe/Berlin. docs/import.md has those for well-known help desks.
    """
    pairs = [("columns", value) for value in columns] + [("tz", value) for value in tz]
    pairs += [(f"map.{field}", value or field) for field, _, value in (label.partition("=") for label in labels)]
    rows = Rows(_checked(options.parse, pairs))
    read = READERS[file_format or _format_of(file)]
    with click.open_file(file, "rb") as source, progress(_size(source), "bytes") as advance:
        _import(read(_chunks(source, advance), services().config.max_body_bytes, rows))
    if rows.ignored:
        click.echo(f"Ignored columns: {', '.join(rows.ignored)}.")


@tickets.command("export")
@click.option("--format", "file_format", type=click.Choice(FORMATS), help="Default: from the file name, else ndjson.")
@click.option("-o", "--output", default="-", help="The file to write. Default: standard output.")
@_filter_options
def export_file(output: str, file_format: str | None, **given: tuple[str, ...]) -> None:
    """Write all tickets that match the filters, oldest first, from one snapshot."""
    selected = _checked(filters.parse, _filter_pairs(given))
    file_format = file_format or ("ndjson" if output == "-" else _format_of(output))
    with open_database() as database, _whole_file(output) as target:
        parts = exports.stream(database, selected, file_format == "csv", TIMEOUT)
        first = next(parts)  # there is a first part even without tickets; errors appear before the count starts
        is_counted = output != "-" and not selected.search  # counting the matches of a search is expensive
        with progress(pages.count(database, selected) if is_counted else None, "tickets") as advance:
            for part in chain([first], parts):
                target.write(part.lines)
                advance(part.tickets)


@tickets.command("erase")
@click.option("--requester", required=True, help="Whose tickets to erase, in any letter case.")
@click.option("--dry-run", is_flag=True, help="Only show how much there is.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def erase(requester: str, dry_run: bool, yes: bool) -> None:
    """Delete all tickets of a requester, with their comments, and the texts in their history.

    What stays is in docs/operations.md. It can be interrupted and repeated at any time. `flask tickets export
    --requester` writes what there is.
    """
    selected = _checked(filters.parse, [("requester", requester)])
    if not selected.requesters or len(selected.requesters) != 1:
        raise click.UsageError("--requester needs one name.")
    (name,) = selected.requesters
    with open_database() as database:
        extent = erasure.extent(database, name)
        click.echo(f"{name} has {extent.tickets:,} tickets with {extent.comments:,} comments.")
        if dry_run or not extent.tickets:
            return
        if not yes:
            click.confirm("Erase them? This cannot be undone.", abort=True)
        erased = 0
        with progress(extent.tickets, "tickets") as advance:
            for deleted in erasure.erase(database, name):
                erased += deleted
                advance(deleted)
    click.echo(f"Erased {erased:,} tickets. Their history stays, without texts, and so do backups.")


@tickets.command("demo")
@click.argument("count", type=click.IntRange(1, 100_000_000))
@click.option("--seed", default=1, help="A different number creates different tickets.")
def demo(count: int, seed: int) -> None:
    """Create COUNT random tickets with creation times of the past year."""
    try:
        from ticketsvc_dev import demo as generator
    except ModuleNotFoundError:
        raise click.ClickException(
            "Demo tickets come from the package ticketsvc_dev, which is not installed here. Run this command in a"
            " checkout of the repository, with the same DATABASE_URL."
        ) from None
    with progress(count, "tickets") as advance:
        _import(_with_progress(generator.tickets(count, seed, datetime.now(UTC)), advance))


def _filter_pairs(given: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    """Return options as parameters. `--metadata KEY=VALUE` is the parameter metadata[KEY]."""
    pairs = [(name, value) for name, values in given.items() if name != "metadata" for value in values]
    members = [member.partition("=") for member in given.get("metadata", ())]
    return pairs + [(f"metadata[{key}]", value) if equals else ("metadata", key) for key, equals, value in members]


def _checked(parse: Callable[[Parameters], _T], pairs: list[tuple[str, str]]) -> _T:
    """Return what `parse` takes out of parameters. An invalid or unknown one is a usage error."""
    parameters = Parameters(pairs)
    parsed = parse(parameters)
    try:
        parameters.check()
    except InvalidInput as problem:
        raise click.UsageError(str(problem)) from None
    return parsed


def _import(rows: Iterator[Line]) -> None:
    with open_database() as database:
        try:
            imported = imports.run(database, rows, NO_AUTHOR, TIMEOUT)
        except InvalidFile as problem:
            lines = [f"line {error.line}: {error.detail}" for error in problem.errors]
            raise click.ClickException("\n".join([problem.detail, *lines])) from None
    click.echo(f"Imported {imported:,} tickets.")


def _format_of(name: str) -> str:
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        options = " or --format ".join(FORMATS)
        raise click.UsageError(f"The file name does not show the format: add --format {options}.")
    return SUFFIXES[suffix]


def _size(source: IO[bytes]) -> int | None:
    """Return the size of a file in bytes, or None for a pipe."""
    status = os.fstat(source.fileno())
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _chunks(source: IO[bytes], advance: Advance) -> Iterator[bytes]:
    while chunk := source.read(CHUNK_BYTES):
        yield chunk
        advance(len(chunk))


def _with_progress(rows: Iterator[Line], advance: Advance) -> Iterator[Line]:
    while batch := list(islice(rows, PROGRESS_STEP)):
        yield from batch
        advance(len(batch))


@contextmanager
def _whole_file(name: str) -> Iterator[IO[bytes]]:
    """Write to a temporary file that gets the name when it is complete."""
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
