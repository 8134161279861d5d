"""Import and export of files with many tickets."""

from __future__ import annotations

import math
from collections.abc import Iterable

from flask import Blueprint, Response, request

from ticketsvc import compact_json
from ticketsvc.api.auth.authenticator import author
from ticketsvc.api.input import body, media_types
from ticketsvc.api.input.filters import parse_export
from ticketsvc.api.input.query import query_parameters
from ticketsvc.api.output import compression
from ticketsvc.api.output.export_stream import ExportStream
from ticketsvc.api.output.responses import NO_STORE, JsonResponse
from ticketsvc.files import READERS, options
from ticketsvc.files.rows import Rows
from ticketsvc.files.stall_watchdog import StallWatchdog
from ticketsvc.services import services
from ticketsvc.store import exports, imports

CONTENT_TYPES = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8; header=present"}

bp = Blueprint("bulk", __name__)


@bp.post("/import")
def import_file() -> Response:
    """Store all tickets of a file, or none."""
    parameters = query_parameters(request.query_string)
    rows = Rows(options.parse(parameters))
    parameters.check()
    media_types.require_media_type(tuple(media_types.FILES), allow_missing=False)
    config, watchdog = services().config, _watchdog()
    chunks = watchdog.receive(body.chunks(config.max_import_bytes))
    tickets = READERS[media_types.FILES[request.mimetype]](chunks, config.max_body_bytes, rows)
    watchdog.start()
    try:
        imported = imports.run(services().database, tickets, author(), config.bulk_timeout)
    finally:
        watchdog.end()
    document = {"imported": imported, "ignored": rows.ignored}
    return JsonResponse(compact_json.encode(document), headers=NO_STORE)


@bp.get("/export")
def export_file() -> Response:
    """Return all tickets that match the filters as a file."""
    filters, requested_format = parse_export(request.query_string)
    file_format = requested_format or media_types.accepted_file_format()
    is_compressed = compression.threshold() < math.inf
    headers = {
        **NO_STORE,
        **(compression.ENCODED if is_compressed else {}),
        "Content-Disposition": f'attachment; filename="tickets.{file_format}"',
        "Vary": f"Accept, {compression.VARY}",
    }
    content: Iterable[bytes] = iter(())  # not a list: Flask would set a Content-Length of 0
    if request.method != "HEAD":
        database, timeout = services().reader, services().config.bulk_timeout
        parts = exports.stream(database, filters, file_format == "csv", timeout)
        content = ExportStream(parts, _watchdog(), is_compressed)
    return Response(content, headers=headers, content_type=CONTENT_TYPES[file_format])


def _watchdog() -> StallWatchdog:
    return StallWatchdog(request.environ, services().config.bulk_stall_timeout, services().config.bulk_timeout)
