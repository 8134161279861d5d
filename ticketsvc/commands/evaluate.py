"""`flask triage evaluate`: suggestions beside the labels that people gave, in figures."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple

import click
from flask.cli import with_appcontext

from ticketsvc.commands.database import open_database
from ticketsvc.commands.progress import progress
from ticketsvc.services import classifier as outside_classifier
from ticketsvc.services import offline_classifier, services
from ticketsvc.store import training
from ticketsvc.triage.evaluation import Answer, Bin, Quality, quality
from ticketsvc.triage.labelled import Labelled, read_line
from ticketsvc.triage.model import Classifier, Suggestion
from ticketsvc.triage.offline.classifier import OfflineClassifier


class Trial(NamedTuple):
    """A labelled ticket, what was suggested for it, and how many milliseconds that took."""

    ticket: Labelled
    suggestion: Suggestion
    milliseconds: float


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option(
    "--classifier",
    "name",
    type=click.Choice(["offline", "learned", "openai"]),
    help="offline: the lexicon alone; learned: with what this database's tickets taught; openai: the model."
    "  [default: what triages new tickets]",
)
@with_appcontext
def evaluate(file: BinaryIO, name: str | None) -> None:
    """Compare suggestions with the labels in FILE ("-": standard input).

    FILE has one JSON object a line: "title", "description" or "text" (or several of them), and the right "category",
    "priority" or both. Nothing is stored. The exit status is 1 when a line could not be used.
    """
    labelled, faults = _read(file)
    for fault in faults:
        click.echo(fault, err=True)
    if not labelled:
        raise click.ClickException("There is no labelled ticket to compare with.")
    with _classifier(name) as classifier, progress(len(labelled), "tickets") as advance:
        trials = [_try(classifier, ticket, advance) for ticket in labelled]
    click.echo("\n".join(_report(trials)))
    if faults:
        raise click.ClickException(f"{len(faults):,} lines were left out. The reasons are above.")


def _read(file: Iterable[bytes]) -> tuple[list[Labelled], list[str]]:
    """The tickets of a file, and what is wrong with the lines that hold none. Blank lines are passed over."""
    labelled, faults = [], []
    for number, line in enumerate(file, 1):
        if line.strip():
            try:
                labelled.append(read_line(line))
            except ValueError as fault:
                faults.append(f"Line {number:,} {fault}")
    return labelled, faults


@contextmanager
def _classifier(name: str | None) -> Iterator[Classifier]:
    config = services().config
    if name == "openai" and not config.openai_api_key:
        raise click.ClickException("There is no model to ask: set OPENAI_API_KEY.")
    if name == "offline" or (name is None and not config.triage_learning):
        yield OfflineClassifier()
        return
    with open_database() as database:
        training.size(database)  # classifiers do without a database that is away; figures should not
        offline = offline_classifier(config, database)
        yield outside_classifier(config, database, offline) if name == "openai" else offline


def _try(classifier: Classifier, ticket: Labelled, advance: Callable[[int], None]) -> Trial:
    started = time.perf_counter()
    suggestion = classifier.classify(ticket.text)
    milliseconds = 1000 * (time.perf_counter() - started)
    advance(1)
    return Trial(ticket, suggestion, milliseconds)


def _report(trials: list[Trial]) -> Iterator[str]:
    sources = Counter(trial.suggestion.source for trial in trials)
    yield f"Tickets: {len(trials):,}. Decided by: {', '.join(f'{name} {n:,}' for name, n in sorted(sources.items()))}."
    yield ""
    fields = {name: quality(answers) for name, answers in _answers(trials).items() if answers}
    yield "field     tickets  accuracy  macro-F1   kappa  calibration error"
    yield from (_row(name, figures) for name, figures in fields.items())
    for name, figures in fields.items():
        yield ""
        yield f"{name}: confidence  tickets    mean   right"
        yield from (_bin(part) for part in figures.reliability)
    yield ""
    yield _latency(sorted(trial.milliseconds for trial in trials))


def _answers(trials: list[Trial]) -> dict[str, list[Answer]]:
    return {
        "category": [
            Answer(trial.suggestion.category, trial.suggestion.category_confidence, trial.ticket.category)
            for trial in trials
            if trial.ticket.category
        ],
        "priority": [
            Answer(trial.suggestion.priority, trial.suggestion.priority_confidence, trial.ticket.priority)
            for trial in trials
            if trial.ticket.priority
        ],
    }


def _row(field: str, figures: Quality) -> str:
    kappa = "      -" if figures.kappa is None else f"{figures.kappa:7.3f}"
    return (
        f"{field:8} {figures.answers:8,} {figures.accuracy:9.3f} {figures.macro_f1:9.3f} {kappa}"
        f" {figures.calibration_error:18.3f}"
    )


def _bin(part: Bin) -> str:
    return f"{part.least:11.1f} to {part.least + 0.1:.1f} {part.answers:8,} {part.confidence:7.3f} {part.accuracy:7.3f}"


def _latency(milliseconds: list[float]) -> str:
    """The nearest-rank percentiles of sorted times."""
    mean = sum(milliseconds) / len(milliseconds)
    p50, p99 = (milliseconds[-(-len(milliseconds) * share // 100) - 1] for share in (50, 99))
    return f"Latency in ms: mean {mean:.2f}, p50 {p50:.2f}, p99 {p99:.2f}."
