"""SQL injection strings in every parameter, header and member of the OpenAPI document."""

from __future__ import annotations

import copy
import json
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.support.injections import STRINGS
from tests.support.openapi_contract import COMMENT_ID, DOCUMENT, Operation
from tests.support.tickets import file_ticket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

    from tests.support.tickets import Connection

FIELDS = ("title", "description", "category", "priority", "status", "version")


PART = 16
"""Of how many strings another operation's place of the same name gets one: operations share the code that reads it."""


def targets() -> list[Any]:
    """Return the places where each operation accepts a value, with strings: path, query, headers, members of its body.

    The first place of each name gets all strings. The others get a quotation mark, which breaks any statement that it
    becomes part of, and one of PART strings, in turn.
    """
    seen: set[tuple[str, str]] = set()
    turns = count()
    parameters = []
    for operation in DOCUMENT:
        places = [(parameter["in"], parameter["name"]) for parameter in operation.parameters]
        bodies = [body for _, body in operation.bodies if isinstance(body, dict)]
        places += [("body", member) for member in sorted({name for body in bodies for name in body})]
        strings = {at: STRINGS if at not in seen else ["'", *STRINGS[next(turns) % PART :: PART]] for at in places}
        seen |= strings.keys()
        parameters.append(pytest.param(operation, strings, id=operation.name))
    return parameters


def request_with(operation: Operation, place: str, name: str, text: str, ticket_id: str) -> dict[str, Any]:
    """Return a request that is valid except for the text in this place."""
    path = operation.path.replace("{comment_id}", COMMENT_ID)
    sent: dict[str, Any] = {"path": path.replace("{ticket_id}", ticket_id), "method": operation.method}
    if operation.bodies:
        sent["content_type"], body = copy.deepcopy(operation.bodies[0])
        if place == "body":
            body[name] = text
        sent["data"] = body if isinstance(body, str) else json.dumps(body)
    if place == "path":
        sent["path"] = operation.path.replace("{" + name + "}", quote(text, safe="")).replace(
            "{comment_id}", COMMENT_ID
        )
    elif place == "query":
        sent["query_string"] = {name: text}
    elif place == "header":
        sent["headers"] = {name: text.encode().decode("latin-1")}
    return sent


@pytest.fixture
def bystander(client: FlaskClient, database: Connection) -> Iterator[None]:
    """Create a ticket that nothing touches, not even a claim. Check afterwards that it and all tables are as before."""
    ticket = file_ticket(client, title="Bystander", description="Stands by.", assignee="Ann")
    before = tables(database)
    yield
    after = client.get(f"/api/tickets/{ticket['id']}").get_json()
    assert {name: after[name] for name in FIELDS} == {name: ticket[name] for name in FIELDS}
    assert tables(database) == before


def tables(database: Connection) -> list[tuple[object, ...]]:
    return database.execute(
        "SELECT relname, relkind, relacl FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY relname"
    ).fetchall()


@pytest.mark.parametrize(("operation", "places"), targets())
def test_values_never_become_sql(
    client: FlaskClient, bystander: None, operation: Operation, places: dict[tuple[str, str], list[str]]
) -> None:
    ticket_id = file_ticket(client)["id"]
    for (place, name), strings in places.items():
        for text in strings:
            if operation.method == "delete":
                ticket_id = file_ticket(client)["id"]
            response = client.open(**request_with(operation, place, name, text, ticket_id))
            operation.check(response.status_code, dict(response.headers), response.data)
            assert response.status_code < 500, (place, name, text)


@pytest.mark.parametrize("text", STRINGS)
def test_texts_are_stored_and_found_unchanged(client: FlaskClient, bystander: None, text: str) -> None:
    ticket = file_ticket(client, title=text, description=f"before {text} after")
    assert (ticket["title"], ticket["description"]) == (text.strip(), f"before {text} after")
    phrase = text if '"' in text else f'"{text}"'
    found = client.get("/api/tickets/", query_string={"search": phrase}).get_json()
    assert ticket["id"] in [each["id"] for each in found]
    assert "Bystander" not in [each["title"] for each in found]
