"""`flask triage`: what the classifier learned, how good it is, and suggestions for tickets that have none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from uuid import UUID

import click
from flask.cli import AppGroup

from ticketsvc.commands.database import open_database
from ticketsvc.commands.evaluate import evaluate
from ticketsvc.commands.progress import progress, working
from ticketsvc.filters import Filters
from ticketsvc.services import offline_classifier, services
from ticketsvc.store import pages, training
from ticketsvc.store import reclassify as store
from ticketsvc.store.postgres.database import Database
from ticketsvc.store.reclassify import ReclassifyCandidate
from ticketsvc.triage.learning.classifier import CHARACTERS_READ
from ticketsvc.triage.model import Classifier

BATCH = 200
"""How many tickets are read at a time."""

triage = AppGroup("triage", help="See what the classifier learned, measure it, teach it anew.")
triage.add_command(evaluate)


@triage.command()
def size() -> None:
    """Say how much was learned."""
    with open_database() as database:
        learned = training.size(database)
    click.echo(f"Texts that teach: {learned.texts:,}. Words known: {learned.words:,}. Bytes: {learned.bytes:,}.")


@triage.command()
@click.confirmation_option(prompt="Forget all that was learned? Only tickets created from now on will teach.")
def forget() -> None:
    """Forget what was learned, and start afresh."""
    with open_database() as database:
        training.forget(database)
    click.echo("Forgotten.")


@triage.command()
@click.confirmation_option(prompt="Forget all that was learned, and learn nothing more?")
def stop() -> None:
    """Forget what was learned, and learn nothing more.

    Until `flask triage forget` (from then on new tickets teach) or `flask triage rebuild` (all tickets do).
    TRIAGE_LEARNING=off is the other half: a process that has it suggests without what was learned, by whomever.
    """
    with open_database() as database:
        training.stop(database)
    click.echo("Forgotten. Nothing more is learned.")


@triage.command()
def rebuild() -> None:
    """Learn again from all tickets.

    Meanwhile closing a ticket that was triaged has to wait.
    """
    with open_database() as database, working("learning from all tickets"):
        texts = training.rebuild(database)
    click.echo(f"Texts that teach: {texts:,}.")


@triage.command()
def reclassify() -> None:
    """Suggest labels for tickets that never had a suggestion.

    They were imported, or filed with both labels. No ticket's labels, version or time of change are touched. But the
    labels that such a ticket has teach: one that differs from what is suggested now is a correction, and one that is
    the same on a resolved or closed ticket an agreement. So run it where people gave these labels. It may be stopped
    and run again at any time, also twice at once.
    """
    with open_database() as database:
        classifier = offline_classifier(services().config, database)
        done: Counter[bool] = Counter()
        with progress(pages.count(database, Filters()), "tickets looked at") as advance:
            for batch in _batches(database):
                done.update(_suggest(database, classifier, ticket) for ticket in batch if ticket.text is not None)
                advance(len(batch))
    click.echo(f"Suggested labels for {done[True]:,} tickets.")
    if done[False]:
        click.echo(f"{done[False]:,} tickets were changed meanwhile. Run it again for those that are left.")


def _batches(database: Database) -> Iterator[list[ReclassifyCandidate]]:
    last = UUID(int=0)
    while batch := store.reclassify_batch(database, last, BATCH, CHARACTERS_READ):
        yield batch
        last = batch[-1].id


def _suggest(database: Database, classifier: Classifier, ticket: ReclassifyCandidate) -> bool:
    return store.store_suggestion(database, ticket, classifier.classify(ticket.text or ""))
