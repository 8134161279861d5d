"""The command line: `flask migrate`, `flask triage`, `flask tickets`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import Flask
from flask.cli import AppGroup, with_appcontext

from ticketsvc import embedded, migrations
from ticketsvc.commands.tickets import tickets
from ticketsvc.problems import Problem
from ticketsvc.services import services
from ticketsvc.store import lessons
from ticketsvc.store.database import Database

REBUILD_SECONDS = 3600
"""How long a command may work where a request may not."""

triage = AppGroup("triage", help="What the classifier learned from corrections.")


def register(app: Flask) -> None:
    """Add the service's commands to `flask`."""
    app.cli.add_command(migrate)
    app.cli.add_command(triage)
    app.cli.add_command(tickets)


@click.command()
@with_appcontext
def migrate() -> None:
    """Bring the database up to date.

    Applies the migrations that are pending. Safe to run at any time, by any number of processes at once.
    """
    try:
        applied = migrations.apply(_database_url(), on_step=click.echo)
    except (embedded.EmbeddedError, migrations.MigrationError) as error:
        raise click.ClickException(str(error)) from None
    if not applied:
        click.echo("The database is up to date.")


@triage.command()
def size() -> None:
    """Say how much was learned."""
    with _database() as database:
        learned = lessons.size(database)
    click.echo(f"Texts that teach: {learned.texts:,}. Words known: {learned.words:,}. Bytes: {learned.bytes:,}.")


@triage.command()
@click.confirmation_option(prompt="Forget all that was learned? Only tickets created from now on will teach.")
def forget() -> None:
    """Forget what was learned."""
    with _database() as database:
        lessons.forget(database)
    click.echo("Forgotten.")


@triage.command()
def rebuild() -> None:
    """Learn again from all tickets.

    Meanwhile closing a ticket that was triaged has to wait.
    """
    with _database() as database:
        click.echo(f"Texts that teach: {lessons.rebuild(database):,}.")


def _database_url() -> str:
    url = services().config.database_url
    return embedded.start(url) if embedded.is_embedded(url) else url


@contextmanager
def _database() -> Iterator[Database]:
    """A database for a command: patient, and its problems are sentences."""
    try:
        config = dataclasses.replace(
            services().config, database_url=_database_url(), statement_timeout=REBUILD_SECONDS, pool_size=1
        )
        database = Database(config)
        try:
            yield database
        finally:
            database.close()
    except (embedded.EmbeddedError, Problem) as error:
        raise click.ClickException(str(error)) from None
