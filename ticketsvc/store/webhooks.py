"""Webhooks and their deliveries."""

from __future__ import annotations

import secrets
from base64 import b64encode
from typing import NamedTuple
from uuid import UUID

from ticketsvc.compact_json import json_array
from ticketsvc.filters import Filters
from ticketsvc.problems import EventsGone, NotFound, TooManyWebhooks, WebhookDisabled
from ticketsvc.store import events
from ticketsvc.store.cursor import Cursor
from ticketsvc.store.events import LATEST, After, EventId
from ticketsvc.store.filter_parameters import filter_parameters
from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database

TYPES = ("ticket.created", "ticket.updated", "ticket.commented", "ticket.deleted")
"""The types of events."""
STATES = ("pending", "sending", "delivered", "failed", "skipped")
"""The states of deliveries."""
MAX_WEBHOOKS = 100
"""Each can have MAX_SENDING deliveries under way, and each of these takes a thread."""
MAX_SENDING = 4
"""The maximum number of deliveries to a webhook that are under way, in all processes."""
LEASE_SECONDS = 60
"""The time after which a delivery is attempted again if the process that attempts it does not record the result."""
MAX_PENDING = 1_000
"""The number of deliveries of a webhook that are created ahead. Further events stay in the feed meanwhile."""
BATCH = 1_000
"""The number of events that are looked at in one statement."""
SECRET_BYTES = 32
PREFIX = "whsec_"
"""Begins the secret that receivers get; the rest is standard base64."""
SORT = "deliveries"


class NewWebhook(NamedTuple):
    """A webhook to register. `types` None means all; `filters` is a query string."""

    url: str
    types: tuple[str, ...] | None
    filters: str
    public_only: bool
    created_by: str | None


class Change(NamedTuple):
    """A change of a webhook. None means no change, also of the event `after` which it continues."""

    url: str | None = None
    has_types: bool = False
    types: tuple[str, ...] | None = None
    filters: str | None = None
    enabled: bool | None = None
    after: After | None = None


class Claimed(NamedTuple):
    """A delivery to attempt. `body` is JSON, or None if the event is gone; the secrets are in base64."""

    id: str
    webhook_id: str
    attempt: int
    url: str
    secret: str
    previous_secret: str | None
    body: str | None


class Result(NamedTuple):
    """The outcome of an attempt. `error` is None if it succeeded; `status` is None without a response."""

    status: int | None
    error: str | None
    duration_ms: int
    retry_after: int | None = None
    is_gone: bool = False
    is_skipped: bool = False


class Recorded(NamedTuple):
    """The state of a delivery after an attempt, and why its webhook has been disabled by it, if it has."""

    state: str
    disabled_reason: str | None


class Behind(NamedTuple):
    """A webhook for which events have not been looked at, and its filters as a query string."""

    id: UUID
    filters: str
    public_only: bool


class FannedOut(NamedTuple):
    """The number of events that were looked at, of deliveries created, and of events that had been pruned before."""

    events: int
    added: int
    pruned: int


class Figures(NamedTuple):
    """The figures of a webhook in /metrics. `state` is healthy, failing or disabled."""

    id: str
    state: str
    delivered_total: int
    failed_total: int
    pending: int
    oldest_seconds: float


class _CreateRow(NamedTuple):
    json: str | None
    id: UUID | None
    is_gone: bool


class _UpdateRow(NamedTuple):
    json: str | None


class _PageRow(NamedTuple):
    json: bytes | None
    number: str | None


class _RedeliverRow(NamedTuple):
    json: str
    is_disabled: bool


_CREATE = queries.load("webhooks.create", _CreateRow)
_LIST = queries.load("webhooks.list", str)
_GET = queries.load("webhooks.get", str)
_UPDATE = queries.load("webhooks.update", _UpdateRow)
_ROTATE = queries.load("webhooks.rotate", str)
_DELETE = queries.load("webhooks.delete", UUID)
_DELIVERIES = queries.load("webhooks.deliveries", _PageRow)
_REDELIVER = queries.load("webhooks.redeliver", _RedeliverRow)
_BEHIND = queries.load("webhooks.behind", Behind)
_FAN_OUT = queries.load_each("webhooks.fan_out", FannedOut, ("", "comments"))
_CLAIM = queries.load("webhooks.claim", Claimed)
_RECORD = queries.load("webhooks.record", Recorded)
_PRUNE = queries.load("webhooks.prune", int)
_FIGURES = queries.load("webhooks.figures", Figures)


def create(database: Database, new: NewWebhook, after: After) -> tuple[str, UUID, str]:
    """Register a webhook for the events behind `after`. Returns it as JSON, its id, and its secret in base64.

    Raises EventsGone and TooManyWebhooks.
    """
    secret = _new_secret()
    values = {**new._asdict(), **_position(database, after), "secret": secret, "maximum": MAX_WEBHOOKS}
    row = database.one(_CREATE, values)
    if row.is_gone:
        raise EventsGone
    if row.json is None or row.id is None:
        raise TooManyWebhooks(f"There are {MAX_WEBHOOKS} webhooks, and there may not be more. Delete one first.")
    return row.json, row.id, secret


def list_all(database: Database, without_internal: bool) -> str:
    """Return a JSON array of the webhooks, oldest first; only those without internal comments if `without_internal`."""
    return f"[{','.join(database.rows(_LIST, {'without_internal': without_internal}))}]"


def get(database: Database, webhook_id: UUID, without_internal: bool) -> str:
    """Return a webhook as JSON. Raises NotFound."""
    found = database.one_or_none(_GET, {"id": webhook_id, "without_internal": without_internal})
    return _found(found, webhook_id)


def update(database: Database, webhook_id: UUID, without_internal: bool, change: Change) -> str:
    """Change a webhook and return it as JSON. Raises NotFound and EventsGone."""
    values = {**change._asdict(), **_position(database, change.after), "is_moved": change.after is not None}
    row = database.one_or_none(_UPDATE, {**values, "id": webhook_id, "without_internal": without_internal})
    if row and row.json is None:
        raise EventsGone
    return _found(row and row.json, webhook_id)


def rotate(database: Database, webhook_id: UUID, without_internal: bool) -> tuple[str, str]:
    """Give a webhook another secret. Returns it as JSON, and the secret in base64. Raises NotFound."""
    secret = _new_secret()
    values = {"id": webhook_id, "without_internal": without_internal, "secret": secret}
    return _found(database.one_or_none(_ROTATE, values), webhook_id), secret


def delete(database: Database, webhook_id: UUID, without_internal: bool) -> None:
    """Delete a webhook with its deliveries. Raises NotFound."""
    if database.one_or_none(_DELETE, {"id": webhook_id, "without_internal": without_internal}) is None:
        raise _not_found(webhook_id)


def deliveries(
    database: Database,
    webhook_id: UUID,
    without_internal: bool,
    states: tuple[str, ...] | None,
    limit: int,
    after: Cursor | None,
) -> tuple[bytes, Cursor | None]:
    """Return a JSON array of at most `limit` deliveries, newest first, and the next page's cursor. Raises NotFound."""
    values = {"id": webhook_id, "without_internal": without_internal, "states": states or STATES}
    rows = database.rows(_DELIVERIES, {**values, "before_number": after and after.key, "limit": limit + 1})
    if not rows:
        raise _not_found(webhook_id)
    found = [(row.json, row.number) for row in rows if row.json is not None and row.number is not None]
    following = Cursor(SORT, str(webhook_id), found[limit - 1][1]) if len(found) > limit else None
    return json_array(json for json, _ in found[:limit]), following


def redeliver(database: Database, webhook_id: UUID, without_internal: bool, delivery_id: str) -> str:
    """Let a delivery be attempted now, whatever became of it, and return it as JSON.

    Raises NotFound, and WebhookDisabled.
    """
    values = {"webhook_id": webhook_id, "without_internal": without_internal, "id": delivery_id}
    row = database.one_or_none(_REDELIVER, values)
    if row is None:
        raise NotFound(f"The webhook {webhook_id} has no delivery {delivery_id}. Those that ended are kept for a week.")
    if row.is_disabled:
        raise WebhookDisabled("The webhook is disabled. Enable it first; what is pending is then delivered, too.")
    return row.json


def behind(database: Database) -> list[Behind]:
    """Return the enabled webhooks for which events have not been looked at."""
    return database.rows(_BEHIND, {"max_pending": MAX_PENDING})


def fan_out(database: Database, webhook: Behind, filters: Filters) -> FannedOut:
    """Create the deliveries of the next events, at most BATCH, to a webhook with these filters."""
    query = _FAN_OUT["comments" if filters.search_in else ""]
    values = {"webhook_id": webhook.id, "query_string": webhook.filters, "limit": BATCH}
    return database.one(query, {**filter_parameters(filters), **values})


def claim(database: Database) -> list[Claimed]:
    """Take the deliveries to attempt now. Results are to be recorded within LEASE_SECONDS."""
    return database.rows(_CLAIM, {"max_sending": MAX_SENDING, "lease": LEASE_SECONDS})


def record(database: Database, delivery: Claimed, result: Result) -> Recorded | None:
    """Record the result of an attempt. Returns None if it came too late."""
    values = {"id": delivery.id, "attempts": delivery.attempt, **result._asdict()}
    return database.one_or_none(_RECORD, values)


def prune(database: Database) -> int:
    """Delete old deliveries that have ended, at most 5,000, and return how many there were."""
    return database.one(_PRUNE)


def figures(database: Database) -> list[Figures]:
    """Return what /metrics says about each webhook."""
    return database.rows(_FIGURES)


def _new_secret() -> str:
    return b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _position(database: Database, after: After | None) -> dict[str, object]:
    """Return the values of the parameters that say where a webhook begins."""
    if after == LATEST:
        after = events.latest(database)
    generation, seq = after if isinstance(after, EventId) else (None, None)
    return {"generation": generation, "seq": seq}


def _found(json: str | None, webhook_id: UUID) -> str:
    if json is None:
        raise _not_found(webhook_id)
    return json


def _not_found(webhook_id: UUID) -> NotFound:
    return NotFound(f"There is no webhook {webhook_id}.")
