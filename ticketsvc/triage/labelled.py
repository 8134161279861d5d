"""Files of tickets whose right labels are known: one JSON object a line."""

from __future__ import annotations

import json
from typing import NamedTuple

from ticketsvc.enums import CATEGORIES, PRIORITIES

_TEXTS = ("title", "description", "text")


class Labelled(NamedTuple):
    """A text and its right labels; None: not known."""

    text: str
    category: str | None
    priority: str | None


def read_line(line: bytes) -> Labelled:
    """Read a line: `title`, `description` and `text` together are the text; other members are ignored.

    Raises ValueError with a sentence that says what is wrong and what to do.
    """
    ticket = _object(line)
    given = [ticket[name] for name in _TEXTS if ticket.get(name) is not None]
    texts = [text for text in given if isinstance(text, str)]
    if not texts or texts != given:
        raise ValueError("has no text: give a title, a description or a text, as strings.")
    category, priority = _label(ticket, "category", CATEGORIES), _label(ticket, "priority", PRIORITIES)
    if category is None and priority is None:
        raise ValueError("has neither a category nor a priority to compare with: label it, or take it out.")
    return Labelled("\n".join(texts), category, priority)


def _object(line: bytes) -> dict[str, object]:
    try:
        ticket = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise ValueError("is not JSON in UTF-8: write one object, such as {...}, on a line of its own.") from None
    if not isinstance(ticket, dict):
        raise ValueError("is not a JSON object: write the ticket's members between { and }.")
    return ticket


def _label(ticket: dict[str, object], field: str, allowed: tuple[str, ...]) -> str | None:
    label = ticket.get(field)
    if label is None or label == "":
        return None
    if isinstance(label, str) and label.lower() in allowed:
        return label.lower()
    raise ValueError(f"has no {field} of ours: it must be one of {', '.join(allowed)}, or null where it is not known.")
