"""The application, assembled from its parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import NullSession, SessionInterface
from werkzeug.routing import MapAdapter

from ticketsvc import api, cli, services
from ticketsvc.config import Config
from ticketsvc.server import trace_context
from ticketsvc.server.middleware import RequestMiddleware


class _NoSessions(SessionInterface):
    _session = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:
        """Return the session of every request: an empty one that cannot be changed."""
        return self._session


class Service(Flask):
    """Flask without matching of host names, without sessions and without `async` functions.

    No route depends on the host name or uses a session, and no function of the application is asynchronous. Matching
    hosts takes a tenth of a request's time, and finding out whether each function that Flask calls is asynchronous some
    ten calls each.
    """

    session_interface = _NoSessions()

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return the adapter that matches a request's path and method to a route."""
        if request is None:  # outside of a request no URL is built
            return None
        environ = request.environ
        path = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
        if path.startswith("//"):  # werkzeug would take it for a path with one slash
            path = f"/.{path}"
        return MapAdapter(self.url_map, "localhost", "/", "", environ["wsgi.url_scheme"], path, request.method)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function: it is synchronous."""
        return func

    def make_default_options_response(self) -> Response:
        """Return the response to OPTIONS. It has no body, so it has no Content-Type."""
        response = super().make_default_options_response()
        del response.headers["Content-Type"]
        return response


def create_app(config: Config) -> Flask:
    """Build the application.

    No database connection is opened; the pool opens on the first request. If tracing is enabled, this starts the
    exporter's thread. Raises ConfigError.
    """
    app = Service(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = config.max_body_bytes
    services.install(app, config)
    api.register(app, config)
    cli.register(app)
    app.wsgi_app = RequestMiddleware(app.wsgi_app, config.is_text_log)  # type: ignore[method-assign]
    if config.otlp_endpoint:
        trace_context.check_installed()
        from ticketsvc.server import opentelemetry  # large, and an optional dependency

        opentelemetry.install(app)
    return app
