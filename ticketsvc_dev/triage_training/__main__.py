"""Train the linear model of triage: `python -m ticketsvc_dev.triage_training` writes weights.txt.

With `--check`, it writes nothing and measures instead: five times it trains on four fifths of the tickets and predicts
the rest.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ticketsvc.enums import CATEGORIES, PRIORITIES
from ticketsvc.triage.evaluation import Prediction, accuracy, quality, recall
from ticketsvc.triage.offline.linear import WEIGHTS, LinearModel
from ticketsvc_dev.triage_training.train import FOLDS, LabelledExample, file_text, fold, read_examples, train

if TYPE_CHECKING:
    from ticketsvc.triage.model import Scores

_SURE = 0.75


def main() -> None:
    """Train, and write or measure."""
    print("Reading the labelled tickets", file=sys.stderr)
    examples = read_examples(Path(__file__).parent)
    if "--check" in sys.argv:
        _check(examples)
    else:
        WEIGHTS.write_text(file_text(train(examples, _show)), encoding="utf-8")


def _check(examples: list[LabelledExample]) -> None:
    """Print the quality of the lexicon alone and of both, in English and in the other languages."""
    models = {"lexicon and linear model": [_model(examples, part) for part in range(FOLDS)]}
    models = {"lexicon": [LinearModel("")] * FOLDS} | models
    for name, parts in models.items():
        for languages, is_english in (("English", True), ("other languages", False)):
            chosen = [example for example in examples if (example.language == "en") == is_english]
            pairs = [(example, parts[fold(example)].correct(*example.read)) for example in chosen]
            print(f"{name}, {languages}:")
            print("  category", _figures([_prediction(found[0], example.category) for example, found in pairs]))
            print("  priority", _figures([_prediction(found[1], example.priority) for example, found in pairs]))


def _model(examples: list[LabelledExample], part: int) -> LinearModel:
    return LinearModel(file_text(train([example for example in examples if fold(example) != part], _show)))


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
