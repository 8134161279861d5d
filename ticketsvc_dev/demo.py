"""Generated tickets over a year, as at a help desk: more on weekdays and by day, old ones mostly closed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from ticketsvc.store.imports import StagedTicket

TEXTS = Path(__file__).with_name("demo.txt")
DAYS = 365
_HOUR = timedelta(hours=1)
_DAY_WEIGHTS = (6, 7, 6, 6, 5, 2, 1)
"""Relative load of Monday to Sunday."""
_HOUR_WEIGHTS = (1, 1, 1, 1, 1, 2, 4, 8, 14, 16, 15, 14, 11, 13, 14, 13, 12, 9, 6, 5, 4, 3, 2, 2)
"""Relative load of the hours of a day, in UTC."""
_HOURS_TO_RESOLVE = {"critical": 4.0, "high": 16.0, "medium": 48.0, "low": 96.0}
"""The median for each priority."""
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Topic:
    """A subject of tickets. Each of its titles fits each of its texts."""

    category: str
    priority: str
    titles: list[str]
    texts: list[str]


class Material:
    """The sentences of demo.txt."""

    def __init__(self) -> None:
        self.slots: dict[str, list[str]] = {}
        self.phrases: dict[str, list[str]] = {}
        self.topics: list[Topic] = []
        """Each occurs as often as its weight."""
        for line in TEXTS.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                self._read(*line.split(" = ", 1))

    def _read(self, kind: str, text: str) -> None:
        match kind.split():
            case ["slot", name]:
                self.slots[name] = text.split(" | ")
            case ["say", place]:
                self.phrases[place] = text.split(" | ")
            case [category, priority, weight]:
                titles, texts = (part.split(" | ") for part in text.split(" || "))
                self.topics += [Topic(category, priority, titles, texts)] * int(weight)


def tickets(count: int, seed: int, now: datetime) -> Iterator[StagedTicket]:
    """Yield `count` tickets over the year up to `now`, oldest first. The same arguments give the same tickets."""
    material, random = Material(), Random(seed)  # noqa: S311
    for created in _times(count, random, now):
        topic = random.choice(material.topics)
        status, updated = _progress(topic.priority, created, now, random)
        yield StagedTicket(
            _fill(random.choice(topic.titles), material, random),
            _description(topic, material, random),
            topic.category,
            topic.priority,
            status,
            created.isoformat(),
            updated.isoformat(),
        )


def _times(count: int, random: Random, now: datetime) -> Iterator[datetime]:
    """Yield times in order, hour by hour, so that memory use does not depend on their number."""
    first = (now - timedelta(days=DAYS)).replace(minute=0, second=0, microsecond=0) + _HOUR
    hours = [first + hour * _HOUR for hour in range(DAYS * 24 - 1)]
    busy = [_DAY_WEIGHTS[hour.weekday()] * _HOUR_WEIGHTS[hour.hour] for hour in hours]
    total, passed, made = sum(busy), 0, 0
    for hour, weight in zip(hours, busy, strict=True):
        passed += weight
        due = count * passed // total - made
        made += due
        for second in sorted(random.random() * 3600 for _ in range(due)):
            yield hour + timedelta(seconds=second)


def _progress(priority: str, created: datetime, now: datetime, random: Random) -> tuple[str, datetime]:
    """Return the status that a ticket has now, and the time when it got it."""
    hours = _HOURS_TO_RESOLVE[priority] * random.lognormvariate(0, 1)
    started, resolved = created + hours * _HOUR * random.random() * 0.5, created + hours * _HOUR
    closed = resolved + timedelta(days=random.uniform(2, 10))
    if closed < now:
        return "closed", closed
    if resolved < now:
        return "resolved", resolved
    return ("in_progress", started) if started < now else ("open", created)


def _description(topic: Topic, material: Material, random: Random) -> str:
    phrases = material.phrases
    lines = [random.choice(phrases["opening"]), "", random.choice(topic.texts)]
    lines += random.sample(phrases["detail"], random.randrange(4))
    lines += ["", random.choice(phrases["closing"])]
    return _fill("\n".join(lines), material, random)


def _fill(text: str, material: Material, random: Random) -> str:
    def value(match: re.Match[str]) -> str:
        values = material.slots.get(match[1])
        return random.choice(values) if values else str(random.randrange(2, 90_000))

    filled = _SLOT.sub(value, text)
    return filled[0].upper() + filled[1:]
