"""Health checks: liveness and readiness."""

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
    """Return 200 if the process serves requests. The database is not queried."""
    return JsonResponse('{"status":"alive"}', headers=NO_STORE)


@bp.get("/readyz")
def ready() -> Response:
    """Return 200 if the database responds to the service and has every migration of this release.

    Raises Unavailable.
    """
    database = services().database
    if database.pooler_error:  # until it is corrected
        database.check_pooler()
    if database.pooler_error:
        raise Unavailable(database.pooler_error, 30)
    pending = health.pending_migrations(database, expected_ids())
    if pending:
        raise Unavailable(f"Migrations are pending: {', '.join(pending)}. Run `flask migrate`.", 10)
    return JsonResponse('{"status":"ready"}', headers=NO_STORE)
