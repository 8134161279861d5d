"""One change of all tickets that match filters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request

from ticketsvc import compact_json
from ticketsvc.api.auth.authenticator import author
from ticketsvc.api.input import filters, members
from ticketsvc.api.input.body import json_object
from ticketsvc.api.input.media_types import MERGE_PATCH
from ticketsvc.api.output import conditional
from ticketsvc.api.output.responses import NO_STORE, JsonResponse
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.problems import FieldError
from ticketsvc.services import services
from ticketsvc.store import bulk_update
from ticketsvc.validation.fields import Fields

_CHANGES = ("status", "category", "priority", "assignee", "add_tags", "remove_tags")
"""The members of a body."""

bp = Blueprint("bulk_update", __name__)


@bp.patch("")
def change_matching() -> Response:
    """Change all tickets that match the filters, or only count them."""
    selected, dry_run = filters.parse_bulk_update(request.query_string)
    fields = Fields(json_object(MERGE_PATCH))
    changes = {
        "status": fields.choice("status", STATUSES),
        "category": fields.choice("category", CATEGORIES),
        "priority": fields.choice("priority", PRIORITIES),
        "has_assignee": "assignee" in fields.body,
        "assignee": fields.person("assignee"),
        "add_tags": fields.tags("add_tags") or [],
        "remove_tags": fields.tags("remove_tags") or [],
    }
    members.check_unused(fields, _CHANGES)
    _check_changes(fields, changes)
    fields.check()
    conditional.require_untagged()
    outcome = bulk_update.run(services().database, selected, changes, dry_run, author())
    headers = {**NO_STORE, "Accept-Patch": ", ".join(MERGE_PATCH)}
    return JsonResponse(compact_json.encode(outcome._asdict()), headers=headers)


def _check_changes(fields: Fields, changes: Mapping[str, Any]) -> None:
    """Check that there is a change, and that no tag is both added and removed."""
    both = set(changes["add_tags"]).intersection(changes["remove_tags"])
    if both:
        fields.add_error("remove_tags", f"must not have tags of add_tags, such as {min(both)}.", "not_allowed")
    if not fields.errors and not any(changes.values()):
        rule = f"The body must have a change: one or more of {', '.join(_CHANGES)}."
        fields.errors.append(FieldError({"pointer": "#"}, rule, "required"))
