"""Responses that views return."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Response
from werkzeug.datastructures import Headers

from ticketsvc.api.output import compression, conditional

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

NO_STORE = {"Cache-Control": "no-store"}
"""For content that may change at any time and has no validator."""


class JsonResponse(Response):
    """A complete JSON body with a line end, sent without Werkzeug's processing of headers and body."""

    def __init__(
        self,
        body: bytes | str,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        may_compress: bool = False,
    ) -> None:
        data = body if isinstance(body, bytes) else body.encode()
        if not data.endswith(b"\n"):
            data += b"\n"
        fields = {"Content-Type": content_type, **(headers or {})}
        if may_compress:
            fields["Vary"] = compression.VARY
            if len(data) > compression.threshold():
                data = compression.compressed(data)
                fields |= compression.ENCODED
        fields["Content-Length"] = str(len(data))
        all_fields = Headers()
        all_fields[:] = fields.items()  # Headers(fields) takes three times as long
        super().__init__([data], _STATUS_LINES[status], all_fields)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Send the response."""
        start_response(self.status, self.headers.to_wsgi_list())
        return () if environ["REQUEST_METHOD"] == "HEAD" else self.response  # type: ignore[return-value]


_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


def cacheable_response(body: bytes, content_type: str, etag: str, headers: Mapping[str, str]) -> Response:
    """Return a body with its ETag (quotes included), or 304 if the client has it. Raises PreconditionFailed.

    A compressed body has another ETag. The body must be the same for all requests.
    """
    is_compressed = len(body) > compression.threshold()
    fields = {**headers, "ETag": f'{etag[:-1]}-gzip"' if is_compressed else etag, "Vary": compression.VARY}
    conditional.require_match(etag)
    if conditional.client_has(fields["ETag"]):
        return empty_response(304, fields)
    if is_compressed:
        body = compression.compressed_once(body)
        fields |= compression.ENCODED
    return Response(body, headers=fields, content_type=content_type)


def empty_response(status: int, headers: dict[str, str] | None = None) -> Response:
    """Return a response without a body and without Content-Type."""
    response = Response(status=status, headers=headers)
    del response.headers["Content-Type"]
    return response
