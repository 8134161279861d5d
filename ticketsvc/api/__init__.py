"""The HTTP interface: one blueprint per resource. Those of tickets are below /api/tickets."""

from __future__ import annotations

from flask import Blueprint, Flask

from ticketsvc.api import (
    bulk_update,
    classify,
    comments,
    console,
    docs,
    events,
    files,
    health,
    history,
    mcp,
    metrics,
    similar,
    stats,
    tickets,
    webhooks,
)
from ticketsvc.api.auth import authenticator, browsers, clients, rate_limit
from ticketsvc.api.input import media_types
from ticketsvc.api.output import cors, errors, position
from ticketsvc.config import Config


def register(app: Flask, config: Config) -> None:
    """Add all routes and the error handlers to an application, and what the settings enable."""
    api = Blueprint("api", __name__, url_prefix="/api/tickets")
    api.before_request(media_types.require_json_accepted)
    for resource in (tickets, bulk_update, comments, history, files, stats, classify, similar):
        api.register_blueprint(resource.bp)
    # Rules have no trailing slash; without strict slashes every method matches paths with and without one.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.redirect_defaults = False  # no rule has defaults
    app.register_blueprint(api)
    for resource in (mcp, events, webhooks, health, metrics, console, docs):
        app.register_blueprint(resource.bp)
    errors.register(app)
    browsers.register(app, config)
    clients.register(app, config)
    if config.require_api_key:
        authenticator.register(app, config)
    if config.rate_limit:
        rate_limit.register(app, config, config.rate_limit)
    if config.read_database_url:
        position.register(app)
    if config.cors_origins:
        cors.register(app, config.cors_origins)
