"""The queue in figures."""

from __future__ import annotations

from ticketsvc import problems
from ticketsvc.api.openapi.answers import json_answer
from ticketsvc.api.openapi.notation import Json, schema
from ticketsvc.api.openapi.operation import API, operation

_ASKED = (*API, problems.InvalidInput)

PATHS: Json = {
    "/api/tickets/stats/": {
        "get": operation(
            "readStatistics",
            "Statistics",
            "Totals and breakdowns",
            "All figures are of one snapshot.",
            {"200": json_answer("The figures.", schema("Statistics"))},
            _ASKED,
        )
    }
}
