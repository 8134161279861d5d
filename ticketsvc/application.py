"""The application: its parts, put together."""

from __future__ import annotations

from flask import Flask

from ticketsvc import api, cli, logs, services
from ticketsvc.config import Config


def create_app(config: Config) -> Flask:
    """Build the application. Opens no connection and starts nothing: that is left to the first request."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = config.max_body_bytes
    logs.register(app)
    services.install(app, config)
    api.register(app, config.cors_origins)
    cli.register(app)
    return app
