"""Tickets with a suggestion, and changes of their labels, for the tests of learning."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from psycopg.rows import scalar_row

from ticketsvc.enums import CATEGORIES, PRIORITIES

if TYPE_CHECKING:
    import random

    from tests.support.tickets import Connection

# Words of ordinary tickets, by category. None of them is in the lexicon.
SUBJECTS = {
    "billing": "zloty kopeck tariff ledger bursar tithe stipend escrow ducat guilder annuity dowry excise levy pence",
    "technical": "gasket flange rotor piston sprocket camshaft bushing gimbal solenoid manifold ratchet cowling strut",
    "account": "sentry turnstile badge emblem rampart moat parapet portcullis drawbridge herald envoy warden steward",
    "general": "meadow orchard heron otter bramble thicket willow sparrow badger lichen heather fern moss warbler",
}
SMALL_TALK = "please look into what happened because since yesterday our team saw again that some of these"

_INSERT = """
    INSERT INTO tickets (title, description, category, priority, suggested_category, category_confidence,
        suggested_priority, priority_confidence, suggested_by, status)
    VALUES (%(title)s, %(description)s, %(category)s, %(priority)s, %(suggested_category)s, 0.5,
        %(suggested_priority)s, 0.5, 'offline', %(status)s)
    RETURNING id::text
"""

_numbers = count(1)


def suggest(
    database: Connection,
    text: str,
    suggested: tuple[str, str] = ("general", "medium"),
    final: tuple[str, str] | None = None,
    status: str = "open",
) -> str:
    """Insert a ticket with these suggested labels and return its id.

    `final` are the labels that it has, by default the suggested ones.
    """
    values = {"title": "-", "description": text, "status": status}
    values |= dict(zip(("suggested_category", "suggested_priority"), suggested, strict=True))
    values |= dict(zip(("category", "priority"), final or suggested, strict=True))
    ticket_id = database.cursor(row_factory=scalar_row).execute(_INSERT, values).fetchone()
    assert isinstance(ticket_id, str)
    return ticket_id


def change(database: Connection, ticket_id: str, **fields: str) -> None:
    """Change columns of a ticket."""
    for name, value in fields.items():
        database.execute(f"UPDATE tickets SET {name} = %s WHERE id = %s".encode(), [value, ticket_id])


def delete(database: Connection, ticket_id: str) -> None:
    """Delete a ticket."""
    database.execute("DELETE FROM tickets WHERE id = %s", [ticket_id])


def model(database: Connection) -> tuple[dict[object, object], dict[object, object]]:
    """All that was learned: votes by fingerprint, and weights by bucket but for those that are zero."""
    votes = database.execute("SELECT text_hash, label_counts FROM triage_text_counts").fetchall()
    weights = database.execute(
        "SELECT bucket, label_counts FROM triage_token_counts WHERE 0 < ANY (label_counts)"
    ).fetchall()
    return dict(votes), dict(weights)  # type: ignore[arg-type]


def total(database: Connection) -> dict[str, int]:
    """Return the total weight of all words by label, in hundredths of a word, without labels at zero."""
    weights = database.cursor(row_factory=scalar_row).execute(
        "SELECT label_counts FROM triage_token_counts WHERE bucket = -1"
    )
    row = weights.fetchone() or [0] * 8
    assert isinstance(row, list)
    return {label: weight for label, weight in zip((*CATEGORIES, *PRIORITIES), row, strict=True) if weight}


def honest_text(random: random.Random, category: str) -> str:
    """Return a text about a category: three words of its subject, one of another, and small talk."""
    stray = random.choice(list(SUBJECTS))
    words = [
        *random.sample(SUBJECTS[category].split(), 3),
        random.choice(SUBJECTS[stray].split()),
        *random.sample(SMALL_TALK.split(), 6),
    ]
    random.shuffle(words)
    return " ".join(words)


def unique_word() -> str:
    """Return a word that no other text has."""
    return "q" + "".join(chr(ord("a") + int(digit)) for digit in f"{next(_numbers):05}")
