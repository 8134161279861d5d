"""A classifier that records metrics of its suggestions: their number, source and duration."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ticketsvc.server import metrics

if TYPE_CHECKING:
    from ticketsvc.triage.model import Classifier, Suggestion


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
