"""What the tests of the ticket routes share: filing tickets, walking pages, the shape of an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    Connection = psycopg.Connection[tuple[object, ...]]

URL = "/api/tickets/"
TICKET = {"title": "Cannot log in", "description": "The page says 'wrong password'."}
LABELS = {"category": "account", "priority": "medium"}


def file_ticket(client: FlaskClient, **fields: object) -> dict[str, Any]:
    """Create a ticket over HTTP."""
    answer = client.post(URL, json={**TICKET, **LABELS, **fields})
    assert answer.status_code == 201, answer.text
    ticket: dict[str, Any] = answer.get_json()
    return ticket


def insert(database: Connection, title: str, created_at: str, updated_at: str | None = None) -> str:
    """Put a ticket into the table with times of its own; return its id."""
    row = database.execute(
        "INSERT INTO tickets (title, description, created_at, updated_at) VALUES (%s, '-', %s, %s) RETURNING id::text",
        [title, created_at, updated_at],
    ).fetchone()
    assert row
    return str(row[0])


def insert_many(database: Connection, count: int, step: str = "1 minute") -> None:
    """Put tickets 1 to `count` into the table, a step apart, over all combinations of facets."""
    database.execute(
        """
        INSERT INTO tickets (title, description, created_at, category, priority, status)
        SELECT 'Ticket ' || n, 'Number ' || n, '2026-01-01T00:00:00Z'::timestamptz + n * %s::interval,
            (enum_range(NULL::ticket_category))[1 + n %% 4],
            (enum_range(NULL::ticket_priority))[1 + n / 4 %% 4],
            (enum_range(NULL::ticket_status))[1 + n / 16 %% 4]
        FROM generate_series(1, %s) AS n
        """,
        [step, count],
    )


def titles(client: FlaskClient, query: str = "") -> list[str]:
    """The titles of the tickets that a list answers, in its order."""
    answer = client.get(URL + query)
    assert answer.status_code == 200, answer.text
    return [ticket["title"] for ticket in answer.get_json()]


def next_page(answer: TestResponse) -> str | None:
    """The address in an answer's Link header, if it has one."""
    link = answer.headers.get("Link")
    if link is None:
        return None
    address, relation = link.split("; ")
    assert (address[0], address[-1], relation) == ("<", ">", 'rel="next"')
    return address[1:-1]


def pages(client: FlaskClient, query: str) -> Iterator[list[dict[str, Any]]]:
    """The pages of a list, each asked for when it is wanted."""
    address: str | None = URL + query
    while address:
        answer = client.get(address)
        assert answer.status_code == 200, answer.text
        yield answer.get_json()
        address = next_page(answer)


def problem(answer: TestResponse, status: int) -> dict[str, Any]:
    """Check that an answer is a problem document with this status, and return it."""
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    document: dict[str, Any] = answer.get_json()
    assert list(document)[:6] == ["type", "title", "status", "detail", "instance", "error"]
    assert document["status"] == status
    assert document["error"] == document["detail"]
    assert all(isinstance(document[key], str) and document[key] for key in ("type", "title", "detail", "instance"))
    return document


def faults(answer: TestResponse) -> dict[str, str]:
    """The faults of invalid input: what is wrong (pointer or parameter), and the code for it."""
    found = problem(answer, 400)["errors"]
    for fault in found:
        assert list(fault) in (["pointer", "detail", "code"], ["parameter", "detail", "code"])
        assert fault["detail"]
    return {fault.get("pointer") or fault["parameter"]: fault["code"] for fault in found}
