"""What the views need, in one object: made once for an application, opened by nobody before the first request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

from flask import Flask, current_app

from ticketsvc.config import Config
from ticketsvc.store import training
from ticketsvc.store.postgres.database import Database
from ticketsvc.triage.learning.classifier import LearningClassifier
from ticketsvc.triage.measured import MeasuredClassifier
from ticketsvc.triage.model import Classifier, Suggestion
from ticketsvc.triage.offline.classifier import OfflineClassifier

if TYPE_CHECKING:
    from ticketsvc.triage.model import Example
    from ticketsvc.triage.openai.classifier import OpenAIChatClassifier

DEFAULT = Suggestion("general", "medium", 0.0, 0.0, "default", ())
"""What a ticket without labels gets where triage is switched off."""


@dataclass(frozen=True)
class Services:
    """`classifier` answers the classify call and may ask a model outside; `offline` never does."""

    config: Config
    database: Database
    classifier: Classifier
    offline: Classifier

    def triage(self, text: str) -> Suggestion:
        """Labels for a new ticket whose caller left some out. Waits for no model outside."""
        return self.offline.classify(text) if self.config.triage_on_create else DEFAULT


def install(app: Flask, config: Config) -> None:
    """Make the services of an application."""
    database = Database(config)
    offline = offline_classifier(config, database)
    outside = classifier(config, database, offline)
    app.extensions["ticketsvc"] = Services(
        config, database, MeasuredClassifier(outside, "classify"), MeasuredClassifier(offline, "create")
    )


def services() -> Services:
    """The services of the current application."""
    return cast("Services", current_app.extensions["ticketsvc"])


def offline_classifier(config: Config, database: Database) -> Classifier:
    """The classifier that waits for no model outside: the lexicon, with what was learned unless that is off."""
    prior = OfflineClassifier()
    return LearningClassifier(prior, partial(training.token_counts, database)) if config.triage_learning else prior


def classifier(config: Config, database: Database, offline: Classifier) -> Classifier:
    """The classifier of the classify call: it asks a model first where there is a key for one."""
    if not config.openai_api_key:
        return offline
    return model(config, offline, partial(training.examples, database) if config.triage_learning else None)


def model(
    config: Config, offline: Classifier, recall: Callable[[str], list[Example]] | None = None
) -> OpenAIChatClassifier:
    """The classifier that asks the model of the settings; `recall` finds it examples. There must be a key for one."""
    from ticketsvc.triage.openai.classifier import OpenAIChatClassifier  # large: only when it is wanted

    return OpenAIChatClassifier(
        offline,
        api_key=config.openai_api_key,
        base_url=config.openai_base_url,
        model=config.openai_model,
        deadline=config.openai_timeout,
        recall=recall,
    )
