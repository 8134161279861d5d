"""Health checks: liveness and readiness."""

from __future__ import annotations

from flask import Blueprint, Response

from ticketsvc.api.output.responses import NO_STORE, JsonResponse
from ticketsvc.migrations import expected_ids
from ticketsvc.services import services

bp = Blueprint("health", __name__)


@bp.get("/livez")
def live() -> Response:
    """Return 200 if the process serves requests. The database is not queried."""
    return JsonResponse('{"status":"alive"}', headers=NO_STORE)


@bp.get("/readyz")
def ready() -> Response:
    """Return 200 if the database responds, has every migration of this release and lets the role write."""
    services().readiness.check(expected_ids())
    return JsonResponse('{"status":"ready"}', headers=NO_STORE)
