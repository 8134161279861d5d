"""Operations of the HTTP API, run within a request to /mcp.

A tool is an operation under other names: the view that serves the operation reads its input, validates it and builds
the response, as for a client of the HTTP API. Authentication and the rate limit are those of the request to /mcp.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

from flask import current_app, request
from werkzeug.datastructures import Headers

from ticketsvc import compact_json
from ticketsvc.compact_json import JsonText

_KEPT = ("HTTP_HOST", "HTTP_X_FORWARDED_FOR")
"""The header fields of the request to /mcp that concern its operations, too."""
_NEWEST = {"X-Tickets-LSN": "newest"}
"""Lets an operation read from the primary: the clients of MCP do not send positions."""


class Reply(NamedTuple):
    """The response of an operation: its body, null if it has none, and its header fields."""

    json: JsonText
    headers: Headers

    @property
    def next_cursor(self) -> str | None:
        """The cursor of the next page, or None on the last one."""
        address = self.headers.get("Link", "").partition(">")[0].removeprefix("<")
        return parse_qs(urlsplit(address).query).get("cursor", [None])[-1]

    @property
    def is_replayed(self) -> bool:
        """Return whether an earlier request had this response."""
        return "Idempotent-Replayed" in self.headers


def run(
    endpoint: str,
    ticket_id: UUID | None = None,
    query: Iterable[tuple[str, str]] = (),
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Run the operation of an endpoint. Raises the problems that it raises."""
    content = b"" if body is None else compact_json.encode(body).encode(errors="backslashreplace")  # lone surrogates
    values = {"ticket_id": ticket_id} if ticket_id else {}
    environ = {name: value for name, value in request.environ.items() if not name.startswith("HTTP_") or name in _KEPT}
    environ |= {
        "REQUEST_METHOD": method(endpoint),
        "PATH_INFO": current_app.url_map.bind("localhost").build(endpoint, values),
        "QUERY_STRING": urlencode(list(query), errors="surrogatepass"),
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(content)),
        "wsgi.input": BytesIO(content),
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in (_NEWEST | dict(headers or {})).items()},
    }
    with current_app.request_context(environ):
        response = current_app.make_response(current_app.dispatch_request())
    return Reply(JsonText(response.get_data().decode().rstrip() or "null"), response.headers)


def method(endpoint: str) -> str:
    """Return the method of an endpoint."""
    (rule,) = current_app.url_map.iter_rules(endpoint)
    (found,) = (rule.methods or set()) - {"HEAD", "OPTIONS"}
    return found
