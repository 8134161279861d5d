"""Commands about the feed of events."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from ticketsvc.commands.database import open_database
from ticketsvc.store import events as store

events = AppGroup("events", help="Manage the feed of events.")


@events.command("new-generation")
def new_generation() -> None:
    """Tell readers that events were lost, after a snapshot of the database's disk was restored.

    Run it before the service starts. Readers that have seen later events than the newest one in the database then get
    410 and start over; without it they would miss events without an error, because their numbers are given again.
    """
    with open_database() as database:
        click.echo(f"Readers that have seen events after {store.open_generation(database)} start over.")
