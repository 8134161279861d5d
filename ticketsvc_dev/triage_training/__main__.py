"""Train the models of triage: `python -m ticketsvc_dev.triage_training` writes openings.txt and both weights.txt.

The encoder's is trained on the scores that the linear model gives to tickets that it was trained without: of those it
was trained with it is too sure.

With `--check`, it writes nothing and measures instead: five times it trains on four fifths of the tickets and predicts
the rest.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ticketsvc.enums import CATEGORIES, PRIORITIES
from ticketsvc.triage.encoder.classifier import WEIGHTS as HEAD_WEIGHTS
from ticketsvc.triage.encoder.classifier import Head
from ticketsvc.triage.evaluation import Prediction, accuracy, quality, recall
from ticketsvc.triage.offline.furniture import OPENINGS
from ticketsvc.triage.offline.linear import WEIGHTS, LinearModel
from ticketsvc_dev.triage_training.head import train_head, vectors
from ticketsvc_dev.triage_training.openings import openings_text
from ticketsvc_dev.triage_training.train import FOLDS, LabelledExample, file_text, fold, read_examples, train

if TYPE_CHECKING:
    from ticketsvc.triage.model import Scores
    from ticketsvc_dev.triage_training.head import Matrix

    Both = tuple[Scores, Scores]

_SURE = 0.75


def main() -> None:
    """Train, and write or measure."""
    folder = Path(__file__).parent
    if "--check" not in sys.argv:  # first: what the others learn is read without openings
        OPENINGS.write_text(openings_text(folder), encoding="utf-8")
    print("Reading the labelled tickets", file=sys.stderr)
    examples = read_examples(folder)
    rows = vectors(examples)
    offline = _unseen(examples, [_model([each for each in examples if fold(each) != part]) for part in range(FOLDS)])
    if "--check" in sys.argv:
        _check(examples, offline, rows)
    else:
        WEIGHTS.write_text(file_text(train(examples, _show)), encoding="utf-8")
        HEAD_WEIGHTS.write_text(_head_text(examples, offline, rows), encoding="utf-8")


def _check(examples: list[LabelledExample], offline: list[Both], rows: Matrix) -> None:
    """Print the quality of the lexicon alone, with the linear model, and with the encoder."""
    with_encoder = list(offline)
    for part in range(FOLDS):
        seen = [number for number, example in enumerate(examples) if fold(example) != part]
        head = Head(_head_text([examples[number] for number in seen], [offline[number] for number in seen], rows[seen]))
        for number, example in enumerate(examples):
            if fold(example) == part:
                with_encoder[number] = head.correct(rows[number, :-1], *offline[number])
    found = {"lexicon": _unseen(examples, [LinearModel("")] * FOLDS), "lexicon and linear model": offline}
    for name, scores in (found | {"with the encoder": with_encoder}).items():
        for languages, is_english in (("English", True), ("other languages", False)):
            pairs = [pair for pair in zip(examples, scores, strict=True) if (pair[0].language == "en") == is_english]
            print(f"{name}, {languages}:")
            print("  category", _figures([_prediction(each[0], example.category) for example, each in pairs]))
            print("  priority", _figures([_prediction(each[1], example.priority) for example, each in pairs]))


def _unseen(examples: list[LabelledExample], parts: list[LinearModel]) -> list[Both]:
    """Return the scores of each example by the model that was trained without it."""
    return [parts[fold(example)].correct(*example.read) for example in examples]


def _model(examples: list[LabelledExample]) -> LinearModel:
    return LinearModel(file_text(train(examples, _show)))


def _head_text(examples: list[LabelledExample], offline: list[Both], rows: Matrix) -> str:
    return file_text(train_head(examples, offline, rows), "encoder's logistic regression")


def _prediction(scores: Scores, actual: str) -> Prediction:
    label = max(scores, key=scores.__getitem__)
    return Prediction(label, math.exp(scores[label]), actual)


def _figures(predictions: list[Prediction]) -> str:
    found = quality(predictions)
    figures = f"{found.accuracy:.3f}, calibration error {found.calibration_error:.3f}"
    if predictions[0].actual in CATEGORIES:
        return figures
    critical = [each for each in predictions if each.predicted == "critical"]
    sure = [each for each in predictions if each.confidence > _SURE]
    return (
        f"{figures}, quadratic kappa {_quadratic_kappa(predictions):.3f}, critical: recall"
        f" {recall(predictions, 'critical') or 0:.3f}, precision {accuracy(critical):.3f}, of the"
        f" {len(sure) / len(predictions):.0%} with a confidence above {_SURE} {accuracy(sure):.3f} are right"
    )


def _quadratic_kappa(predictions: list[Prediction]) -> float:
    """Return the agreement beyond chance in which a label that is two steps off weighs four times as one step."""
    pairs = [(PRIORITIES.index(each.predicted), PRIORITIES.index(each.actual)) for each in predictions]
    observed = sum((predicted - actual) ** 2 for predicted, actual in pairs) / len(pairs)
    by_chance = sum((predicted - actual) ** 2 for predicted, _ in pairs for _, actual in pairs) / len(pairs) ** 2
    return 1 - observed / by_chance


def _show(epoch: int, epochs: int) -> None:
    print(f"\r{epoch} of {epochs} passes ", end="" if epoch < epochs else "\n", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
