"""The services that views need, in one object for each application. Nothing is opened before the first request."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from flask import Flask, current_app

from ticketsvc.config import Config
from ticketsvc.feed import Feed
from ticketsvc.refinement import Abstaining, Refinement
from ticketsvc.server import metrics
from ticketsvc.store import background, events, rate_limits, search_index, similar, stats, tickets, training
from ticketsvc.store.health import Readiness
from ticketsvc.store.postgres.database import Database
from ticketsvc.store.postgres.replica import Replicas
from ticketsvc.triage import encoder
from ticketsvc.triage.learning.classifier import LearningClassifier
from ticketsvc.triage.model import Classifier, Example, Suggestion
from ticketsvc.triage.offline.classifier import OfflineClassifier
from ticketsvc.upkeep import Tasks

if TYPE_CHECKING:
    from ticketsvc.triage.encoder.classifier import EncoderClassifier
    from ticketsvc.triage.openai.classifier import OpenAIChatClassifier

CATCH_UP_SECONDS = SIGNS_SECONDS = MERGE_SECONDS = REFINE_SECONDS = 1.0
"""The pauses between two runs of a task of `flask work`."""
DELETE_SECONDS = 60.0

DEFAULT = Suggestion("general", "medium", 0.0, 0.0, "default", ())
"""The labels of a ticket that is created without any while TRIAGE_ON_CREATE is off."""


class InstrumentedClassifier:
    """Delegates to another classifier and records metrics. `call` is the operation: "create" or "classify"."""

    def __init__(self, classifier: Classifier, call: str) -> None:
        self._classifier = classifier
        self._call = call

    def classify(self, text: str) -> Suggestion:
        """Suggest labels for any text."""
        started = time.perf_counter()
        suggestion = self._classifier.classify(text)
        metrics.TRIAGE_DURATION.labels(self._call, suggestion.source).observe(time.perf_counter() - started)
        return suggestion


@dataclass(frozen=True)
class Services:
    """`classifier` serves /classify and may call an external model; `offline` never does."""

    config: Config
    database: Database
    readiness: Readiness
    classifier: Classifier
    offline: Classifier
    encoder: EncoderClassifier | None
    feed: Feed
    replicas: Replicas | None

    @property
    def reader(self) -> Database:
        """The database for a read that a client may get from a replica, if there is one."""
        return self.replicas.reader if self.replicas else self.database

    def triage(self, text: str) -> Suggestion:
        """Return labels for a new ticket that lacks some. Calls no external model."""
        return self.offline.classify(text) if self.config.triage_on_create else DEFAULT

    def signs(self, title: str, description: str) -> str | None:
        """Return the signs of what the encoder says about a ticket with this text; None without an encoder."""
        return self.encoder.signs(title, description) if self.encoder else None

    def upkeep(self) -> Tasks:
        """Return the tasks of `flask work` besides its deliveries."""
        tasks: dict[Callable[[], object], float] = {
            self.catch_up: CATCH_UP_SECONDS,
            partial(stats.merge, self.database): MERGE_SECONDS,
            self.delete_expired: DELETE_SECONDS,
        }
        if self.encoder:
            tasks[self.store_signs] = SIGNS_SECONDS
        if self.config.triage_refine and self.config.openai_api_key:
            online = classifier(self.config, self.database, Abstaining())
            tasks[Refinement(self.database, InstrumentedClassifier(online, "refine")).run] = REFINE_SECONDS
        return tasks

    def run_unless_taken(self, task: Callable[[], object]) -> None:
        """Run a task, unless a `flask work` has it. Raises a Problem."""
        if not background.is_taken(self.database):
            task()

    def delete_expired(self) -> None:
        """Delete what is kept for a limited time: responses to idempotent creates, windows of rate limits, events."""
        tickets.prune_idempotency_records(self.database)
        rate_limits.prune(self.database)
        events.prune(self.database, self.config.events_days)

    def catch_up(self) -> None:
        """Do what writes leave for later: the entries of texts in the search index, events, stems of similar tickets.

        Searches read new texts one by one until then, and the outbox grows if nobody reads the feed. One statement runs
        after the other: several at once would leave the requests of a small machine no core.
        """
        has_more = True
        while has_more:
            search_index.index_pending(self.database)
            events.publish(self.database)
            has_more = similar.follow(self.database)

    def store_signs(self) -> None:
        """Store the signs of the texts of new and changed tickets, which the encoder gives: it must be on."""
        similar.store_signs(self.database, self.signs)


def install(app: Flask, config: Config) -> None:
    """Create the services of an application."""
    database = Database(config)
    offline = offline_classifier(config, database)
    online = classifier(config, database, offline)
    app.extensions["ticketsvc"] = Services(
        config,
        database,
        Readiness(database),
        InstrumentedClassifier(online, "classify"),
        InstrumentedClassifier(offline, "create"),
        encoder.load() if config.triage_encoder else None,
        Feed(database, config.event_listeners, config.bulk_stall_timeout),
        Replicas(config, database) if config.read_database_url else None,
    )


def services() -> Services:
    """Return the services of the current application."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # see `api.current`
    found: Services = app.extensions["ticketsvc"]
    return found


def offline_classifier(config: Config, database: Database) -> Classifier:
    """Return the classifier that calls no external model, with training data unless that is off. Raises ConfigError."""
    prior = encoder.load() if config.triage_encoder else OfflineClassifier()
    return LearningClassifier(prior, partial(training.token_counts, database)) if config.triage_learning else prior


def classifier(config: Config, database: Database, offline: Classifier) -> Classifier:
    """Return the classifier of /classify: it asks the external model first when OPENAI_API_KEY is set."""
    if not config.openai_api_key:
        return offline
    return model(config, offline, partial(training.examples, database) if config.triage_learning else None)


def model(
    config: Config, offline: Classifier, find_examples: Callable[[str], list[Example]] | None = None
) -> OpenAIChatClassifier:
    """Return the classifier that asks the external model. OPENAI_API_KEY must be set."""
    from ticketsvc.triage.openai.classifier import OpenAIChatClassifier  # large, so imported only when it is used

    return OpenAIChatClassifier(
        offline,
        api_key=config.openai_api_key,
        base_url=config.openai_base_url,
        model=config.openai_model,
        deadline=config.openai_timeout,
        find_examples=find_examples,
    )
