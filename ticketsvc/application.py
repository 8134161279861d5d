"""The application: its parts, put together."""

from __future__ import annotations

from flask import Flask, Request
from werkzeug.routing import MapAdapter

from ticketsvc import api, cli, services
from ticketsvc.config import Config
from ticketsvc.server import trace_context
from ticketsvc.server.middleware import RequestMiddleware


class Service(Flask):
    """Flask, but for the host of a request: no route depends on it, and looking at it takes a tenth of a request."""

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """What matches a request's path and method to a route."""
        if request is None:
            return super().create_url_adapter(request)
        environ = request.environ
        path = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
        return MapAdapter(self.url_map, "localhost", "/", "", environ["wsgi.url_scheme"], path, request.method)


def create_app(config: Config) -> Flask:
    """Build the application. Opens no connection and starts nothing: that is left to the first request.

    But where spans are to be sent, a thread that sends them. Raises ConfigError.
    """
    app = Service(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = config.max_body_bytes
    services.install(app, config)
    api.register(app, config)
    cli.register(app)
    app.wsgi_app = RequestMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    if config.otlp_endpoint:
        trace_context.check_installed()
        from ticketsvc.server import opentelemetry  # large, and an optional dependency

        opentelemetry.install(app)
    return app
