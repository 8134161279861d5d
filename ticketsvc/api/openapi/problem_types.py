"""What can go wrong, as docs/errors.md describes it, with an example of each problem document."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from ticketsvc import problems
from ticketsvc.api.openapi.notation import Json
from ticketsvc.enums import PRIORITIES
from ticketsvc.problems import FieldError, LineError, Problem

ERRORS = Path(__file__).parents[3] / "docs" / "errors.md"
"""A section `## slug` for each problem type; its first words are the status and the title."""

_TICKET = "/api/tickets/0192a3b4-c5d6-7e8f-9012-3456789abcde"

EXAMPLES: tuple[tuple[Problem, str], ...] = (
    (
        problems.InvalidInput(
            FieldError.in_field("title", "title is required.", "required"),
            FieldError.in_field("priority", f"priority must be one of {', '.join(PRIORITIES)}.", "not_allowed"),
        ),
        "/api/tickets/",
    ),
    (
        problems.MalformedBody("The body is not JSON: expecting value at line 1, column 11."),
        "/api/tickets/",
    ),
    (problems.BadRequest("The query string is not percent-encoded UTF-8."), "/api/tickets/"),
    (
        problems.InvalidFile([LineError(2, "title", "title is required.", "required")], 1, 1),
        "/api/tickets/import/",
    ),
    (
        problems.Unauthorized(
            "An API key is needed. Send it as: Authorization: Bearer KEY. Keys are made with `flask keys add`."
        ),
        "/api/tickets/",
    ),
    (
        problems.InsufficientScope("This call needs a key with the scope write; the scope of this one is read."),
        "/api/tickets/",
    ),
    (
        problems.CreateInProgress("A call with this Idempotency-Key is still running. Try again in 1 second."),
        "/api/tickets/",
    ),
    (problems.KeyReused("This Idempotency-Key was used for another body."), "/api/tickets/"),
    (
        problems.TooManyAttempts("Too many calls with unknown keys came from this address. Try again in 6 seconds."),
        "/api/tickets/",
    ),
    (
        problems.QuotaExceeded("More than 600 calls in 60 seconds are not allowed. Try again in 21 seconds."),
        "/api/tickets/",
    ),
    (problems.NotFound("There is no ticket 0192a3b4-c5d6-7e8f-9012-3456789abcde."), _TICKET),
    (problems.MethodNotAllowed("PUT is not for this path. It takes GET, HEAD, OPTIONS, POST."), "/api/tickets/"),
    (
        problems.NotAcceptable("The answers are JSON: send Accept: application/json, or no Accept at all."),
        "/api/tickets/",
    ),
    (
        problems.VersionMismatch(
            "The ticket has changed: its version is now 2. Read it again, and send the change with its new ETag."
        ),
        _TICKET,
    ),
    (problems.BodyTooLarge("The body is too large: at most 1,048,576 bytes are taken."), "/api/tickets/"),
    (problems.UriTooLong("The request line is too long."), "/"),
    (
        problems.UnsupportedMediaType("Send the body in UTF-8 with Content-Type: application/json."),
        "/api/tickets/",
    ),
    (problems.HeadersTooLarge("The header fields are too large."), "/"),
    (problems.InternalError(), "/api/tickets/"),
    (problems.Unavailable("The database does not answer."), "/api/tickets/"),
)
"""A problem of each type, and the path that it was met at."""


@cache
def described() -> tuple[str, dict[str, str]]:
    """What all have in common; what each means and what a caller does next, by slug, in the file's order. Markdown."""
    _, text = ERRORS.read_text(encoding="utf-8").split("\n", 1)
    introduction, *parts = re.split(r"^## (\S+)\n", text, flags=re.MULTILINE)
    return introduction.strip(), {slug: part.strip() for slug, part in zip(parts[::2], parts[1::2], strict=True)}


def examples() -> Json:
    """The document's examples: one for each problem type."""
    return {
        problem.slug: {
            "summary": f"{problem.status} {problem.title}",
            "description": described()[1][problem.slug],
            "value": problem.document(path),
        }
        for problem, path in EXAMPLES
    }
