"""The HTTP interface: a blueprint for each resource, all of them under /api/tickets but health."""

from __future__ import annotations

from flask import Blueprint, Flask, request
from werkzeug.datastructures import MIMEAccept

from ticketsvc.api import classify, console, docs, files, health, history, metrics, stats, tickets
from ticketsvc.api.auth import authenticator, rate_limit
from ticketsvc.api.output import cors, errors
from ticketsvc.config import Config
from ticketsvc.problems import NotAcceptable


def register(app: Flask, config: Config) -> None:
    """Add all routes and the error handler to an application; keys, limits and CORS where the settings say so."""
    api = Blueprint("api", __name__, url_prefix="/api/tickets")
    api.before_request(_require_json_accepted)
    for resource in (tickets, history, files, stats, classify):
        api.register_blueprint(resource.bp)
    app.url_map.strict_slashes = False  # for rules without a trailing slash: then every method takes both forms
    app.url_map.merge_slashes = False
    app.register_blueprint(api)
    for resource in (health, metrics, console, docs):
        app.register_blueprint(resource.bp)
    errors.register(app)
    if config.require_api_key:
        authenticator.register(app, config)
    if config.rate_limit:
        rate_limit.register(app, config, config.rate_limit)
    if config.cors_origins:
        cors.register(app, config.cors_origins)


def _require_json_accepted() -> None:
    accept = request.headers.get("Accept")
    if not accept or accept == "*/*" or request.endpoint == files.EXPORT:
        return
    ranges = MIMEAccept((media_range.partition(";")[0], quality) for media_range, quality in request.accept_mimetypes)
    if not ranges["application/json"]:
        raise NotAcceptable("The answers are JSON: send Accept: application/json, or no Accept at all.")
