"""Generated tickets over a year, as at a help desk: more on weekdays and by day, old ones mostly closed.

The newest have suggestions, which people kept or corrected, and a backlog waits: some of it is urgent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from ticketsvc import compact_json
from ticketsvc.store.imports import StagedTicket
from ticketsvc.triage.offline.classifier import OfflineClassifier

TEXTS = Path(__file__).with_name("demo.txt")
DAYS = 365
_HOUR = timedelta(hours=1)
_DAY_WEIGHTS = (6, 7, 6, 6, 5, 2, 1)
"""Relative load of Monday to Sunday."""
_HOUR_WEIGHTS = (1, 1, 1, 1, 1, 2, 4, 8, 14, 16, 15, 14, 11, 13, 14, 13, 12, 9, 6, 5, 4, 3, 2, 2)
"""Relative load of the hours of a day, in UTC."""
_HOURS_TO_RESOLVE = {"critical": 4.0, "high": 16.0, "medium": 48.0, "low": 96.0}
"""The median for each priority."""
BACKLOG = 60
"""The number of tickets that wait, if all were of low priority: about half of it."""
_WAITING_DAYS = {"critical": 1, "high": 14, "medium": 60, "low": 90}
"""The maximum time that a ticket of each priority waits."""
_URGENT = (2, 5, 9)
"""Places from the end of open critical tickets, if there are enough others."""
SUGGESTED = 1000
"""The number of newest tickets with suggestions: each costs a millisecond, and much more as a training example."""
_CORRECTED = 0.85
"""The share of wrong suggestions that people correct."""
_AGENTS = ("ada@help.example", "bo@help.example", "cleo@help.example", "dev@help.example", "eva@help.example")
_TAGS = {
    "billing": ("invoice", "refund", "vat", "renewal"),
    "technical": ("bug", "outage", "mobile", "integration"),
    "account": ("login", "2fa", "permissions", "invitation"),
    "general": ("question", "feature-request", "feedback", "docs"),
}
_VIP = 0.05
"""The share of tickets with one more tag."""
_SLOT = re.compile(r"\{(\w+)\}")
_CLASSIFIER = OfflineClassifier()


@dataclass(frozen=True)
class Topic:
    """A subject of tickets. Each of its titles fits each of its texts."""

    category: str
    priority: str
    titles: list[str]
    texts: list[str]


class Progress(NamedTuple):
    """The status that a ticket has now, the time when it got it, and the time of its resolution."""

    status: str
    updated: datetime
    resolved: datetime | None = None


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
    others = Random(f"people {seed}")  # noqa: S311
    critical = [topic for topic in material.topics if topic.priority == "critical"]
    waiting_share = min(0.6, BACKLOG * DAYS / (count * max(_WAITING_DAYS.values())))
    for remaining, created in zip(range(count, 0, -1), _times(count, random, now), strict=True):
        is_urgent = remaining in _URGENT and count >= 10 * len(_URGENT)
        topic = random.choice(critical if is_urgent else material.topics)
        can_wait = now - created < timedelta(days=_WAITING_DAYS[topic.priority])
        if is_urgent or (can_wait and random.random() < waiting_share):
            progress = _waiting(created, now, random)
        else:
            progress = _progress(topic.priority, created, now, random)
        ticket = StagedTicket(
            _fill(random.choice(topic.titles), material, random),
            _description(topic, material, random),
            topic.category,
            topic.priority,
            progress.status,
            created.isoformat(),
            progress.updated.isoformat(),
            progress.resolved.isoformat() if progress.resolved else None,
            **_people(topic.category, progress, created, material, others),
        )
        yield _with_suggestion(ticket, is_urgent, random) if remaining <= SUGGESTED else ticket


def _people(category: str, progress: Progress, created: datetime, material: Material, random: Random) -> dict[str, Any]:
    """Return the requester, assignee, tags and metadata of a ticket, and the time of its first response."""
    people: dict[str, Any] = {}
    if random.random() < 0.9:
        people["requester"] = _fill("{first}.{last}@{company}", material, random).lower()
    if random.random() < (0.25 if progress.status == "open" else 0.95):
        people["assignee"] = random.choice(_AGENTS)
    tags = random.sample(_TAGS[category], random.choices((0, 1, 2), (5, 4, 1))[0])
    if random.random() < _VIP:
        tags.append("vip")
    if tags:
        people["tags"] = sorted(tags)
    if random.random() < 0.2:
        people["metadata"] = compact_json.encode(
            {"order": f"A-{random.randrange(1000, 100_000)}", "plan": random.choice(material.slots["plan"]).lower()}
        )
    if progress.status != "open":
        end = progress.resolved or progress.updated
        people["first_response_at"] = (created + (end - created) * random.random() * 0.5).isoformat()
    return people


def _with_suggestion(ticket: StagedTicket, is_urgent: bool, random: Random) -> StagedTicket:
    """Add what the service suggested. Nobody has corrected the labels of an open ticket yet, unless it is urgent."""
    suggestion = _CLASSIFIER.classify(f"{ticket.title}\n{ticket.description}")
    is_corrected = is_urgent or (ticket.status != "open" and random.random() < _CORRECTED)
    return ticket._replace(
        category=ticket.category if is_corrected else suggestion.category,
        priority=ticket.priority if is_corrected else suggestion.priority,
        suggested_category=suggestion.category,
        category_confidence=suggestion.category_confidence,
        suggested_priority=suggestion.priority,
        priority_confidence=suggestion.priority_confidence,
        suggested_by=suggestion.source,
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


def _waiting(created: datetime, now: datetime, random: Random) -> Progress:
    """Return the progress of a ticket that is not resolved yet."""
    if random.random() < 0.6:
        return Progress("open", created)
    return Progress("in_progress", created + (now - created) * random.random())


def _progress(priority: str, created: datetime, now: datetime, random: Random) -> Progress:
    """Return the progress of a ticket that people work on as usual."""
    hours = _HOURS_TO_RESOLVE[priority] * random.lognormvariate(0, 1)
    started, resolved = created + hours * _HOUR * random.random() * 0.5, created + hours * _HOUR
    closed = resolved + timedelta(days=random.uniform(2, 10))
    if closed < now:
        return Progress("closed", closed, resolved)
    if resolved < now:
        return Progress("resolved", resolved, resolved)
    return Progress("in_progress", started) if started < now else Progress("open", created)


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
