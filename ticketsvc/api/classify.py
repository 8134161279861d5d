"""Suggestions for texts that need not be tickets yet."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Response

from ticketsvc import compact_json
from ticketsvc.api.input import members
from ticketsvc.api.input.body import json_object
from ticketsvc.api.output.responses import NO_STORE, JsonResponse
from ticketsvc.services import services
from ticketsvc.validation.fields import Fields
from ticketsvc.validation.values import DESCRIPTION_LENGTH

bp = Blueprint("classify", __name__)


@bp.post("/classify")
def classify() -> Response:
    """Suggest a category and a priority, under both names that clients of this API read."""
    fields = Fields(json_object())
    description = fields.text("description", DESCRIPTION_LENGTH)
    members.check_unused(fields, ("description",))
    fields.check()
    suggestion = services().classifier.classify(description)
    document = {
        "category": suggestion.category,
        "priority": suggestion.priority,
        "suggested_category": suggestion.category,
        "suggested_priority": suggestion.priority,
        "confidence": {
            "category": round(suggestion.category_confidence, 3),
            "priority": round(suggestion.priority_confidence, 3),
        },
        "source": suggestion.source,
        "reasons": [asdict(reason) for reason in suggestion.reasons],
    }
    return JsonResponse(compact_json.encode(document), headers=NO_STORE)
