"""`flask stats`: whether the counters behind the statistics are right, and making them so."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from ticketsvc.commands.database import open_database
from ticketsvc.commands.progress import working
from ticketsvc.store import stats as store

SHOWN = 20
"""So many differences are listed; more are only counted."""

stats = AppGroup("stats", help="Check the counters behind the statistics, and mend them.")


@stats.command()
def check() -> None:
    """Compare the counters with the tickets. Ends with 1 when they differ."""
    with open_database() as database, working("comparing the counters with the tickets"):
        differences = store.check(database)
    if not differences:
        click.echo("The counters agree with the tickets.")
        return
    for difference in differences[:SHOWN]:
        click.echo(f"{difference.counter} {difference.key}: off by {difference.excess}")
    raise click.ClickException(f"{len(differences):,} counters are wrong. Mend them with `flask stats mend`.")


@stats.command()
def mend() -> None:
    """Count all tickets anew. Nobody has to wait meanwhile, and nothing that is changed meanwhile is lost."""
    with open_database() as database, working("counting all tickets"):
        store.rebuild(database)
    click.echo("Counted anew.")
