"""Uses every operation through the package that openapi-python-client makes of the document."""

from __future__ import annotations

import os
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
from tickets import AuthenticatedClient
from tickets.api.comments import add_comment, delete_comment, list_comments, read_comment
from tickets.api.events import list_events
from tickets.api.files import export_tickets, import_tickets
from tickets.api.operating import is_alive, is_ready, read_document, scrape_metrics, show_docs, show_page
from tickets.api.statistics import (
    read_daily_statistics,
    read_resolution_times,
    read_response_times,
    read_statistics,
    read_triage_statistics,
)
from tickets.api.tickets import (
    change_ticket,
    change_tickets,
    claim_ticket,
    create_ticket,
    delete_ticket,
    find_similar_tickets,
    list_similar_tickets,
    list_tickets,
    read_history,
    read_ticket,
)
from tickets.api.triage import classify_text
from tickets.api.webhooks import (
    change_webhook,
    create_webhook,
    delete_webhook,
    list_deliveries,
    list_webhooks,
    read_webhook,
    redeliver,
    rotate_secret,
)
from tickets.models import (
    BulkChange,
    BulkChanged,
    CategoryDecisionSource,
    ClaimInput,
    ClassifyInput,
    Comment,
    CommentInput,
    CommentMention,
    DailyStatistics,
    Delivery,
    DeliveryState,
    Event,
    EventTypesInputType0Item,
    ExportTicketsFormat,
    Health,
    Imported,
    ListDeliveriesStateItem,
    ListTicketsSearchIn,
    ListTicketsStatusItem,
    Problem,
    ResolutionTimes,
    ShowPagePage,
    SimilarInput,
    Statistics,
    Status,
    Suggestion,
    Ticket,
    TicketChange,
    TicketChangeStatusType1,
    TicketInput,
    TicketInputPriorityType1,
    TriageStatistics,
    Webhook,
    WebhookChange,
    WebhookInput,
)
from tickets.types import UNSET, File

if TYPE_CHECKING:
    from uuid import UUID

    from tickets.types import Response

CLIENT = AuthenticatedClient(os.environ["SERVICE"], os.environ["KEY"], raise_on_unexpected_status=True)
STRANGER = AuthenticatedClient(os.environ["SERVICE"], "unknown", raise_on_unexpected_status=True)


def problem(response: Response[Any], status: int) -> Problem:
    """Return the problem document of a response."""
    assert response.status_code == status
    assert isinstance(response.parsed, Problem)
    assert response.parsed.status == status
    return response.parsed


def operate() -> None:
    for operation in (is_alive, is_ready):
        health = operation.sync(client=CLIENT)
        assert isinstance(health, Health)
    metrics = scrape_metrics.sync(client=CLIENT)
    assert isinstance(metrics, str)
    assert "ticketsvc_" in metrics
    assert read_document.sync_detailed(client=CLIENT).status_code == HTTPStatus.OK
    assert isinstance(show_docs.sync(client=CLIENT), str)
    assert isinstance(show_page.sync(ShowPagePage.GUIDE, client=CLIENT), str)


def create() -> list[UUID]:
    ids = []
    for title in ("Charged twice", "Cannot log in", "Slow", "Late", "Broken"):
        body = TicketInput(title, "It happened this morning.", priority=TicketInputPriorityType1.HIGH)
        first, again = (create_ticket.sync_detailed(client=CLIENT, body=body, idempotency_key=title[:4]) for _ in "12")
        assert isinstance(first.parsed, Ticket)
        assert isinstance(again.parsed, Ticket)
        assert first.parsed.triage.category.source == CategoryDecisionSource.OFFLINE
        assert (again.parsed.id, again.headers["Idempotent-Replayed"]) == (first.parsed.id, "true")
        ids.append(first.parsed.id)
    invalid = create_ticket.sync_detailed(client=CLIENT, body=TicketInput(" ", ""))
    errors = problem(invalid, HTTPStatus.BAD_REQUEST).errors
    assert [error.pointer for error in errors or ()] == ["#/title", "#/description"]
    stranger = create_ticket.sync_detailed(client=STRANGER, body=TicketInput("a", "b"))
    assert problem(stranger, HTTPStatus.UNAUTHORIZED).type_ == "/docs/errors#unauthorized"
    return ids


def walk(ids: list[UUID]) -> None:
    seen: list[UUID] = []
    query: dict[str, Any] = {
        "status": [ListTicketsStatusItem.OPEN, ListTicketsStatusItem.IN_PROGRESS],
        "created_since": "2026-01-01",
        "limit": 2,
    }
    while True:
        page = list_tickets.sync_detailed(client=CLIENT, count=True, **query)
        assert isinstance(page.parsed, list)
        assert page.headers["X-Total-Count"] == "5"
        seen += [ticket.id for ticket in page.parsed]
        links = httpx.Response(200, headers=page.headers).links
        if "next" not in links:
            break
        query["cursor"] = parse_qs(urlsplit(links["next"]["url"]).query)["cursor"][0]
    assert sorted(seen) == sorted(ids)
    wrong = list_tickets.sync_detailed(client=CLIENT, created_since="yesterday")
    assert [error.parameter for error in problem(wrong, HTTPStatus.BAD_REQUEST).errors or ()] == ["created_since"]


def change(ticket: UUID) -> None:
    tag = read_ticket.sync_detailed(ticket, client=CLIENT).headers["ETag"]
    unchanged = read_ticket.sync_detailed(ticket, client=CLIENT, if_none_match=tag)
    assert unchanged.status_code == HTTPStatus.NOT_MODIFIED
    body = TicketChange(status=TicketChangeStatusType1.RESOLVED)
    changed = change_ticket.sync(ticket, client=CLIENT, body=body, if_match=tag)
    assert isinstance(changed, Ticket)
    assert (changed.status, changed.version) == (Status.RESOLVED, 2)
    stale = change_ticket.sync_detailed(ticket, client=CLIENT, body=body, if_match=tag)
    assert problem(stale, HTTPStatus.PRECONDITION_FAILED).type_ == "/docs/errors#version-mismatch"
    history = read_history.sync(ticket, client=CLIENT)
    assert isinstance(history, list)
    assert [entry.version for entry in history] == [1, 2]


def discuss(ticket: UUID) -> None:
    body = CommentInput("We have refunded it.", author="bob")
    comment = add_comment.sync(ticket, client=CLIENT, body=body, if_match='"2"')
    assert isinstance(comment, Comment)
    assert (comment.author, comment.internal) == ("bob", False)
    assert list_comments.sync(ticket, client=CLIENT, internal=False) == [comment]
    assert list_comments.sync(ticket, client=CLIENT, internal=True) == []
    found = list_tickets.sync(client=CLIENT, search="refunded", search_in=ListTicketsSearchIn.COMMENTS)
    assert isinstance(found, list)
    assert [each.id for each in found] == [ticket]
    assert read_comment.sync(ticket, comment.id, client=CLIENT) == comment
    times = read_response_times.sync(client=CLIENT)
    assert isinstance(times, ResolutionTimes)
    assert times.count == 1
    assert delete_comment.sync_detailed(ticket, comment.id, client=CLIENT).status_code == HTTPStatus.NO_CONTENT
    history = read_history.sync(ticket, client=CLIENT)
    assert isinstance(history, list)
    mentions = [entry.comment for entry in history[2:]]
    assert [mention.id for mention in mentions if isinstance(mention, CommentMention)] == [comment.id] * 2


def follow(ticket: UUID) -> None:
    events = list_events.sync(client=CLIENT, limit=500, wait=1)
    assert isinstance(events, list)
    assert isinstance(events[0], Event)
    assert [event.version for event in events if event.ticket_id == ticket] == [1, 2, 3, 4]
    end = list_events.sync_detailed(client=CLIENT, after="latest")
    assert (end.parsed, end.headers["X-Last-Event-Id"]) == ([], events[-1].id)
    gone = list_events.sync_detailed(client=CLIENT, after="ffffffff-1")
    assert problem(gone, HTTPStatus.GONE).type_ == "/docs/errors#events-gone"


def files() -> None:
    body = File(BytesIO(b"title,description\r\nOld,From a file.\r\n"))
    imported = import_tickets.sync(client=CLIENT, body=body)
    assert isinstance(imported, Imported)
    assert imported.imported == 1
    wrong = import_tickets.sync_detailed(client=CLIENT, body=File(BytesIO(b"title,description\r\na,b\r\n,b\r\n")))
    invalid = problem(wrong, HTTPStatus.BAD_REQUEST)
    assert (invalid.faulty_lines, [error.line for error in invalid.errors or ()]) == (1, [3])
    for kind in (ExportTicketsFormat.CSV, ExportTicketsFormat.NDJSON):
        exported = export_tickets.sync(client=CLIENT, format_=kind, search="from a file")
        assert isinstance(exported, File)
        assert b"Old" in exported.payload.read()


def figures() -> None:
    totals = read_statistics.sync(client=CLIENT, search="morning")
    assert isinstance(totals, Statistics)
    assert (totals.total_tickets, totals.priority_breakdown.high) == (5, 5)
    daily = read_daily_statistics.sync(client=CLIENT, tz="Europe/Berlin", since="2026-05-01", before="2026-05-03")
    assert isinstance(daily, DailyStatistics)
    assert len(daily.days) == 2
    times = read_resolution_times.sync(client=CLIENT)
    assert isinstance(times, ResolutionTimes)
    assert times.count == 1
    triage = read_triage_statistics.sync(client=CLIENT)
    assert isinstance(triage, TriageStatistics)
    assert triage.category.suggested == 5
    claim = ClaimInput("Kim")
    claimed, nothing = (claim_ticket.sync_detailed(client=CLIENT, body=claim, search="Broken") for _ in "12")
    assert isinstance(claimed.parsed, Ticket)
    assert (claimed.parsed.assignee, claimed.parsed.status) == ("Kim", Status.IN_PROGRESS)
    assert nothing.status_code == HTTPStatus.NO_CONTENT
    mine = list_tickets.sync(client=CLIENT, assignee=["nobody", "kim"], assigned=True)
    assert isinstance(mine, list)
    assert [ticket.id for ticket in mine] == [claimed.parsed.id]
    counts = change_tickets.sync(client=CLIENT, body=BulkChange(add_tags=["VIP"]), assignee=["kim"])
    assert counts == BulkChanged(matched=1, changed=1)
    assert list_tickets.sync(client=CLIENT, duplicate_of=[claimed.parsed.id]) == []
    alike = find_similar_tickets.sync(client=CLIENT, body=SimilarInput(title="It is broken this morning"))
    assert isinstance(alike, list)
    assert (alike[0].id, alike[0].score > 0.5) == (claimed.parsed.id, True)
    others = list_similar_tickets.sync(claimed.parsed.id, client=CLIENT)
    assert isinstance(others, list)
    assert all(other.id != claimed.parsed.id for other in others)
    suggestion = classify_text.sync(client=CLIENT, body=ClassifyInput("I cannot log in."))
    assert isinstance(suggestion, Suggestion)
    assert suggestion.category == suggestion.suggested_category


def subscribe() -> None:
    body = WebhookInput("https://example.com/tickets", types=[EventTypesInputType0Item.TICKET_CREATED])
    added = create_webhook.sync(client=CLIENT, body=body)
    assert isinstance(added, Webhook)
    assert str(added.secret).startswith("whsec_")
    listed = list_webhooks.sync(client=CLIENT)
    assert isinstance(listed, list)
    assert [webhook.id == added.id for webhook in listed] == [False, True]
    read = read_webhook.sync(added.id, client=CLIENT)
    assert isinstance(read, Webhook)
    assert (read.secret, read.url) == (UNSET, "https://example.com/tickets")
    changed = change_webhook.sync(added.id, client=CLIENT, body=WebhookChange(enabled=False, types=None))
    assert isinstance(changed, Webhook)
    assert (changed.enabled, changed.types) == (False, None)
    rotated = rotate_secret.sync(added.id, client=CLIENT)
    assert isinstance(rotated, Webhook)
    assert rotated.secret not in (added.secret, UNSET)
    failed = list_deliveries.sync(listed[0].id, client=CLIENT, state=[ListDeliveriesStateItem.FAILED])
    assert isinstance(failed, list)
    again = redeliver.sync(listed[0].id, failed[0].id, client=CLIENT)
    assert isinstance(again, Delivery)
    assert (again.id, again.state) == (failed[0].id, DeliveryState.PENDING)
    assert delete_webhook.sync_detailed(added.id, client=CLIENT).status_code == HTTPStatus.NO_CONTENT


def remove(ticket: UUID) -> None:
    assert delete_ticket.sync_detailed(ticket, client=CLIENT).status_code == HTTPStatus.NO_CONTENT
    gone = delete_ticket.sync_detailed(ticket, client=CLIENT)
    assert problem(gone, HTTPStatus.NOT_FOUND).type_ == "/docs/errors#not-found"


if __name__ == "__main__":
    operate()
    made = create()
    walk(made)
    change(made[0])
    discuss(made[0])
    follow(made[0])
    files()
    figures()
    subscribe()
    remove(made[0])
