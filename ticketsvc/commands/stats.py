"""`flask stats`: check and rebuild the counters of the statistics."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from ticketsvc.commands.database import open_database
from ticketsvc.commands.progress import working
from ticketsvc.store import stats as store

MAX_LISTED = 20
"""Maximum number of differences that are listed. All are counted."""

stats = AppGroup("stats", help="Check and rebuild the counters of the statistics.")


@stats.command()
def check() -> None:
    """Compare the counters with the tickets. The exit status is 1 if they differ."""
    with open_database() as database, working("comparing the counters with the tickets"):
        differences = store.check(database)
    if not differences:
        click.echo("The counters agree with the tickets.")
        return
    for difference in differences[:MAX_LISTED]:
        click.echo(f"{difference.counter} {difference.key}: off by {difference.excess}")
    raise click.ClickException(f"{len(differences):,} counters are wrong. Rebuild them with `flask stats rebuild`.")


@stats.command()
def rebuild() -> None:
    """Count all tickets again. Writes continue meanwhile and are counted."""
    with open_database() as database, working("counting all tickets"):
        store.rebuild(database)
    click.echo("The counters were rebuilt.")
