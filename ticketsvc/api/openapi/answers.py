"""Answers: their headers, and the problems that a call can end with."""

from __future__ import annotations

from ticketsvc import problems
from ticketsvc.api.openapi.notation import Json, header, schema
from ticketsvc.problems import Problem

ProblemTypes = tuple[type[Problem], ...]

EVERYWHERE: ProblemTypes = (
    problems.BadRequest,
    problems.UriTooLong,
    problems.HeadersTooLarge,
    problems.InternalError,
)
"""What any call can end with."""
STORED: ProblemTypes = (problems.Unavailable,)
"""Calls that ask the database."""
JSON_ONLY: ProblemTypes = (problems.NotAcceptable,)
"""Calls that answer JSON and look at Accept."""
WITH_BODY: ProblemTypes = (
    problems.InvalidInput,
    problems.MalformedBody,
    problems.BodyTooLarge,
    problems.UnsupportedMediaType,
)
"""Calls that take a body of JSON."""

LIMITED: ProblemTypes = (
    problems.Unauthorized,
    problems.InsufficientScope,
    problems.TooManyAttempts,
    problems.QuotaExceeded,
)
"""Calls that may need a key, or be too many."""

WITH_FAULTS: dict[type[Problem], str] = {
    problems.InvalidFile: "InvalidFileProblem",
    problems.InvalidInput: "InvalidInputProblem",
}
"""The schemas of the problems that list faults."""

PROBLEM_HEADERS: dict[type[Problem], tuple[str, ...]] = {
    problems.Unavailable: ("Retry-After",),
    problems.CreateInProgress: ("Retry-After",),
    problems.TooManyAttempts: ("Retry-After",),
    problems.QuotaExceeded: ("Retry-After",),
    problems.Unauthorized: ("WWW-Authenticate",),
    problems.InsufficientScope: ("WWW-Authenticate",),
    problems.UnsupportedMediaType: ("Accept-Patch", "Accept-Post"),
}
"""What goes with a problem in the answer's header."""

HEADERS: Json = {
    "X-Request-Id": {
        "description": "The caller's own, or a new one; the service's log has it.",
        "required": True,
        "schema": {"type": "string"},
        "example": "5e0c3f1d2b4a69788796a5b4c3d2e1f0",
    },
    "ETag": {
        "description": "For If-None-Match; that of a ticket is its version, for If-Match too.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[!#-~]+"$'},
        "example": '"1"',
    },
    "Accept-Patch": {
        "description": "The media types that PATCH takes.",
        "schema": {"type": "string"},
        "example": "application/json, application/merge-patch+json",
    },
    "Accept-Post": {
        "description": "The media types that POST takes.",
        "schema": {"type": "string"},
        "example": "application/json",
    },
    "Location": {
        "description": "The path of the new ticket.",
        "required": True,
        "schema": {"type": "string"},
        "example": "/api/tickets/0192a3b4-c5d6-7e8f-9012-3456789abcde",
    },
    "Link": {
        "description": 'The next page, as `<...>; rel="next"` (RFC 8288). The last page has none.',
        "schema": {"type": "string"},
        "example": '</api/tickets/?limit=100&cursor=AAAA>; rel="next"',
    },
    "X-Total-Count": {
        "description": "How many tickets the filters allow, on all pages; with count=true only.",
        "schema": {"type": "integer", "minimum": 0},
        "example": 4711,
    },
    "Idempotent-Replayed": {
        "description": "The first answer to this Idempotency-Key is given again.",
        "schema": {"type": "string", "enum": ["true"]},
        "example": "true",
    },
    "WWW-Authenticate": {
        "description": "What is wrong with the key (RFC 6750).",
        "required": True,
        "schema": {"type": "string"},
        "example": 'Bearer realm="tickets"',
    },
    "RateLimit": {
        "description": "How many calls are left, and for how many seconds; where calls are limited.",
        "schema": {"type": "string"},
        "example": '"default";r=599;t=60',
    },
    "RateLimit-Policy": {
        "description": "How many calls there are in a window of how many seconds; where calls are limited.",
        "schema": {"type": "string"},
        "example": '"default";q=600;w=60',
    },
    "Content-Disposition": {
        "description": "A name for the file.",
        "required": True,
        "schema": {"type": "string"},
        "example": 'attachment; filename="tickets.ndjson"',
    },
    "Retry-After": {
        "description": "After how many seconds the same call can succeed.",
        "schema": {"type": "integer", "minimum": 1},
        "example": 2,
    },
}

ALWAYS = {"X-Request-Id": header("X-Request-Id")}


def with_limits(answers: Json) -> Json:
    """These answers, with what each tells where calls are limited."""
    told = {name: header(name) for name in ("RateLimit", "RateLimit-Policy")}
    return {status: {**answer, "headers": {**answer["headers"], **told}} for status, answer in answers.items()}


def json_answer(description: str, body: Json, headers: tuple[str, ...] = (), examples: Json | None = None) -> Json:
    """A success with a body of JSON."""
    content: Json = {"schema": body}
    if examples:
        content["examples"] = examples
    return {**empty_answer(description, headers), "content": {"application/json": content}}


def empty_answer(description: str, headers: tuple[str, ...] = ()) -> Json:
    """An answer without a body."""
    return {"description": description, "headers": {**ALWAYS, **{name: header(name) for name in headers}}}


def problem_answers(kinds: ProblemTypes) -> Json:
    """An answer for each status that these problems have."""
    statuses = sorted({kind.status for kind in kinds})
    return {str(status): _problem_answer([k for k in kinds if k.status == status]) for status in statuses}


def _problem_answer(kinds: list[type[Problem]]) -> Json:
    document = next((name for kind, name in WITH_FAULTS.items() if kind in kinds), "Problem")
    told = {"type": {"enum": [kind.uri() for kind in kinds]}, "status": {"const": kinds[0].status}}
    answer = empty_answer(
        " ".join(f"[{kind.title}]({kind.uri()})." for kind in kinds),
        tuple(sorted({name for kind in kinds for name in PROBLEM_HEADERS.get(kind, ())})),
    )
    return answer | {
        "content": {
            "application/problem+json": {
                "schema": {"allOf": [schema(document), {"properties": told}]},
                "examples": {kind.slug: {"$ref": f"#/components/examples/{kind.slug}"} for kind in kinds},
            }
        }
    }
