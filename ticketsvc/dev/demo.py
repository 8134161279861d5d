"""Made-up tickets over a year, as a help desk sees them: more on weekdays and by day, old ones mostly closed."""

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
_BY_DAY = (6, 7, 6, 6, 5, 2, 1)
"""How busy Monday to Sunday are."""
_BY_HOUR = (1, 1, 1, 1, 1, 2, 4, 8, 14, 16, 15, 14, 11, 13, 14, 13, 12, 9, 6, 5, 4, 3, 2, 2)
"""How busy the hours of a day are, in UTC."""
_HOURS_TO_RESOLVE = {"critical": 4.0, "high": 16.0, "medium": 48.0, "low": 96.0}
"""The median."""
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Topic:
    """What tickets are about: any of the titles with any of the texts."""

    category: str
    priority: str
    titles: list[str]
    texts: list[str]


class Material:
    """The sentences of demo.txt."""

    def __init__(self) -> None:
        self.slots: dict[str, list[str]] = {}
        self.sayings: dict[str, list[str]] = {}
        self.topics: list[Topic] = []
        """Each as often as its weight says."""
        for line in TEXTS.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                self._read(*line.split(" = ", 1))

    def _read(self, kind: str, text: str) -> None:
        match kind.split():
            case ["slot", name]:
                self.slots[name] = text.split(" | ")
            case ["say", place]:
                self.sayings[place] = text.split(" | ")
            case [category, priority, weight]:
                titles, texts = (part.split(" | ") for part in text.split(" || "))
                self.topics += [Topic(category, priority, titles, texts)] * int(weight)


def tickets(count: int, seed: int, now: datetime) -> Iterator[StagedTicket]:
    """So many tickets, oldest first, over the year that ends now; the same for the same arguments."""
    material, random = Material(), Random(seed)  # noqa: S311
    for line, created in enumerate(_times(count, random, now), 1):
        topic = random.choice(material.topics)
        status, updated = _progress(topic.priority, created, now, random)
        yield StagedTicket(
            line,
            _fill(random.choice(topic.titles), material, random),
            _description(topic, material, random),
            topic.category,
            topic.priority,
            status,
            created.isoformat(),
            updated.isoformat(),
        )


def _times(count: int, random: Random, now: datetime) -> Iterator[datetime]:
    """Times in order, hour by hour, so that memory does not grow with their number."""
    first = (now - timedelta(days=DAYS)).replace(minute=0, second=0, microsecond=0) + _HOUR
    hours = [first + hour * _HOUR for hour in range(DAYS * 24 - 1)]
    busy = [_BY_DAY[hour.weekday()] * _BY_HOUR[hour.hour] for hour in hours]
    total, passed, made = sum(busy), 0, 0
    for hour, weight in zip(hours, busy, strict=True):
        passed += weight
        due = count * passed // total - made
        made += due
        for second in sorted(random.random() * 3600 for _ in range(due)):
            yield hour + timedelta(seconds=second)


def _progress(priority: str, created: datetime, now: datetime, random: Random) -> tuple[str, datetime]:
    """The status of a ticket by now, and when it got it."""
    hours = _HOURS_TO_RESOLVE[priority] * random.lognormvariate(0, 1)
    started, resolved = created + hours * _HOUR * random.random() * 0.5, created + hours * _HOUR
    closed = resolved + timedelta(days=random.uniform(2, 10))
    if closed < now:
        return "closed", closed
    if resolved < now:
        return "resolved", resolved
    return ("in_progress", started) if started < now else ("open", created)


def _description(topic: Topic, material: Material, random: Random) -> str:
    sayings = material.sayings
    lines = [random.choice(sayings["opening"]), "", random.choice(topic.texts)]
    lines += random.sample(sayings["detail"], random.randrange(4))
    lines += ["", random.choice(sayings["closing"])]
    return _fill("\n".join(lines), material, random)


def _fill(text: str, material: Material, random: Random) -> str:
    def value(match: re.Match[str]) -> str:
        values = material.slots.get(match[1])
        return random.choice(values) if values else str(random.randrange(2, 90_000))

    filled = _SLOT.sub(value, text)
    return filled[0].upper() + filled[1:]
