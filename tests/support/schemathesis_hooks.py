"""Generators for schemathesis of what the document cannot express: cursors, times, time zones and files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import schemathesis
from hypothesis import strategies as st

from tests.support.openapi_contract import ID
from ticketsvc.api.input.media_types import FILES
from ticketsvc.store import comments, history, webhooks
from ticketsvc.store.cursor import Cursor
from ticketsvc.store.events import LATEST
from ticketsvc.store.pages import SORTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemathesis import Case, HookContext

KEYS = {"urgent": "medium", "updated": "2026-01-31 12:00:00+00"}
PLACEHOLDER = Cursor("newest", ID, "").encode()
WORDS = st.text(st.characters(codec="utf-8", exclude_characters='\0"\r\n', exclude_categories=["Z", "C"]), min_size=1)

schemathesis.openapi.format("cursor", st.just(PLACEHOLDER))
schemathesis.openapi.format("event-id", st.just(LATEST))
# The document does not say "time, date or empty": generators of clients make unions of that which nobody can use.
DAYS = st.dates().map(str) | st.just("")
schemathesis.openapi.format("day", DAYS)
schemathesis.openapi.format("date-or-time", DAYS | st.datetimes().map(lambda time: f"{time.isoformat()}Z"))
schemathesis.openapi.format("time-zone", st.sampled_from(["UTC", "Europe/Berlin", "asia/kathmandu"]))


def as_ndjson(tickets: list[tuple[str, str]]) -> bytes:
    """Return an NDJSON file of tickets with these titles and descriptions."""
    return b"".join(json.dumps({"title": a[:200], "description": b}).encode() + b"\n" for a, b in tickets)


def as_csv(tickets: list[tuple[str, str]]) -> bytes:
    """Return the same as CSV."""
    return "".join(["title,description\r\n", *(f'"{a[:200]}","{b}"\r\n' for a, b in tickets)]).encode()


for media_type, kind in FILES.items():
    written = as_csv if kind == "csv" else as_ndjson
    schemathesis.openapi.media_type(media_type, st.lists(st.tuples(WORDS, WORDS), max_size=5).map(written))


@schemathesis.hook
def before_load_schema(context: HookContext, raw_schema: dict[str, Any]) -> None:
    """Keep the lengths of long texts out of their patterns.

    schemathesis would make `[^x]{0,65536}` of `[^x]*`, which takes half a second to compile, each of a hundred times.
    It leaves a pattern that does not end with `$` as it is.
    """
    for schema in nodes(raw_schema):
        if schema.get("maxLength", 0) > 1000 and "pattern" in schema:
            schema["pattern"] += "(?=)"


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects of a document."""
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(each)


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Replace the placeholder with a cursor of the list that is requested."""
    query = case.query if isinstance(case.query, dict) else {}
    if query.get("cursor") == PLACEHOLDER:
        query["cursor"] = fitting(case, str(query.get("sort") or "")).encode()


def fitting(case: Case[Any], order: str) -> Cursor:
    """Return a cursor for the requested list."""
    path_parameters = case.path_parameters or {}
    ticket_id = str(path_parameters.get("ticket_id"))
    if case.operation.path.endswith("/deliveries/"):
        return Cursor(webhooks.SORT, str(path_parameters.get("webhook_id")), "1")
    if case.operation.path.endswith("/history"):
        return Cursor(history.SORT, ticket_id, "1")
    if case.operation.path.endswith("/comments/"):
        return Cursor(comments.SORTS.get(order, comments.SORTS["created_at"]), ticket_id, "1")
    sort = SORTS.get(order, SORTS["-created_at"])
    return Cursor(sort, ID, KEYS.get(sort, ""))
