"""Tickets for the tests, and checks of the responses that carry them."""

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
    """Create a ticket over HTTP and return it."""
    response = client.post(URL, json={**TICKET, **LABELS, **fields})
    assert response.status_code == 201, response.text
    ticket: dict[str, Any] = response.get_json()
    return ticket


def insert(database: Connection, title: str, created_at: str, updated_at: str | None = None) -> str:
    """Insert a ticket with the given times and return its id."""
    row = database.execute(
        "INSERT INTO tickets (title, description, created_at, updated_at) VALUES (%s, '-', %s, %s) RETURNING id::text",
        [title, created_at, updated_at],
    ).fetchone()
    assert row
    return str(row[0])


def insert_many(database: Connection, count: int, step: str = "1 minute") -> None:
    """Insert tickets 1 to `count`, created `step` apart, over all combinations of facets.

    Tickets with a final status were resolved at once, unless the schema is too old to say so.
    """
    has_column = "SELECT FROM pg_attribute WHERE attrelid = 'tickets'::regclass AND attname = 'resolved_at'"
    resolved = ["", ""]
    if database.execute(has_column).fetchone() is not None:
        resolved = [
            ", resolved_at",
            ", CASE WHEN n / 16 %% 4 > 1 THEN '2026-01-01Z'::timestamptz + n * %s::interval END",
        ]
    database.execute(
        f"""
        INSERT INTO tickets (title, description, created_at, category, priority, status{resolved[0]})
        SELECT 'Ticket ' || n, 'Number ' || n, '2026-01-01T00:00:00Z'::timestamptz + n * %s::interval,
            (enum_range(NULL::ticket_category))[1 + n %% 4],
            (enum_range(NULL::ticket_priority))[1 + n / 4 %% 4],
            (enum_range(NULL::ticket_status))[1 + n / 16 %% 4]{resolved[1]}
        FROM generate_series(1, %s) AS n
        """.encode(),
        [step, *[step] * bool(resolved[1]), count],
    )


def count_rows(database: Connection, table: str = "tickets") -> int:
    """Return the number of rows of a table."""
    row = database.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert row
    return int(str(row[0]))


def titles(client: FlaskClient, query: str = "") -> list[str]:
    """Return the titles of one page of the list, in its order."""
    response = client.get(URL + query)
    assert response.status_code == 200, response.text
    return [ticket["title"] for ticket in response.get_json()]


def next_page(response: TestResponse) -> str | None:
    """Return the URL in the Link header, or None on the last page."""
    link = response.headers.get("Link")
    if link is None:
        return None
    address, relation = link.split("; ")
    assert (address[0], address[-1], relation) == ("<", ">", 'rel="next"')
    return address[1:-1]


def pages(client: FlaskClient, query: str) -> Iterator[list[dict[str, Any]]]:
    """Yield the pages of a list, each requested when it is needed."""
    address: str | None = URL + query
    while address:
        response = client.get(address)
        assert response.status_code == 200, response.text
        yield response.get_json()
        address = next_page(response)


def problem(response: TestResponse, status: int) -> dict[str, Any]:
    """Check that a response is a problem document with this status, and return the document."""
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    document: dict[str, Any] = response.get_json()
    assert list(document)[:6] == ["type", "title", "status", "detail", "instance", "error"]
    assert document["status"] == status
    assert document["error"] == document["detail"]
    assert all(isinstance(document[key], str) and document[key] for key in ("type", "title", "detail", "instance"))
    return document


def field_errors(response: TestResponse) -> dict[str, str]:
    """Check that a response is 400 with errors, and return the code of each by its pointer or parameter."""
    errors = problem(response, 400)["errors"]
    for error in errors:
        assert list(error) in (["pointer", "detail", "code"], ["parameter", "detail", "code"])
        assert error["detail"]
    return {error.get("pointer") or error["parameter"]: error["code"] for error in errors}
