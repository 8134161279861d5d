"""The command line: `flask migrate`, `flask work`, `flask doctor`, and the groups of `ticketsvc.commands`."""

from __future__ import annotations

from dataclasses import replace

import click
from flask import Flask
from flask.cli import with_appcontext

from ticketsvc import __version__, migrations
from ticketsvc.commands.database import opened, started
from ticketsvc.commands.deliver import deliver
from ticketsvc.commands.doctor import doctor
from ticketsvc.commands.events import events
from ticketsvc.commands.keys import keys
from ticketsvc.commands.stats import stats
from ticketsvc.commands.tickets import tickets
from ticketsvc.commands.triage import triage
from ticketsvc.commands.webhooks import webhooks
from ticketsvc.commands.work import work
from ticketsvc.services import services
from ticketsvc.store import health
from ticketsvc.store.postgres.database import session_settings


def register(app: Flask) -> None:
    """Add the service's commands to `flask`."""
    groups = (events, keys, stats, tickets, triage, webhooks)
    for command in (version, migrate, role_settings, doctor, work, deliver, *groups):
        app.cli.add_command(command)


@click.command()
def version() -> None:
    """Show the version of the service."""
    # Flask's own `flask --version` ends before it loads the application, which therefore cannot add a line to it.
    click.echo(f"Ticket service {__version__}")


@click.command()
@with_appcontext
def migrate() -> None:
    """Bring the database up to date.

    Applies the migrations that are pending. Safe to run at any time, by any number of processes at once.
    """
    try:
        config = started(services().config.for_commands)
        applied = migrations.apply(config.database_url, on_step=click.echo, schema=config.database_schema)
    except migrations.MigrationError as error:
        raise click.ClickException(str(error)) from None
    if not applied:
        click.echo("The database is up to date.")


@click.command()
@with_appcontext
def role_settings() -> None:
    """Print the SQL that makes the settings of the service's sessions those of its role, for DB_POOLER=transaction."""
    config = services().config
    with opened(replace(config, database_schema="")) as database:  # the role may not find the schema yet
        for statement in health.role_settings(database, session_settings(config)):
            click.echo(statement)
