"""Training of the linear model: the lexicon's scores are its starting point, so it learns what they lack.

The softmax of the sums is fitted for both fields at once by AdaGrad (Duchi, Hazan and Singer 2011, "Adaptive
subgradient methods for online learning") with quadratic penalties, which keep seldom words and the author's favourite
ones small. The penalties and constants were chosen by cross-validation (`--check`), where the confidences needed no
further calibration. Deterministic.
"""

from __future__ import annotations

import json
import math
import random
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from ticketsvc.enums import CATEGORIES, PRIORITIES
from ticketsvc.triage.labelled import read_line
from ticketsvc.triage.offline.classifier import OfflineClassifier, author_words
from ticketsvc.triage.offline.linear import LABELS, LEXICON, UNIT, in_order, sections, trust, word_value, words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ticketsvc.triage.model import Scores
    from ticketsvc.triage.offline.evidence import Evidence
    from ticketsvc.triage.offline.tokens import Token

FOLDS = 5
_PLACES = 100  # tickets at the same place of two files are often one story in two languages: they share a fold
_PASSES = 30
_RATE = 0.5
_WORD_PENALTY = 0.05
_SECTION_PENALTY = 5.0
_MIN_TEXTS = 4  # a word in fewer texts is left out
_TICKETS_FOR_FRAME = 3
CRITICAL = 1.4  # what a critical ticket counts, so that the model would rather raise a false alarm than miss one
_START = (0.75,) * len(CATEGORIES) + (0.25,) * len(PRIORITIES)
FIELDS = (slice(0, len(CATEGORIES)), slice(len(CATEGORIES), len(LABELS)))

Weights = dict[str, list[float]]


class LabelledExample(NamedTuple):
    """A labelled ticket: its language, its place in the file from 0 to 1, what the classifier reads, and its labels.

    `words` are those of its author, as the encoder reads them.
    """

    language: str
    place: float
    words: str
    read: tuple[Sequence[Token], Sequence[Evidence], Scores, Scores]
    category: str
    priority: str


class _Row(NamedTuple):
    """An example as numbers: the values of its features, the scores of the lexicon, and the right probabilities.

    `trust` is the part of the model in the result, and is contained in the values. `counts` is what errors count.
    """

    features: list[tuple[str, float]]
    scores: list[float]
    right: list[float]
    trust: float
    counts: tuple[float, float]


def read_examples(folder: Path) -> list[LabelledExample]:
    """Read all files of labelled tickets, each ticket as it is, and a third also in the frame of a formal mail.

    The frames belong to tickets with any labels, so that "could you please" and "urgent" do not get the labels of the
    tickets that happen to have them.
    """
    classifier, examples = OfflineClassifier(), []
    frames = [json.loads(line) for line in (folder / "frames.jsonl").read_bytes().splitlines()]
    for path in sorted(folder.glob("??.jsonl")):
        lines = path.read_bytes().splitlines()
        own = [frame for frame in frames if frame["language"] == path.stem]
        for number, line in enumerate(lines):
            ticket, category, priority = read_line(line)
            if category is None or priority is None:
                raise ValueError(f"{path.name}, line {number + 1} needs both labels")
            texts = [ticket]
            if number % _TICKETS_FOR_FRAME == 0:
                texts.append(_framed(ticket, own[number // _TICKETS_FOR_FRAME % len(own)]))
            for text in texts:
                read = classifier.read(text)
                words = author_words(text, read[0])
                examples.append(LabelledExample(path.stem, number / len(lines), words, read, category, priority))
    return examples


def _framed(text: str, frame: dict[str, str]) -> str:
    title, _, body = text.partition("\n")
    return f"{title}\n{frame['before']} {body} {frame['after']}"


def fold(example: LabelledExample) -> int:
    """Return the fold of an example in cross-validation."""
    return int(example.place * _PLACES) % FOLDS


def train(examples: Sequence[LabelledExample], show: Callable[[int, int], None]) -> Weights:
    """Return the weights by feature, in nats. Calls `show` with the numbers of finished and of all passes."""
    rows = _rows(examples)
    penalties = _penalties(rows)
    weights = {feature: [0.0] * len(LABELS) for feature in sorted(penalties)} | {LEXICON: list(_START)}
    squares = {feature: [1e-3] * len(LABELS) for feature in weights}
    order = random.Random(0)  # noqa: S311 - an order, no secret
    for finished in range(_PASSES):
        show(finished, _PASSES)
        order.shuffle(rows)
        for row in rows:
            _learn(row, weights, squares, penalties, _RATE / (1 + finished / 4))
    show(_PASSES, _PASSES)
    return weights


def _learn(row: _Row, weights: Weights, squares: Weights, penalties: dict[str, float], rate: float) -> None:
    """Make one step against the gradient of the loss of a row and of its share of the penalties."""
    wrong = _errors(row, weights)
    for feature, value in row.features:
        own, sums, penalty = weights[feature], squares[feature], penalties[feature]
        for label, error in enumerate(wrong):
            gradient = error * value + penalty * own[label]
            sums[label] += gradient * gradient
            own[label] -= rate * gradient / math.sqrt(sums[label])
    for field in FIELDS:
        gradient = row.trust * sum(map(float.__mul__, wrong[field], row.scores[field]))
        squares[LEXICON][field.start] += gradient * gradient
        step = 0.1 * rate * gradient / math.sqrt(squares[LEXICON][field.start])
        weights[LEXICON][field] = [weights[LEXICON][field.start] - step] * (field.stop - field.start)


def _errors(row: _Row, weights: Weights) -> list[float]:
    """Return by how much the probabilities of a row exceed the right ones, times what the row counts."""
    sums = [(1 + row.trust * (factor - 1)) * score for factor, score in zip(weights[LEXICON], row.scores, strict=True)]
    for feature, value in row.features:
        sums = [total + value * weight for total, weight in zip(sums, weights[feature], strict=True)]
    wrong = []
    for field, count in zip(FIELDS, row.counts, strict=True):
        top = max(sums[field])
        powers = [math.exp(total - top) for total in sums[field]]
        norm = sum(powers)
        wrong += [count * (power / norm - right) for power, right in zip(powers, row.right[field], strict=True)]
    return wrong


def steepness(examples: Sequence[LabelledExample], weights: Weights) -> float:
    """Return the length of the gradient of the loss: near zero at the weights that fit the examples best."""
    rows = _rows(examples)
    slope: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(LABELS))
    penalties, unknown = _penalties(rows), [0.0] * len(LABELS)
    weights = dict.fromkeys(penalties, unknown) | weights
    for row in rows:
        wrong = _errors(row, weights)
        for feature, value in row.features:
            own, penalty = weights[feature], penalties[feature]
            slope[feature] = [
                total + error * value + penalty * weight
                for total, error, weight in zip(slope[feature], wrong, own, strict=True)
            ]
    return math.hypot(*(each for sums in slope.values() for each in sums))


def _penalties(rows: Sequence[_Row]) -> dict[str, float]:
    """Return the part of each feature's penalty that falls to each row that has it."""
    counts = Counter(feature for row in rows for feature, _ in row.features)
    return {
        feature: (_SECTION_PENALTY if _is_section(feature) else _WORD_PENALTY) / counts[feature] for feature in counts
    }


def _rows(examples: Sequence[LabelledExample]) -> list[_Row]:
    stems = [words(example.read[0]) for example in examples]
    texts = Counter(stem for each in stems for stem in each)
    rows = []
    for example, known in zip(examples, stems, strict=True):
        _, evidence, categories, priorities = example.read
        part = trust(len(known))
        value = part * word_value(len(known))
        features = [(stem, value) for stem in known if texts[stem] >= _MIN_TEXTS]
        features += [(section, part) for section in sections(evidence)]
        scores = in_order(categories, priorities)
        right = [float(label in (example.category, example.priority)) for label in LABELS]
        rows.append(_Row(features, scores, right, part, (1.0, CRITICAL if example.priority == "critical" else 1.0)))
    return rows


def _is_section(feature: str) -> bool:
    return feature[0] in "[*"


def file_text(
    weights: Weights, subject: str = "linear model that corrects the lexicon", labels: Sequence[str] = LABELS
) -> str:
    """Return the content of a file of weights, whose first line says what they are for."""
    lines = [
        f"// The {subject} (linear.py has the format), written by `python -m",
        "// ticketsvc_dev.triage_training`: a feature, then its weights in hundredths of a nat for",
        f"// {', '.join(labels)}.",
    ]
    for feature, own in sorted(weights.items(), key=lambda item: (not _is_section(item[0]), item[0])):
        numbers = [round(UNIT * weight) for weight in own]
        if any(numbers):
            lines.append(f"{feature} {' '.join(map(str, numbers))}")
    return "\n".join(lines) + "\n"
