"""Every route and error on the wire, checked by httplint (the engine of REDbot)."""

from __future__ import annotations

import json
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest
from httplint import HttpRequestLinter, HttpResponseLinter, levels

from tests.conftest import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.http import Service

URL = "/api/tickets/"
TICKET = json.dumps({"title": "Charged twice", "description": "Two invoices for one month."}).encode()
JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}
TEXT = {"Content-Type": "text/plain"}
SHOP = "https://shop.example"

ALLOWED = {
    "STATUS_BAD_REQUEST": "it only says that the status is 400",
    "REQUEST_HDR_IN_RESPONSE": "Accept-Encoding belongs to a 415 (RFC 9110 section 12.5.3)",
    "STATUS_URI_TOO_LONG": "it only says that the status is 414",
}

REQUESTS: list[tuple[int, str, str, bytes, dict[str, str]]] = [
    # Tickets; {ticket} is the path of a ticket, {gone} of a deleted one
    (201, "POST", URL, TICKET, JSON),
    (200, "GET", URL, b"", {}),
    (200, "HEAD", URL, b"", {}),
    (200, "GET", f"{URL}?limit=1&count=true", b"", {}),
    (200, "GET", "{ticket}", b"", {}),
    (200, "HEAD", "{ticket}", b"", {}),
    (201, "POST", URL, TICKET, {**JSON, "Idempotency-Key": "a"}),
    (200, "GET", "{ticket}/history", b"", {}),
    (304, "GET", "{ticket}", b"", {"If-None-Match": '"1"'}),
    (200, "PATCH", "{ticket}", b'{"priority": "low"}', {"Content-Type": "application/merge-patch+json"}),
    (204, "DELETE", "{ticket}", b"", {}),
    (200, "OPTIONS", URL, b"", {}),
    # Statistics, history, files, health
    (200, "GET", f"{URL}stats/", b"", {}),
    (200, "GET", f"{URL}stats/triage/", b"", {}),
    (200, "POST", f"{URL}classify/", b'{"description": "I was charged twice"}', JSON),
    (200, "GET", "/livez", b"", {}),
    (200, "GET", "/readyz", b"", {}),
    (200, "POST", f"{URL}import/", TICKET, NDJSON),
    (200, "GET", f"{URL}export/", b"", {}),
    (200, "HEAD", f"{URL}export/", b"", {}),
    (200, "GET", f"{URL}export/?format=csv", b"", {}),
    (200, "GET", f"{URL}export/", b"", {"Accept": "text/csv"}),
    # The documentation
    (200, "GET", "/openapi.json", b"", {}),
    (200, "GET", "/docs", b"", {}),
    (200, "GET", "/docs/errors", b"", {}),
    (200, "GET", "/docs/files/docs.js", b"", {}),
    (200, "HEAD", "/docs/files/docs.css", b"", {}),
    (200, "GET", "/docs/files/vendor/swagger-ui-5.35.0/swagger-ui.css", b"", {}),
    (404, "GET", "/docs/files/nothing", b"", {}),
    # Cross-origin requests
    (200, "GET", URL, b"", {"Origin": SHOP}),
    (200, "GET", URL, b"", {"Origin": "https://other.example"}),
    (200, "OPTIONS", URL, b"", {"Origin": SHOP, "Access-Control-Request-Method": "POST"}),
    # Errors
    (400, "POST", URL, b"{}", JSON),
    (400, "POST", URL, b"{", JSON),
    (400, "GET", f"{URL}?sort=up", b"", {}),
    (400, "GET", "/not a request", b"", {}),
    (400, "POST", f"{URL}import/", b"{", NDJSON),
    (404, "GET", "/nothing", b"", {}),
    (404, "HEAD", "/nothing", b"", {}),
    (404, "GET", "{gone}", b"", {}),
    (405, "PUT", URL, b"", {}),
    (406, "GET", URL, b"", {"Accept": "text/html"}),
    (412, "PATCH", "{ticket}", b'{"priority": "low"}', {**JSON, "If-Match": '"9"'}),
    (412, "DELETE", "{ticket}", b"", {"If-Match": '"9"'}),
    (413, "POST", URL, b" " * 2_000_000, JSON),
    (414, "GET", "/" + "a" * 9_000, b"", {}),
    (400, "POST", URL, TICKET, {**JSON, "Idempotency-Key": "a b"}),
    (415, "POST", URL, TICKET, TEXT),
    (406, "GET", f"{URL}export/", b"", {"Accept": "text/html"}),
    (415, "PATCH", "{ticket}", b"{}", TEXT),
    (415, "POST", f"{URL}import/", TICKET, JSON),
    (415, "POST", f"{URL}import/", TICKET, {**NDJSON, "Content-Encoding": "gzip"}),
    (431, "GET", "/livez", b"", {"X": "a" * 9_000}),
]


@pytest.fixture(scope="module")
def open_service(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a service that allows one other origin."""
    log = tmp_path_factory.mktemp("httplint") / "log"
    with serve(database_url, log, WEB_CONCURRENCY="1", CORS_ORIGINS=SHOP) as service:
        yield service


@pytest.mark.parametrize(("status", "method", "path", "body", "headers"), REQUESTS, ids=lambda value: str(value)[:40])
def test_httplint_has_no_warnings(
    open_service: Service, status: int, method: str, path: str, body: bytes, headers: dict[str, str]
) -> None:
    ticket, gone = (open_service.call("POST", URL, TICKET).headers["Location"] for _ in range(2))
    open_service.call("POST", URL, TICKET)  # so that there is a next page
    open_service.call("DELETE", gone)
    found, notes = lint(open_service, method, path.format(ticket=ticket, gone=gone), body, headers)
    assert (found, notes - ALLOWED.keys()) == (status, set())


def lint(service: Service, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, set[str]]:
    """Return the status of the response and the names of httplint's warnings."""
    given = {"Host": "x", "User-Agent": "test", "Connection": "close", "Content-Length": str(len(body)), **headers}
    fields = [(name.encode(), value.encode()) for name, value in given.items() if value != "0"]
    start = f"{method} {path} HTTP/1.1".encode()
    sent = int(time.time())
    raw = service.raw(b"\r\n".join([start, *(b": ".join(field) for field in fields), b"", body]))
    received = time.time()

    head, _, content = raw.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    version, status, reason = first.split(b" ", 2)
    request = HttpRequestLinter()
    request.process_request_topline(method.encode(), path.encode(), b"HTTP/1.1")
    request.process_headers(fields)
    [date] = [line.removeprefix(b"Date: ").decode() for line in lines if line.startswith(b"Date: ")]
    dated = parsedate_to_datetime(date).timestamp()
    assert sent <= dated <= received
    response = HttpResponseLinter(start_time=dated)  # it compares the date with this, and allows 5 s
    response.request = request
    response.is_head_response = method == "HEAD"
    response.base_uri = f"http://x{path}"
    response.process_response_topline(version.removeprefix(b"HTTP/"), status, reason)
    response.process_headers([(name, value) for name, _, value in (line.partition(b": ") for line in lines)])
    response.feed_content(content)
    response.finish_content(True)
    return int(status), {type(note).__name__ for note in response.notes if note.level in (levels.WARN, levels.BAD)}
