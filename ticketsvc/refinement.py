"""Refinement: the external model looks at new tickets after the offline classifier, when no request waits for it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from ticketsvc.store import training
from ticketsvc.store.history import Author
from ticketsvc.store.postgres.database import Database
from ticketsvc.store.training import Refinable
from ticketsvc.triage.model import Classifier, Suggestion

OLDEST_SECONDS, NEWEST_SECONDS = 900, 1
"""The age at which tickets are refined. Older ones keep their labels: somebody works on them, or the model was away."""
AT_ONCE = 8
"""The number of tickets that the model is asked about at a time."""
AWAY_SECONDS = 30.0
"""The time after which the model is asked again if it gave labels for none of them."""
AUTHOR = Author("triage", None)
"""The author of these changes in the history."""
_NOTHING = Suggestion("general", "medium", 0.0, 0.0, "", ())


class Abstaining:
    """The classifier to fall back on: one that has nothing to add to the labels that a ticket has."""

    def classify(self, text: str) -> Suggestion:
        """Return a suggestion that is not used."""
        return _NOTHING


class Refinement:
    """Refines the tickets of the last minutes, oldest first.

    It remembers where it is, not which tickets the model agreed about: a process that starts asks about those again.
    `model` falls back on `Abstaining`.
    """

    def __init__(self, database: Database, model: Classifier) -> None:
        self._database = database
        self._model = model
        self._after = UUID(int=0)
        self._away_until = 0.0

    def run(self) -> None:
        """Refine the next tickets, if there are any. Raises a Problem."""
        if time.monotonic() < self._away_until or not (tickets := self._next()):
            return
        with ThreadPoolExecutor(AT_ONCE) as threads:
            suggestions = list(threads.map(self._model.classify, [ticket.text for ticket in tickets]))
        if all(suggestion is _NOTHING for suggestion in suggestions):
            self._away_until = time.monotonic() + AWAY_SECONDS
            return
        for ticket, suggestion in zip(tickets, suggestions, strict=True):
            if suggestion is not _NOTHING and _differs(ticket, suggestion):
                training.refine(self._database, ticket.id, suggestion, AUTHOR)
        self._after = tickets[-1].id

    def _next(self) -> list[Refinable]:
        return training.refinable(self._database, self._after, OLDEST_SECONDS, NEWEST_SECONDS, AT_ONCE)


def _differs(ticket: Refinable, suggestion: Suggestion) -> bool:
    """Return whether a label that was suggested for the ticket is another one than this."""
    labels = ((ticket.category, suggestion.category), (ticket.priority, suggestion.priority))
    return any(before not in (None, after) for before, after in labels)
