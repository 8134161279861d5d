"""The labelled tickets from which the linear model is trained: valid, distinct, balanced, and about nobody."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT
from ticketsvc.enums import CATEGORIES
from ticketsvc.triage.labelled import read_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES = sorted((ROOT / "ticketsvc_dev" / "triage_training").glob("??.jsonl"))
EVALUATION = ROOT / "tests" / "unit" / "triage" / "evaluation.jsonl"
TICKETS = {"en": 850} | dict.fromkeys(["de", "es", "fr", "it", "nl", "pt"], 300)
"""The smallest number of tickets by language."""
SHARES = {"critical": 0.15, "high": 0.25, "medium": 0.35, "low": 0.25}
TOLERANCE = 0.06
OVERLAP = 0.3
"""The largest part of a text's word sequences that may also occur in one other text."""
HOST = re.compile(r"(?:@|https?://|www\.)([a-z0-9-]+(?:\.[a-z0-9-]+)+)", re.IGNORECASE)
RESERVED = re.compile(r"(.*\.)?(example(\.(com|net|org))?|invalid)", re.IGNORECASE)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_valid_and_balanced(path: Path) -> None:
    lines = path.read_bytes().splitlines()
    tickets = [read_line(line) for line in lines]
    members = {tuple(json.loads(line)) for line in lines}
    categories = Counter(ticket.category for ticket in tickets)
    priorities = Counter(ticket.priority for ticket in tickets)

    assert members == {("title", "description", "category", "priority")}
    assert len(tickets) >= TICKETS[path.stem]
    for category in CATEGORIES:
        assert categories[category] / len(tickets) == pytest.approx(1 / len(CATEGORIES), abs=TOLERANCE), category
    for priority, share in SHARES.items():
        assert priorities[priority] / len(tickets) == pytest.approx(share, abs=TOLERANCE), priority


def test_all_languages_have_a_file() -> None:
    assert {path.stem for path in FILES} == set(TICKETS)


def test_no_text_repeats_another_or_one_of_the_evaluation() -> None:
    """Texts with shared sequences of words let a model recognise the ticket and not what it is about."""
    known: dict[tuple[str, ...], set[int]] = defaultdict(set)
    texts: list[str] = []
    repeated = []
    for path in [EVALUATION, *FILES]:
        for line in path.read_bytes().splitlines():
            sequences = set(_word_sequences(text := read_line(line).text))
            shared = Counter(other for sequence in sequences for other in known[sequence])
            repeated += [
                (path.name, text[:60], texts[other][:60])
                for other, count in shared.items()
                if path is not EVALUATION and count > OVERLAP * len(sequences)
            ]
            for sequence in sequences:
                known[sequence].add(len(texts))
            texts.append(text)
    assert repeated == []


def test_all_addresses_are_reserved_for_examples() -> None:
    hosts = {host for path in FILES for host in HOST.findall(path.read_text("utf-8"))}
    assert hosts
    assert {host for host in hosts if not RESERVED.fullmatch(host)} == set()


def _word_sequences(text: str, length: int = 5) -> Iterator[tuple[str, ...]]:
    """Yield each run of `length` words, or all words of a shorter text."""
    words = re.findall(r"\w+", text.casefold())
    for start in range(max(1, len(words) - length + 1)):
        yield tuple(words[start : start + length])
