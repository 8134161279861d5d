"""What the views answer with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

NO_STORE = {"Cache-Control": "no-store"}
"""For what changes at any time and has no validator."""


class JsonAnswer(Response):
    """A body of JSON that is complete when it is made."""

    default_mimetype = "application/json"

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Send it as it is: Werkzeug would look for what is missing in the headers, and nothing is."""
        start_response(self.status, self.headers.to_wsgi_list())
        return () if environ["REQUEST_METHOD"] == "HEAD" else self.response  # type: ignore[return-value]


def without_body(status: int, headers: dict[str, str] | None = None) -> Response:
    """An answer that has no body, and so no type of one."""
    response = Response(status=status, headers=headers)
    del response.headers["Content-Type"]
    return response
