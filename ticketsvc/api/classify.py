"""Suggestions for a text that need not be a ticket yet."""

from __future__ import annotations

import json
from dataclasses import asdict

from flask import Blueprint, Response

from ticketsvc.api.input.body import json_object
from ticketsvc.api.input.fields import Fields
from ticketsvc.api.output.responses import NO_STORE, JsonResponse
from ticketsvc.services import services
from ticketsvc.triage.model import Suggestion

bp = Blueprint("classify", __name__)


@bp.post("/classify")
def classify() -> Response:
    """Suggest a category and a priority."""
    fields = Fields(json_object())
    description = fields.text("description")
    fields.check()
    answer = _document(services().classifier.classify(description))
    return JsonResponse(json.dumps(answer, ensure_ascii=False), headers=NO_STORE)


def _document(suggestion: Suggestion) -> dict[str, object]:
    """The labels under both names that clients of this API read."""
    return {
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
