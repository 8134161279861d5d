"""Training of the weights by which furniture.py recognises openings, from openings and the beginnings of tickets.

`openings.jsonl` has an opening in each line. The others are the first one, two or three sentences of each labelled
ticket. Logistic regression with a quadratic penalty, in which both kinds count the same, by AdaGrad (see train.py).
Deterministic.
"""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from typing import TYPE_CHECKING

from ticketsvc.triage.labelled import read_line
from ticketsvc.triage.mail import read
from ticketsvc.triage.offline import linear
from ticketsvc.triage.offline.classifier import lexicon
from ticketsvc.triage.offline.furniture import opening_features
from ticketsvc.triage.offline.tokens import tokenize
from ticketsvc_dev.triage_training.train import file_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ticketsvc_dev.triage_training.train import Weights

_OPENINGS = "openings.jsonl"
_MIN_TEXTS = 2  # a feature in fewer texts is left out
_PENALTY = 0.5
_PASSES = 30
_RATE = 0.5


def read_texts(folder: Path) -> tuple[list[list[str]], list[list[str]]]:
    """Return the features of each opening, and of the beginning of each labelled ticket."""
    openings = [_features(f"-\n{json.loads(line)['text']}") for line in (folder / _OPENINGS).read_bytes().splitlines()]
    tickets = [line for path in sorted(folder.glob("??.jsonl")) for line in path.read_bytes().splitlines()]
    return openings, [_features(read_line(line).text, range(1, 2 + number % 3)) for number, line in enumerate(tickets)]


def _features(text: str, sentences: range | None = None) -> list[str]:
    """Return the features of a text, or of some of its sentences."""
    tokens = [token for token in tokenize(read(text).text) if sentences is None or token.sentence in sentences]
    return opening_features(tokens, lexicon())


def train_openings(openings: Sequence[list[str]], others: Sequence[list[str]]) -> Weights:
    """Return the weight of each feature, in nats: the log odds of an opening."""
    texts = Counter(feature for text in (*openings, *others) for feature in text)
    penalties = {each: _PENALTY / number for each, number in sorted(texts.items()) if number >= _MIN_TEXTS}
    penalties[linear.ALWAYS] = 0.0
    weights, squares = dict.fromkeys(penalties, 0.0), dict.fromkeys(penalties, 1e-3)
    rows = [
        ([linear.ALWAYS, *(feature for feature in text if feature in penalties)], right, 1 / len(group))
        for group, right in ((openings, 1.0), (others, 0.0))
        for text in group
    ]
    largest = max(count for _, _, count in rows)
    order = random.Random(0)  # noqa: S311 - an order, no secret
    for finished in range(_PASSES):
        order.shuffle(rows)
        for features, right, count in rows:
            wrong = count / largest * (1 / (1 + math.exp(-sum(weights[feature] for feature in features))) - right)
            for feature in features:
                gradient = wrong + penalties[feature] * weights[feature]
                squares[feature] += gradient * gradient
                weights[feature] -= _RATE / (1 + finished / 4) * gradient / math.sqrt(squares[feature])
    return {feature: [weight] for feature, weight in weights.items()}


def openings_text(folder: Path) -> str:
    """Train on the files of a folder, and return the content of the file of weights. Takes some seconds."""
    return file_text(train_openings(*read_texts(folder)), "words of openings", ["opening"])
