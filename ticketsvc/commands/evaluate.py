"""`flask triage evaluate`: compare suggestions with the labels that people gave."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple

import click
from flask.cli import with_appcontext

from ticketsvc.commands.database import open_database
from ticketsvc.commands.progress import progress
from ticketsvc.services import classifier as configured_classifier
from ticketsvc.services import offline_classifier, services
from ticketsvc.store import training
from ticketsvc.triage import encoder
from ticketsvc.triage.evaluation import BINS, Bin, Prediction, Quality, quality, recall
from ticketsvc.triage.labelled import LabelledTicket, read_line
from ticketsvc.triage.model import Classifier, Suggestion
from ticketsvc.triage.offline.classifier import OfflineClassifier


class Result(NamedTuple):
    """A labelled ticket, the suggestion for it, and the time in milliseconds that the suggestion took."""

    ticket: LabelledTicket
    suggestion: Suggestion
    milliseconds: float


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option(
    "--classifier",
    "name",
    type=click.Choice(["offline", "encoder", "learned", "openai"]),
    help="offline: the lexicon alone. encoder: also the encoder. learned: also the training examples of this database,"
    " with the encoder if TRIAGE_ENCODER is on. openai: the model."
    "  [default: the classifier of new tickets]",
)
@with_appcontext
def evaluate(file: BinaryIO, name: str | None) -> None:
    """Compare suggestions with the labels in FILE ("-" for standard input).

    FILE contains one JSON object per line with a "title", a "description" or a "text" (or several of them), and the
    right "category", "priority" or both. Nothing is stored. The exit status is 1 if a line was skipped.
    """
    tickets, errors = _read(file)
    for error in errors:
        click.echo(error, err=True)
    if not tickets:
        raise click.ClickException("The file has no labelled tickets.")
    with _classifier(name) as classifier, progress(len(tickets), "tickets") as advance:
        results = []
        for ticket in tickets:
            started = time.perf_counter()
            suggestion = classifier.classify(ticket.text)
            results.append(Result(ticket, suggestion, 1000 * (time.perf_counter() - started)))
            advance(1)
    click.echo("\n".join(_report(results)))
    if errors:
        raise click.ClickException(f"{len(errors):,} lines were skipped for the reasons above.")


def _read(file: Iterable[bytes]) -> tuple[list[LabelledTicket], list[str]]:
    """Return the tickets of a file, and an error message for each invalid line. Blank lines are ignored."""
    tickets, errors = [], []
    for number, line in enumerate(file, 1):
        if line.strip():
            try:
                tickets.append(read_line(line))
            except ValueError as error:
                errors.append(f"Line {number:,} {error}")
    return tickets, errors


@contextmanager
def _classifier(name: str | None) -> Iterator[Classifier]:
    config = services().config
    if name == "openai" and not config.openai_api_key:
        raise click.ClickException("No model is configured: set OPENAI_API_KEY.")
    if name is None and not config.triage_learning:
        name = "encoder" if config.triage_encoder else "offline"
    if name in ("offline", "encoder"):
        yield encoder.load() if name == "encoder" else OfflineClassifier()
        return
    with open_database() as database:
        training.size(database)  # fail if the database cannot be reached: the classifier would hide it
        offline = offline_classifier(config, database)
        yield configured_classifier(config, database, offline) if name == "openai" else offline


def _report(results: list[Result]) -> Iterator[str]:
    sources = Counter(result.suggestion.source for result in results)
    yield f"Tickets: {len(results):,}. Decided by: {', '.join(f'{name} {n:,}' for name, n in sorted(sources.items()))}."
    yield ""
    predictions = {name: _predictions(results, name) for name in ("category", "priority")}
    qualities = {name: quality(found) for name, found in predictions.items() if found}
    yield "field     tickets  accuracy  macro-F1   kappa  calibration error"
    yield from (_quality_row(name, each) for name, each in qualities.items())
    yield from _critical(predictions["priority"])
    for name, each in qualities.items():
        yield ""
        yield f"{name}: confidence  tickets    mean   right"
        yield from map(_bin_row, each.bins)
    yield ""
    yield _latency(sorted(result.milliseconds for result in results))


def _predictions(results: list[Result], field: str) -> list[Prediction]:
    return [
        Prediction(getattr(result.suggestion, field), getattr(result.suggestion, f"{field}_confidence"), actual)
        for result in results
        if (actual := getattr(result.ticket, field))
    ]


def _quality_row(field: str, found: Quality) -> str:
    kappa = "      -" if found.kappa is None else f"{found.kappa:7.3f}"
    rates = f"{found.accuracy:9.3f} {found.macro_f1:9.3f} {kappa} {found.calibration_error:18.3f}"
    return f"{field:8} {found.size:8,} {rates}"


def _critical(predictions: list[Prediction]) -> Iterator[str]:
    """Yield how many of the critical tickets were found, if there are some."""
    share = recall(predictions, "critical")
    if share is not None:
        number = sum(each.actual == "critical" for each in predictions)
        yield ""
        yield f"critical: {number:,} tickets, recall {share:.3f}"


def _bin_row(each: Bin) -> str:
    upper = each.lower + 1 / BINS
    return f"{each.lower:11.1f} to {upper:.1f} {each.size:8,} {each.confidence:7.3f} {each.accuracy:7.3f}"


def _latency(milliseconds: list[float]) -> str:
    """Format the nearest-rank percentiles of sorted durations."""
    mean = sum(milliseconds) / len(milliseconds)
    p50, p99 = (milliseconds[-(-len(milliseconds) * share // 100) - 1] for share in (50, 99))
    return f"Latency in ms: mean {mean:.2f}, p50 {p50:.2f}, p99 {p99:.2f}."
