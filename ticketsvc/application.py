"""The application: its parts, put together."""

from __future__ import annotations

from flask import Flask

from ticketsvc import api, cli, services
from ticketsvc.config import Config
from ticketsvc.logs import RequestLog


def create_app(config: Config) -> Flask:
    """Build the application. Opens no connection and starts nothing: that is left to the first request."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = config.max_body_bytes
    services.install(app, config)
    api.register(app, config)
    cli.register(app)
    app.wsgi_app = RequestLog(app.wsgi_app)  # type: ignore[method-assign]
    return app
