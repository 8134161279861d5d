"""Health: is the process alive, and can it serve?"""

from __future__ import annotations

from flask import Blueprint, Response

from ticketsvc.api.output.responses import NO_STORE, JsonResponse
from ticketsvc.migrations import expected_ids
from ticketsvc.problems import Unavailable
from ticketsvc.services import services
from ticketsvc.store import health

bp = Blueprint("health", __name__)


@bp.get("/livez")
def live() -> Response:
    """The process answers; the database is not asked."""
    return JsonResponse('{"status":"alive"}', headers=NO_STORE)


@bp.get("/readyz")
def ready() -> Response:
    """The database answers and every migration of this release was applied; otherwise 503."""
    pending = health.pending_migrations(services().database, expected_ids())
    if pending:
        raise Unavailable(f"Migrations are pending: {', '.join(pending)}. Run `flask migrate`.", 10)
    return JsonResponse('{"status":"ready"}', headers=NO_STORE)
