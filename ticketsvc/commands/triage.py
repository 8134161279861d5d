"""`flask triage`: training examples, evaluation of the classifiers, and suggestions for existing tickets."""

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
from ticketsvc.store.postgres.database import Database
from ticketsvc.store.training import ReclassifyCandidate
from ticketsvc.triage.model import MAX_CHARACTERS, Classifier

BATCH = 200
"""Number of tickets that are read at a time."""

triage = AppGroup("triage", help="Inspect, evaluate and retrain the classifier.")
triage.add_command(evaluate)


@triage.command()
def info() -> None:
    """Show how much the classifier has learned."""
    with open_database() as database:
        size, keys = training.size(database), training.keys(database)
    click.echo(f"Training texts: {size.texts:,}. Words: {size.words:,}. Bytes: {size.bytes:,}.")
    for key in keys:
        forgotten = f" ({key.forgotten:,} forgotten)" if key.forgotten else ""
        click.echo(f"Key {key.name}: {key.examples:,} training examples{forgotten}, {key.share:.1%} of all words.")


@triage.command()
@click.option("--by", "key", metavar="KEY", help="Only what the API key of this name has taught so far.")
@click.option("--undo", is_flag=True, help="With --by: use these training examples again.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def forget(key: str | None, undo: bool, yes: bool) -> None:
    """Delete all training examples and start again with tickets created from now on.

    With --by, only those of one API key, also for `flask triage rebuild`; --undo restores them. To stop a key from
    teaching, revoke it.
    """
    if undo and key is None:
        raise click.UsageError("--undo needs --by.")
    if not yes and not undo:
        every = "Delete all training examples? Only tickets created from now on will be used."
        click.confirm(f"Delete all training examples by the key {key}?" if key else every, abort=True)
    with open_database() as database:
        if key is None:
            training.forget(database)
            click.echo("All training examples were deleted.")
        else:
            count = training.forget_key(database, key, not undo)
            click.echo(f"{count:,} training examples by the key {key} were {'restored' if undo else 'deleted'}.")


@triage.command()
@click.confirmation_option(prompt="Delete all training examples and stop training?")
def stop() -> None:
    """Delete all training examples and stop training.

    `flask triage forget` starts training again with tickets created from then on, `flask triage rebuild` with all
    tickets. TRIAGE_LEARNING=off is a different switch: a process with this setting ignores all training examples.
    """
    with open_database() as database:
        training.stop(database)
    click.echo("All training examples were deleted. Training is stopped.")


@triage.command()
def rebuild() -> None:
    """Retrain from all tickets.

    Meanwhile, closing a ticket that has a suggestion has to wait.
    """
    with open_database() as database, working("retraining from all tickets"):
        texts = training.rebuild(database)
    click.echo(f"Training texts: {texts:,}.")


@triage.command()
def reclassify() -> None:
    """Suggest labels for tickets that never had a suggestion.

    These tickets were imported or created with both labels. Their labels, version and update time do not change. But
    their labels become training examples: a label that differs from the suggestion counts as a correction, and one that
    equals it counts as kept if the ticket is resolved or closed. So run this if people chose these labels. It can be
    interrupted and repeated at any time, and several runs may work at the same time.
    """
    with open_database() as database:
        classifier = offline_classifier(services().config, database)
        stored: Counter[bool] = Counter()
        with progress(pages.count(database, Filters()), "tickets") as advance:
            for batch in _batches(database):
                stored.update(_suggest(database, classifier, ticket) for ticket in batch if ticket.text is not None)
                advance(len(batch))
    click.echo(f"Suggested labels for {stored[True]:,} tickets.")
    if stored[False]:
        click.echo(f"{stored[False]:,} tickets were changed in the meantime. Run the command again for them.")


def _batches(database: Database) -> Iterator[list[ReclassifyCandidate]]:
    last = UUID(int=0)
    while batch := training.reclassify_batch(database, last, BATCH, MAX_CHARACTERS):
        yield batch
        last = batch[-1].id


def _suggest(database: Database, classifier: Classifier, ticket: ReclassifyCandidate) -> bool:
    return training.store_suggestion(database, ticket, classifier.classify(ticket.text or ""))
