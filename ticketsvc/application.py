"""The Flask application."""

from __future__ import annotations

from flask import Flask, Request
from werkzeug.routing import MapAdapter

from ticketsvc import api, cli, services
from ticketsvc.config import Config
from ticketsvc.server import trace_context
from ticketsvc.server.logs import RequestMiddleware


class Service(Flask):
    """Flask without host matching: no route depends on the host, and parsing it takes a tenth of a request."""

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return the object that matches the path and method of a request to a route."""
        if request is None:
            return super().create_url_adapter(request)
        environ = request.environ
        path = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
        return MapAdapter(self.url_map, "localhost", "/", "", environ["wsgi.url_scheme"], path, request.method)


def create_app(config: Config) -> Flask:
    """Build the application. Raises ConfigError.

    No database connection is opened; the pool opens on the first request. If tracing is enabled, this starts the
    exporter thread.
    """
    app = Service(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = config.max_body_bytes
    services.install(app, config)
    api.register(app, config)
    cli.register(app)
    app.wsgi_app = RequestMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    if config.otlp_endpoint:
        trace_context.check_installed()
        from ticketsvc.server import tracing  # large, and an optional dependency

        tracing.install(app)
    return app
