"""The HTTP interface: a blueprint for each resource, all of them under /api/tickets but health."""

from __future__ import annotations

from flask import Blueprint, Flask, request
from werkzeug.datastructures import MIMEAccept

from ticketsvc.api import classify, console, cors, errors, health, stats, tickets
from ticketsvc.problems import NotAcceptable


def register(app: Flask, cors_origins: tuple[str, ...]) -> None:
    """Add all routes, the error handler and, where origins are allowed, CORS to an application."""
    api = Blueprint("api", __name__, url_prefix="/api/tickets")
    api.before_request(_require_json_accepted)
    for resource in (tickets, stats, classify):
        api.register_blueprint(resource.bp)
    app.url_map.strict_slashes = False  # for rules without a trailing slash: then every method takes both forms
    app.url_map.merge_slashes = False
    app.register_blueprint(api)
    app.register_blueprint(health.bp)
    app.register_blueprint(console.bp)
    errors.register(app)
    if cors_origins:
        cors.register(app, cors_origins)


def _require_json_accepted() -> None:
    accept = request.headers.get("Accept")
    if not accept or accept == "*/*":
        return
    ranges = MIMEAccept((media_range.partition(";")[0], quality) for media_range, quality in request.accept_mimetypes)
    if not ranges["application/json"]:
        raise NotAcceptable("The answers are JSON: send Accept: application/json, or no Accept at all.")
