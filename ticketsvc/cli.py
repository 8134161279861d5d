"""The command line: `flask migrate`."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import with_appcontext

from ticketsvc import embedded, migrations
from ticketsvc.services import services


def register(app: Flask) -> None:
    """Add the service's commands to `flask`."""
    app.cli.add_command(migrate)


@click.command()
@with_appcontext
def migrate() -> None:
    """Bring the database up to date: apply the migrations that are pending.

    Safe to run at any time, by any number of processes at once.
    """
    url = services().config.database_url
    if embedded.is_embedded(url):
        url = embedded.start(url)
    applied = migrations.apply(url)
    click.echo(f"Applied {', '.join(applied)}." if applied else "Nothing to apply: the database is up to date.")
