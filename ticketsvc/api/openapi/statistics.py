"""The queue in figures."""

from __future__ import annotations

from ticketsvc import problems
from ticketsvc.api.input.stats_query import WINDOW_DAYS
from ticketsvc.api.openapi.answers import json_answer
from ticketsvc.api.openapi.notation import Json, schema
from ticketsvc.api.openapi.operation import API, operation
from ticketsvc.api.openapi.parameters import FILTERS
from ticketsvc.store.stats import MAX_DAYS

_ASKED = (*API, problems.InvalidInput)

PATHS: Json = {
    "/api/tickets/stats/": {
        "get": operation(
            "api.stats.headline",
            "readStatistics",
            "Statistics",
            "Totals and breakdowns",
            "Of all tickets, or of those that the filters allow.",
            {"200": json_answer("The figures.", schema("Statistics"))},
            _ASKED,
            takes=tuple(FILTERS),
        )
    },
    "/api/tickets/stats/daily/": {
        "get": operation(
            "api.stats.daily",
            "readDailyStatistics",
            "Statistics",
            "Created and resolved by calendar day",
            f"Days without tickets are included. At most {MAX_DAYS} days; without parameters the last 30.",
            {"200": json_answer("The days, oldest first.", schema("DailyStatistics"))},
            _ASKED,
            takes=("tz", "since", "before"),
        )
    },
    "/api/tickets/stats/resolution/": {
        "get": operation(
            "api.stats.resolution",
            "readResolutionTimes",
            "Statistics",
            "Time from creation to the first resolution",
            "Of the tickets that the filters allow and that were ever resolved or closed.",
            {"200": json_answer("The times.", schema("ResolutionTimes"))},
            _ASKED,
            takes=tuple(FILTERS),
        )
    },
    "/api/tickets/stats/triage/": {
        "get": operation(
            "api.stats.triage",
            "readTriageStatistics",
            "Statistics",
            "How suggested labels compare with the final ones",
            f"For the tickets created in a window of at most {MAX_DAYS} days; without parameters the last "
            f"{WINDOW_DAYS} days. Days are those of UTC.",
            {"200": json_answer("The comparison.", schema("TriageStatistics"))},
            _ASKED,
            takes=("created_since", "created_before"),
        )
    },
}
