"""The keyword list of the backend that this service replaces. It is the baseline of the classifiers."""

from __future__ import annotations

import re

CATEGORIES = {
    "billing": r"\b(bill|payment|charge|invoice|subscription|refund)\b",
    "account": r"\b(login|password|account|email|access|sign)\b",
    "technical": r"\b(error|bug|crash|slow|broken|feature|api|integration)\b",
    "general": "",
}
PRIORITIES = {
    "critical": r"\b(urgent|critical|down|outage|immediately|asap)\b",
    "high": r"\b(important|asap|soon|blocked)\b",
    "low": r"\b(minor|whenever|suggestion)\b",
    "medium": "",
}


def category(text: str) -> str:
    """Return the first category that has a keyword in the text."""
    return _first(CATEGORIES, text)


def priority(text: str) -> str:
    """Return the first priority that has a keyword in the text."""
    return _first(PRIORITIES, text)


def _first(patterns: dict[str, str], text: str) -> str:
    return next(label for label, pattern in patterns.items() if re.search(pattern, text.lower()))
