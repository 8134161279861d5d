"""Health, and the documentation itself."""

from __future__ import annotations

from ticketsvc import problems
from ticketsvc.api.openapi.answers import EVERYWHERE, empty_answer, json_answer
from ticketsvc.api.openapi.notation import Json, schema
from ticketsvc.api.openapi.operation import operation

UNCHANGED = empty_answer("The caller has it: If-None-Match names its ETag.", ("ETag",))


def _page(endpoint: str, name: str, summary: str) -> Json:
    answer = {**empty_answer("A page.", ("ETag",)), "content": {"text/html": {"schema": {"type": "string"}}}}
    answers = {"200": answer, "304": UNCHANGED}
    return {
        "get": operation(endpoint, name, "Operating", summary, "For people.", answers, EVERYWHERE, ("If-None-Match",))
    }


PATHS: Json = {
    "/livez": {
        "get": operation(
            "health.live",
            "isAlive",
            "Operating",
            "Is the process alive?",
            "The database is not asked.",
            {"200": json_answer("It is.", schema("Health"))},
            EVERYWHERE,
        )
    },
    "/readyz": {
        "get": operation(
            "health.ready",
            "isReady",
            "Operating",
            "Can it serve?",
            "Whether the database answers and has all migrations of this release.",
            {"200": json_answer("It can.", schema("Health"))},
            (*EVERYWHERE, problems.Unavailable),
        )
    },
    "/metrics": {
        "get": operation(
            "metrics.scrape",
            "scrapeMetrics",
            "Operating",
            "Figures for Prometheus",
            "Of all workers together, in the text format 0.0.4. Answered without the database too, and never limited.",
            {"200": {**empty_answer("The figures."), "content": {"text/plain": {"schema": {"type": "string"}}}}},
            EVERYWHERE,
        )
    },
    "/openapi.json": {
        "get": operation(
            "documentation.openapi",
            "readDocument",
            "Operating",
            "This document",
            "In OpenAPI 3.1.",
            {"200": json_answer("The document.", {"type": "object"}, ("ETag",)), "304": UNCHANGED},
            EVERYWHERE,
            ("If-None-Match",),
        )
    },
    "/docs": _page("documentation.page", "showDocs", "This document as a page to read and try"),
    "/docs/errors": _page("documentation.errors", "showErrors", "Every problem type: what it means and what to do"),
}
