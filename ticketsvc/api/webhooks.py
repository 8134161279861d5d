"""Webhooks: the receivers of events, and what was delivered to them."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request

from ticketsvc.api.auth.authenticator import author, is_public_only
from ticketsvc.api.input import filters, media_types, members
from ticketsvc.api.input.body import json_object
from ticketsvc.api.output import conditional
from ticketsvc.api.output.responses import NO_STORE, JsonResponse, empty_response
from ticketsvc.problems import InvalidInput
from ticketsvc.services import services
from ticketsvc.store import webhooks
from ticketsvc.store.events import LATEST, After, parse_after
from ticketsvc.store.webhooks import Change, NewWebhook
from ticketsvc.validation.fields import Fields
from ticketsvc.webhooks import registration

_CREATED = ("url", "types", "filters", "public_only", "after")
"""The members of a body that registering a webhook uses."""
_CHANGED = ("url", "types", "filters", "enabled", "after")
"""The members of a body that changing a webhook uses."""
_EVENT_ID_LENGTH = 40

bp = Blueprint("webhooks", __name__, url_prefix="/api/webhooks")
bp.before_request(media_types.require_json_accepted)


@bp.post("")
def create() -> Response:
    """Register a webhook. A key that is limited to public comments registers one that is, too."""
    conditional.require_untagged()
    fields = Fields(json_object())
    members.check_unused(fields, _CREATED)
    public_only = fields.switch("public_only") or is_public_only()
    new = NewWebhook(_url(fields), _types(fields), _filters(fields, public_only), public_only, author().name)
    after = _after(fields) or LATEST
    fields.check()
    created, webhook_id, secret = webhooks.create(services().database, new, after)
    return _with_secret(created, secret, 201, {"Location": f"/api/webhooks/{webhook_id}"})


@bp.get("")
def list_webhooks() -> Response:
    """Return all webhooks, oldest first."""
    filters.parse_none(request.query_string)
    found = webhooks.list_all(services().database, is_public_only())
    return JsonResponse(found, headers=NO_STORE, may_compress=True)


@bp.get("/<uuid:webhook_id>")
def read(webhook_id: UUID) -> Response:
    """Return a webhook."""
    return JsonResponse(webhooks.get(services().database, webhook_id, is_public_only()), headers=NO_STORE)


@bp.patch("/<uuid:webhook_id>")
def change(webhook_id: UUID) -> Response:
    """Change a webhook, or disable or enable it."""
    conditional.require_untagged()
    fields = Fields(json_object(media_types.MERGE_PATCH))
    members.check_unused(fields, _CHANGED)
    wanted = Change(
        url=_url(fields) if "url" in fields.body else None,
        has_types="types" in fields.body,
        types=_types(fields),
        filters=_filters(fields, is_public_only()) if "filters" in fields.body else None,
        enabled=fields.switch("enabled") if fields.body.get("enabled") is not None else None,
        after=_after(fields),
    )
    fields.check()
    changed = webhooks.update(services().database, webhook_id, is_public_only(), wanted)
    return JsonResponse(changed, headers={**NO_STORE, "Accept-Patch": ", ".join(media_types.MERGE_PATCH)})


@bp.delete("/<uuid:webhook_id>")
def delete(webhook_id: UUID) -> Response:
    """Delete a webhook with its deliveries."""
    conditional.require_untagged()
    webhooks.delete(services().database, webhook_id, is_public_only())
    return empty_response(204)


@bp.post("/<uuid:webhook_id>/rotate")
def rotate(webhook_id: UUID) -> Response:
    """Give a webhook another secret. The one before signs, too, for 24 hours."""
    conditional.require_untagged()
    return _with_secret(*webhooks.rotate(services().database, webhook_id, is_public_only()))


@bp.get("/<uuid:webhook_id>/deliveries")
def list_deliveries(webhook_id: UUID) -> Response:
    """Return a page of the deliveries, newest first."""
    parameters = filters.parse_deliveries(request.query_string, webhook_id)
    found, following = webhooks.deliveries(
        services().database, webhook_id, is_public_only(), parameters.states, parameters.limit, parameters.cursor
    )
    headers = {**NO_STORE, **parameters.link(request.path, following)}
    return JsonResponse(found, headers=headers, may_compress=True)


@bp.post("/<uuid:webhook_id>/deliveries/<delivery_id>/redeliver")
def redeliver(webhook_id: UUID, delivery_id: str) -> Response:
    """Let a delivery be attempted again, with the same webhook-id."""
    conditional.require_untagged()
    repeated = webhooks.redeliver(services().database, webhook_id, is_public_only(), delivery_id)
    return JsonResponse(repeated, 202, NO_STORE)


def _with_secret(webhook: str, secret: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a webhook with its new secret, which is in no other response."""
    body = f'{webhook[:-1]},"secret":"{webhooks.PREFIX}{secret}"}}'
    return JsonResponse(body, status, {**NO_STORE, **(headers or {})})


def _url(fields: Fields) -> str:
    url = fields.text("url", registration.URL_LENGTH)
    if url:
        try:
            registration.check_url(url, services().config.webhook_allow_private)
        except ValueError as error:
            fields.add_error("url", f"{error}.", "not_allowed")
    return url


def _types(fields: Fields) -> tuple[str, ...] | None:
    """Return the types of events in their usual order, or None for all."""
    given = fields.body.get("types")
    if given is None or given == []:
        return None
    if not isinstance(given, list) or not set(map(str, given)) <= set(webhooks.TYPES):
        fields.add_error("types", f"must be an array of some of {', '.join(webhooks.TYPES)}.", "not_allowed")
        return None
    return tuple(known for known in webhooks.TYPES if known in given)


def _filters(fields: Fields, public_only: bool) -> str:
    """Return the filters as a query string; "" if it is absent, null or empty."""
    if fields.body.get("filters") in (None, ""):
        return ""
    text = fields.text("filters", registration.FILTERS_LENGTH).removeprefix("?")
    try:
        registration.parse_filters(text, public_only)
    except InvalidInput as invalid:
        fields.errors.extend(invalid.errors)
    return text


def _after(fields: Fields) -> After | None:
    """Return the event behind which the webhook begins or continues, or None if it is absent or null."""
    if fields.body.get("after") is None:
        return None
    try:
        return parse_after(fields.text("after", _EVENT_ID_LENGTH))
    except ValueError as error:
        if not fields.errors:
            fields.add_error("after", f"{error}.", "not_allowed")
        return None
