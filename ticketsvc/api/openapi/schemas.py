"""The shapes of bodies and answers."""

from __future__ import annotations

from ticketsvc.api.input.fields import TITLE_LENGTH
from ticketsvc.api.openapi.notation import Json, one_of, record, schema
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES

_SPACE = r"\s\u001c-\u001f\u0085\ufeff"
TEXT: Json = {"type": "string", "minLength": 1, "pattern": rf"^[^\u0000]*[^{_SPACE}\u0000][^\u0000]*$"}
"""What is left after trimming must not be empty."""
TITLE: Json = {**TEXT, "maxLength": TITLE_LENGTH, "description": "Trimmed; code points are counted after that."}
PROBABILITY: Json = {"type": "number", "minimum": 0, "maximum": 1}
COUNT: Json = {"type": "integer", "minimum": 0}
TIMESTAMP: Json = {"type": "string", "format": "date-time", "description": "RFC 3339 in UTC, with milliseconds."}

TICKET: Json = {
    "id": "0192a3b4-c5d6-7e8f-9012-3456789abcde",
    "title": "Charged twice",
    "description": "My card was charged twice for the May invoice.",
    "category": "billing",
    "priority": "high",
    "status": "open",
    "created_at": "2026-05-04T09:30:00.123Z",
    "updated_at": "2026-05-04T09:30:00.123Z",
    "version": 1,
    "triage": {
        "category": {"source": "offline", "confidence": 0.871},
        "priority": {"source": "caller", "suggested": "medium"},
    },
}


def _optional(values: tuple[str, ...], otherwise: str) -> Json:
    return {"enum": [*values, "", None], "description": f"In any letter case. Absent, null or empty: {otherwise}."}


def _decision(label: str) -> Json:
    return record(
        f"Who decided the {label.lower()}.",
        {"source": {"type": "string", "description": "`caller`, or who suggested it."}},
        {
            "confidence": {**PROBABILITY, "description": "How sure the classifier was; where it decided."},
            "suggested": {**schema(label), "description": "What was suggested, where a caller decided otherwise."},
        },
    )


def _for_each(values: tuple[str, ...], inner: Json) -> Json:
    return record("For each value.", dict.fromkeys(values, inner))


def _counts(values: tuple[str, ...]) -> Json:
    return record("How many tickets have each value.", dict.fromkeys(values, COUNT))


_TIMES: dict[str, Json] = {
    "count": COUNT,
    "median_seconds": {"type": ["number", "null"], "minimum": 0, "description": "null where there is none."},
    "p90_seconds": {"type": ["number", "null"], "minimum": 0, "description": "The 90th percentile."},
}
_TIMES_EXAMPLE = {"count": 12, "median_seconds": 5400.5, "p90_seconds": 86400.0}
_DAY = {
    "total": 3,
    "priority_breakdown": {"low": 0, "medium": 1, "high": 2, "critical": 0},
    "category_breakdown": {"billing": 2, "technical": 0, "account": 1, "general": 0},
}

_PROBLEM: dict[str, Json] = {
    "type": {"type": "string", "format": "uri-reference", "description": "The kind of problem: where it is described."},
    "title": {"type": "string", "description": "The kind of problem, in words."},
    "status": {"type": "integer", "description": "The status of the answer."},
    "detail": {"type": "string", "description": "What is wrong with this call, and what to do."},
    "instance": {"type": "string", "format": "uri-reference", "description": "The path that was called."},
    "error": {"type": "string", "description": "The same as `detail`."},
}

SCHEMAS: Json = {
    "Category": {**one_of(CATEGORIES), "description": "What a ticket is about."},
    "Priority": {**one_of(PRIORITIES), "description": "How urgent it is."},
    "Status": {**one_of(STATUSES), "description": "How far it is. A new ticket is open."},
    "Ticket": {
        **record(
            "A ticket.",
            {
                "id": {"type": "string", "format": "uuid", "description": "Opaque to callers."},
                "title": {"type": "string", "minLength": 1, "maxLength": TITLE_LENGTH},
                "description": {"type": "string", "minLength": 1},
                "category": schema("Category"),
                "priority": schema("Priority"),
                "status": schema("Status"),
                "created_at": TIMESTAMP,
                "updated_at": TIMESTAMP,
                "version": {"type": "integer", "minimum": 1, "description": "1, and one more with each change."},
                "triage": schema("Triage"),
            },
        ),
        "examples": [TICKET],
    },
    "Triage": {
        **record("Who decided each label.", {"category": _decision("Category"), "priority": _decision("Priority")}),
        "examples": [TICKET["triage"]],
    },
    "NewTicket": {
        **record(
            "What a ticket is made of. Other members are ignored, `status` among them.",
            {"title": TITLE, "description": TEXT},
            {
                "category": _optional(CATEGORIES, "it is taken from the text"),
                "priority": _optional(PRIORITIES, "it is taken from the text"),
            },
        ),
        "examples": [{name: TICKET[name] for name in ("title", "description", "priority")}],
    },
    "TicketChange": {
        **record(
            "Any of these. Other members are ignored; without any the ticket stays as it is.",
            {},
            {
                "title": TITLE,
                "description": TEXT,
                "category": _optional(CATEGORIES, "it is kept"),
                "priority": _optional(PRIORITIES, "it is kept"),
                "status": _optional(STATUSES, "it is kept"),
            },
        ),
        "examples": [{"status": "in_progress"}],
    },
    "Text": {
        **record("A text that need not be a ticket yet.", {"description": TEXT}),
        "examples": [{"description": "Nobody in our company can log in since this morning!"}],
    },
    "Suggestion": {
        **record(
            "A category and a priority for a text.",
            {
                "category": schema("Category"),
                "priority": schema("Priority"),
                "suggested_category": {**schema("Category"), "description": "The same as `category`."},
                "suggested_priority": {**schema("Priority"), "description": "The same as `priority`."},
                "confidence": record("How sure the classifier is.", {"category": PROBABILITY, "priority": PROBABILITY}),
                "source": {
                    "type": "string",
                    "description": "Who decided: `offline`, `learned`, the model asked, or why it was not.",
                },
                "reasons": {"type": "array", "items": schema("Reason")},
            },
        ),
        "examples": [
            {
                "category": "account",
                "priority": "critical",
                "suggested_category": "account",
                "suggested_priority": "critical",
                "confidence": {"category": 0.93, "priority": 0.78},
                "source": "offline",
                "reasons": [{"field": "category", "label": "account", "words": "log in"}],
            }
        ],
    },
    "Reason": record(
        "Words of the text that spoke for a label.",
        {
            "field": one_of(("category", "priority")),
            "label": one_of((*CATEGORIES, *PRIORITIES)),
            "words": {"type": "string"},
        },
    ),
    "Statistics": {
        **record(
            "The queue in figures; the total is the sum of each breakdown.",
            {
                "total_tickets": {"type": "integer", "minimum": 0},
                "open_tickets": {"type": "integer", "minimum": 0, "description": "Those with the status open."},
                "avg_tickets_per_day": {
                    "type": "number",
                    "minimum": 0,
                    "description": "The total by the days between the oldest and the newest ticket, at least 1.",
                },
                "priority_breakdown": _counts(PRIORITIES),
                "category_breakdown": _counts(CATEGORIES),
            },
        ),
        "examples": [
            {
                "total_tickets": 3,
                "open_tickets": 2,
                "avg_tickets_per_day": 1.5,
                "priority_breakdown": {"low": 0, "medium": 1, "high": 2, "critical": 0},
                "category_breakdown": {"billing": 2, "technical": 0, "account": 1, "general": 0},
            }
        ],
    },
    "DailyStatistics": {
        **record(
            "The days of a time zone.",
            {"tz": {"type": "string"}, "days": {"type": "array", "items": schema("Day")}},
        ),
        "examples": [{"tz": "Europe/Berlin", "days": [{"date": "2026-05-04", "created": _DAY, "resolved": _DAY}]}],
    },
    "Day": record(
        "A calendar day.",
        {"date": {"type": "string", "format": "date"}, "created": schema("DayCount"), "resolved": schema("DayCount")},
    ),
    "DayCount": record(
        "Tickets created, or resolved for the first time, on a day.",
        {"total": COUNT, "priority_breakdown": _counts(PRIORITIES), "category_breakdown": _counts(CATEGORIES)},
    ),
    "ResolutionTimes": {
        **record(
            "Times from creation to the first resolution.",
            {
                **_TIMES,
                "priority_breakdown": _for_each(PRIORITIES, schema("Times")),
                "category_breakdown": _for_each(CATEGORIES, schema("Times")),
            },
        ),
        "examples": [
            {
                **_TIMES_EXAMPLE,
                "priority_breakdown": dict.fromkeys(PRIORITIES, _TIMES_EXAMPLE),
                "category_breakdown": dict.fromkeys(CATEGORIES, _TIMES_EXAMPLE),
            }
        ],
    },
    "Times": record("Times from creation to the first resolution.", _TIMES),
    "TriageStatistics": record(
        "How suggested labels compare with the final ones. A label is judged when somebody changed it, or resolved the "
        "ticket and left it standing.",
        {
            "created_since": TIMESTAMP,
            "created_before": TIMESTAMP,
            "category": schema("Tally"),
            "priority": schema("Tally"),
            "confusion": record(
                "The judged labels by what was suggested, then by what they became.",
                {
                    "category": _for_each(CATEGORIES, _counts(CATEGORIES)),
                    "priority": _for_each(PRIORITIES, _counts(PRIORITIES)),
                },
            ),
            "by_source": {
                "type": "object",
                "description": "The same for each of those who suggested.",
                "additionalProperties": schema("FieldTallies"),
            },
            "daily": {
                "type": "array",
                "description": "The same for each day of UTC.",
                "items": record(
                    "A day.",
                    {
                        "date": {"type": "string", "format": "date"},
                        "category": schema("Tally"),
                        "priority": schema("Tally"),
                    },
                ),
            },
        },
    ),
    "FieldTallies": record("For each field.", {"category": schema("Tally"), "priority": schema("Tally")}),
    "Tally": record(
        "suggested = judged + not_judged; judged = kept + corrected.",
        {
            **dict.fromkeys(("suggested", "not_judged", "judged", "kept", "corrected"), COUNT),
            "accuracy": {"type": ["number", "null"], "minimum": 0, "maximum": 1, "description": "kept by judged."},
        },
    ),
    "HistoryEntry": {
        **record(
            "What happened to a ticket at one time.",
            {
                "event": one_of(("created", "changed", "deleted")),
                "version": {"type": "integer", "minimum": 1, "description": "The version that it led to."},
                "at": TIMESTAMP,
                "by": {"type": ["string", "null"], "description": "The name of the API key; null: none was asked for."},
                "request_id": {"type": ["string", "null"]},
                "changes": record(
                    "From what to what; texts of a deleted ticket are null.",
                    {},
                    dict.fromkeys(("title", "description", "category", "priority", "status"), schema("Change")),
                ),
            },
            {"triage": schema("Triage")},
        ),
        "examples": [
            {
                "event": "changed",
                "version": 2,
                "at": "2026-05-04T10:00:00.000Z",
                "by": "dashboard",
                "request_id": "order-4711",
                "changes": {"status": {"from": "open", "to": "in_progress"}},
            }
        ],
    },
    "Change": record("Of one field.", {key: {"type": ["string", "null"]} for key in ("from", "to")}),
    "Imported": {**record("What an import did.", {"imported": COUNT}), "examples": [{"imported": 2}]},
    "Health": record("What the service is.", {"status": one_of(("alive", "ready"))}),
    "Problem": record("A problem document (RFC 9457): what went wrong.", _PROBLEM),
    "InvalidInputProblem": record(
        "A problem document; `errors` has every fault at once where the input breaks rules.",
        _PROBLEM,
        {"errors": {"type": "array", "items": schema("Fault")}},
    ),
    "InvalidFileProblem": record(
        "A problem document; `errors` has the first faults where lines of a file break rules.",
        _PROBLEM,
        {
            "total_errors": COUNT,
            "faulty_lines": COUNT,
            "errors": {"type": "array", "items": {"anyOf": [schema("LineFault"), schema("Fault")]}},
        },
    ),
    "LineFault": record(
        "One thing wrong with a line of a file.",
        {
            "line": {"type": "integer", "minimum": 1},
            "pointer": {"type": "string", "description": "Which field: a JSON pointer; `#` is all of it."},
            "detail": {"type": "string", "description": "A sentence for people."},
            "code": {"type": "string", "description": "The same in a word for programs."},
        },
    ),
    "Fault": record(
        "One thing wrong with the input.",
        {
            "detail": {"type": "string", "description": "A sentence for people."},
            "code": {"type": "string", "description": "The same in a word for programs."},
        },
        {
            "pointer": {"type": "string", "description": "Where in the body: a JSON pointer, as a URI fragment."},
            "parameter": {"type": "string", "description": "Which query parameter."},
        },
    ),
}
