"""What the views need, in one object: made once for an application, opened by nobody before the first request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, cast

from flask import Flask, current_app

from ticketsvc.config import Config
from ticketsvc.store.database import Database
from ticketsvc.triage.classifier import Classifier
from ticketsvc.triage.offline import OfflineClassifier


class Labels(NamedTuple):
    """A category and a priority."""

    category: str
    priority: str


@dataclass(frozen=True)
class Services:
    """`classifier` answers the classify call and may ask a model outside; `offline` never does."""

    config: Config
    database: Database
    classifier: Classifier
    offline: Classifier

    def triage(self, text: str) -> Labels:
        """Labels for a new ticket whose caller gave none; the defaults when triage is switched off."""
        if not self.config.triage_on_create:
            return Labels("general", "medium")
        suggestion = self.offline.classify(text)
        return Labels(suggestion.category, suggestion.priority)


def install(app: Flask, config: Config) -> None:
    """Make the services of an application."""
    offline = OfflineClassifier()
    app.extensions["ticketsvc"] = Services(config, Database(config), _classifier(config, offline), offline)


def services() -> Services:
    """The services of the current application."""
    return cast("Services", current_app.extensions["ticketsvc"])


def _classifier(config: Config, offline: Classifier) -> Classifier:
    if not config.openai_api_key:
        return offline
    from ticketsvc.triage.openai_chat import OpenAIChatClassifier  # large: only when it is wanted

    return OpenAIChatClassifier(
        offline,
        api_key=config.openai_api_key,
        base_url=config.openai_base_url,
        model=config.openai_model,
        deadline=config.openai_timeout,
    )
