"""Training of the encoder's logistic regression, on top of offline scores of tickets that their model has not seen.

The loss is convex: it is minimised by Nesterov's accelerated gradient (Beck and Teboulle 2009, "A fast iterative
shrinkage-thresholding algorithm", with a constant step). Deterministic. The penalty was chosen by cross-validation
(`--check`). Needs numpy and the encoder.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ticketsvc.triage.encoder.classifier import DIMENSIONS, OFFLINE_SHARE, encode
from ticketsvc.triage.offline.linear import ALWAYS, LABELS, in_order
from ticketsvc_dev.triage_training.train import CRITICAL, FIELDS, Weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ticketsvc.triage.model import Scores
    from ticketsvc_dev.triage_training.train import LabelledExample

    Matrix = NDArray[np.float64]

_STEPS = 300
_PENALTY = 1.0


def vectors(examples: Sequence[LabelledExample]) -> Matrix:
    """Return the vectors of the examples, and a 1 for the constant. Takes a few seconds."""
    return np.array([[*encode(example.words), 1.0] for example in examples])


def train_head(examples: Sequence[LabelledExample], offline: Sequence[tuple[Scores, Scores]], rows: Matrix) -> Weights:
    """Return the weights by dimension, in nats, for `vectors(examples)` and the scores of the offline classifier."""
    start = OFFLINE_SHARE * np.array([in_order(*scores) for scores in offline])
    right = np.array([[label in (each.category, each.priority) for label in LABELS] for each in examples], float)
    counts = np.ones_like(right)
    counts[right[:, LABELS.index("critical")] == 1, FIELDS[1]] = CRITICAL
    penalty = np.array([_PENALTY] * DIMENSIONS + [0.0])[:, None]
    step = 1 / (CRITICAL / 2 * float(np.linalg.norm(rows.T @ rows, 2)) + _PENALTY)
    weights = ahead = np.zeros((DIMENSIONS + 1, len(LABELS)))
    speed = 1.0
    for _ in range(_STEPS):
        wrong = counts * (_probabilities(start + rows @ ahead) - right)
        before, weights = weights, ahead - step * (rows.T @ wrong + penalty * ahead)
        last, speed = speed, (1 + math.sqrt(1 + 4 * speed**2)) / 2
        ahead = weights + (last - 1) / speed * (weights - before)
    return dict(zip([*map(str, range(DIMENSIONS)), ALWAYS], weights.tolist(), strict=True))


def _probabilities(scores: Matrix) -> Matrix:
    powers = np.exp(scores)
    return np.hstack([powers[:, field] / powers[:, field].sum(1, keepdims=True) for field in FIELDS])
