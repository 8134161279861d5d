"""Statistics of the queue."""

from __future__ import annotations

from flask import Blueprint, Response, request

from ticketsvc.api.answers import JsonAnswer
from ticketsvc.api.list_parameters import query_pairs
from ticketsvc.problems import Fault, InvalidInput
from ticketsvc.services import services
from ticketsvc.store import stats

bp = Blueprint("stats", __name__)


@bp.get("/stats")
def headline() -> Response:
    """The contract's figures, all of one snapshot."""
    unknown = [name for name, _ in query_pairs(request.query_string)]
    if unknown:
        raise InvalidInput(
            *(Fault.in_parameter(n, f"{n} is not a parameter; there are none.", "unknown") for n in unknown)
        )
    return JsonAnswer(stats.headline(services().database), headers={"Cache-Control": "no-store"})
