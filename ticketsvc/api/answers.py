"""What the views answer with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from werkzeug.datastructures import Headers


class JsonAnswer(Response):
    """A body of JSON that is complete when it is made."""

    default_mimetype = "application/json"

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        """The headers as they are: nothing is left to complete for a body that is there, and checking costs time."""
        return self.headers
