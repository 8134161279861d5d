"""Many tickets in one call: import and export of files."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Generator, Iterable, Iterator
from itertools import chain

from flask import Blueprint, Response, request

from ticketsvc.api.auth.authenticator import author
from ticketsvc.api.input.body import in_chunks, require_media_type
from ticketsvc.api.input.filters import parse_export
from ticketsvc.api.input.query import allow_none
from ticketsvc.api.output.responses import NO_STORE, JsonResponse
from ticketsvc.files import READERS
from ticketsvc.files.stall_watchdog import StallWatchdog
from ticketsvc.problems import NotAcceptable, UnsupportedMediaType
from ticketsvc.services import services
from ticketsvc.store import exports, imports
from ticketsvc.store.exports import Part

MEDIA_TYPES = {
    "application/x-ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/ndjson": "ndjson",
    "text/csv": "csv",
}
SENT_AS = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8; header=present"}
EXPORT = "api.bulk.export_file"
"""The name of the route that answers other types than JSON."""

bp = Blueprint("bulk", __name__)
logger = logging.getLogger(__name__)


@bp.post("/import")
def import_file() -> Response:
    """File all tickets of a file, or none."""
    allow_none(request.query_string)
    require_media_type(tuple(MEDIA_TYPES), absent=False)
    _require_no_encoding()
    config, transfer = services().config, _transfer()
    body = transfer.receive(in_chunks(config.max_import_bytes))
    tickets = READERS[MEDIA_TYPES[request.mimetype]](body, config.max_body_bytes)
    transfer.start()
    try:
        imported = imports.run(services().database, tickets, author(), config.bulk_timeout)
    finally:
        transfer.end()
    return JsonResponse(json.dumps({"imported": imported}), headers=NO_STORE)


@bp.get("/export")
def export_file() -> Response:
    """All tickets that the filters allow, as a file."""
    filters, asked = parse_export(request.query_string)
    file_format = asked or _accepted()
    headers = {**NO_STORE, "Content-Disposition": f'attachment; filename="tickets.{file_format}"', "Vary": "Accept"}
    content: Iterable[bytes] = iter(())  # not a list: its length is not that of the file
    if request.method != "HEAD":
        database, seconds = services().database, services().config.bulk_timeout
        content = ExportStream(exports.stream(database, filters, file_format == "csv", seconds), _transfer())
    return Response(content, headers=headers, content_type=SENT_AS[file_format])


class ExportStream:
    """The body of an export. Its first part is there when it is made: what fails until then becomes a problem document.

    What fails later breaks the connection off: a file that is not complete must not look like one.
    """

    def __init__(self, parts: Generator[Part, None, None], transfer: StallWatchdog) -> None:
        self._parts, self._transfer = parts, transfer
        self._started = time.perf_counter()
        self._first = next(parts)
        self._tickets, self._complete = 0, False
        transfer.start()

    def __iter__(self) -> Iterator[bytes]:
        """Each part is sent before the next is read."""
        for lines, tickets in self._transfer.send(chain([self._first], self._parts)):
            if lines:
                yield lines
            self._tickets += tickets
        self._complete = True

    def close(self) -> None:
        """Called by the server at the end, whatever the end was: the connection to the database is closed."""
        self._transfer.end()
        self._parts.close()
        seconds = round(time.perf_counter() - self._started, 3)
        level, what = (logging.INFO, "exported") if self._complete else (logging.WARNING, "an export broke off")
        logger.log(level, what, extra={"fields": {"tickets": self._tickets, "seconds": seconds}})


def _transfer() -> StallWatchdog:
    return StallWatchdog(request.environ, services().config.bulk_stall_timeout, services().config.bulk_timeout)


def _accepted() -> str:
    if not request.headers.get("Accept"):
        return "ndjson"
    accepted = request.accept_mimetypes.best_match([*MEDIA_TYPES])
    if accepted is None:
        raise NotAcceptable(f"An export is one of {', '.join(MEDIA_TYPES)}: accept one, or send ?format=csv.")
    return MEDIA_TYPES[accepted]


def _require_no_encoding() -> None:
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding != "identity":
        raise UnsupportedMediaType("Send the file as it is, without Content-Encoding.", {"Accept-Encoding": "identity"})
