"""Files of labelled tickets: one JSON object per line."""

from __future__ import annotations

import json
from typing import NamedTuple

from ticketsvc.enums import CATEGORIES, PRIORITIES

_TEXTS = ("title", "description", "text")


class LabelledTicket(NamedTuple):
    """A text and its labels. A label is None if it is not known."""

    text: str
    category: str | None
    priority: str | None


def read_line(line: bytes) -> LabelledTicket:
    """Parse a line. The text is `title`, `description` and `text` joined; other members are ignored.

    Raises ValueError with the predicate of a sentence whose subject is the line.
    """
    ticket = _json_object(line)
    given = [ticket[name] for name in _TEXTS if ticket.get(name) is not None]
    texts = [text for text in given if isinstance(text, str)]
    if not texts or texts != given:
        raise ValueError("has no text: add a title, a description or a text, as strings.")
    category, priority = _label(ticket, "category", CATEGORIES), _label(ticket, "priority", PRIORITIES)
    if category is None and priority is None:
        raise ValueError("has neither a category nor a priority: add one, or remove the line.")
    return LabelledTicket("\n".join(texts), category, priority)


def _json_object(line: bytes) -> dict[str, object]:
    try:
        ticket = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise ValueError("is not JSON in UTF-8: write one JSON object per line.") from None
    if not isinstance(ticket, dict):
        raise ValueError("is not a JSON object: write the ticket's members between { and }.")
    return ticket


def _label(ticket: dict[str, object], field: str, allowed: tuple[str, ...]) -> str | None:
    label = ticket.get(field)
    if label is None or label == "":
        return None
    if isinstance(label, str) and label.lower() in allowed:
        return label.lower()
    raise ValueError(f"has an unknown {field}: it must be one of {', '.join(allowed)}, or null if it is not known.")
