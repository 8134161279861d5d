"""Filters by people, tags and metadata: every endpoint that takes filters agrees with the same condition in Python."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from tests.support.tickets import URL, field_errors, file_ticket, pages, titles
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flask.testing import FlaskClient

    from tests.support.tickets import Connection

REQUESTERS = ["Ann@Example.com", "bob", "O'Brien, Pat", "Straße", "CUST-0042", "{a}"]
ASSIGNEES = ["Kim", "lee", "Zoë"]
TAGS = ["vip", "refund", "bug", "über", "a,b", "x y"]
METADATA = {"plan": ["pro", "free", "Pro"], "order.id": ["1", "2"], "k-e_y": ['a "b" \\', "=", "é"]}
SORTS = {
    "-created_at": lambda ticket: (ticket["created_at"], ticket["id"]),
    "created_at": lambda ticket: (ticket["created_at"], ticket["id"]),
    "-updated_at": lambda ticket: (ticket["updated_at"], ticket["id"]),
    "-priority": lambda ticket: (PRIORITIES.index(ticket["priority"]), ticket["id"]),
}
PARTS = ["invoice", "login", "refund"]

Filter = list[tuple[str, str]]


def some(chance: random.Random, values: Iterable[str], most: int) -> list[str]:
    """Return a few of the values."""
    values = list(values)
    return chance.sample(values, chance.randint(0, min(most, len(values))))


def random_ticket(chance: random.Random, number: int) -> dict[str, Any]:
    """Return a ticket to insert; a third of them has no person, tag or metadata."""
    created = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number)
    is_plain = chance.random() < 1 / 3
    return {
        "title": f"Ticket {number} {' '.join(some(chance, PARTS, 3))}",
        "category": chance.choice(CATEGORIES),
        "priority": chance.choice(PRIORITIES),
        "status": chance.choice(STATUSES),
        "created_at": created,
        "updated_at": created + timedelta(hours=chance.randint(0, 100)),
        "requester": None if is_plain else chance.choice([None, *REQUESTERS]),
        "assignee": None if is_plain else chance.choice([None, *ASSIGNEES]),
        "tags": None if is_plain else sorted(some(chance, TAGS, 4)) or None,
        "metadata": None
        if is_plain
        else {key: chance.choice(METADATA[key]) for key in some(chance, METADATA, 3)} or None,
    }


def insert_random(database: Connection, count: int, chance: random.Random) -> None:
    """Insert random tickets."""
    rows = [random_ticket(chance, number) for number in range(count)]
    for row in rows:
        row["resolved_at"] = row["updated_at"] if row["status"] in ("resolved", "closed") else None
        row["metadata"] = row["metadata"] and json.dumps(row["metadata"])
    names = list(rows[0])
    values = ", ".join(["%s"] * len(names))
    statement = f"INSERT INTO tickets (description, {', '.join(names)}) VALUES ('-', {values})"
    with database.cursor() as cursor:
        cursor.executemany(statement.encode(), [[row[name] for name in names] for row in rows])


def random_case(chance: random.Random, text: str) -> str:
    """Return a text in some letter case. The upper case of ß is two letters, and its folded form, too."""
    return chance.choice([text, text.upper(), text.lower()])


def random_filter(chance: random.Random) -> Filter:
    """Return the parameters of some filters."""
    people = [("requester", random_case(chance, name)) for name in some(chance, REQUESTERS, 3)]
    people += [("assignee", random_case(chance, name)) for name in some(chance, ASSIGNEES, 2)]
    kinds: list[Filter] = [
        [pair for pair in people if pair[0] == "requester"],
        [pair for pair in people if pair[0] == "assignee"],
        [("assigned", chance.choice(["true", "false", "1", "0", "TRUE"]))],
        [("tags", ",".join(tag.replace(",", "\\,") for tag in some(chance, TAGS, 3)))],
        [("tags_all", tag.replace(",", "\\,").upper()) for tag in some(chance, TAGS, 2)],
        [(f"metadata[{key}]", chance.choice(values)) for key, values in METADATA.items() if chance.random() < 0.4],
        [("metadata[plan]", value) for value in some(chance, METADATA["plan"], 2)],
    ]
    older: list[Filter] = [
        [("status", ",".join(some(chance, STATUSES, 3)))],
        [("priority", ",".join(some(chance, PRIORITIES, 3)))],
        [("category", ",".join(some(chance, CATEGORIES, 3)))],
        [("created_since", f"2026-01-0{chance.randint(1, 9)}")],
        [("updated_before", f"2026-01-{chance.randint(10, 20)}")],
        [("search", chance.choice([*PARTS, "-invoice", "ticket"]))],
    ]
    chosen = chance.sample(kinds, chance.randint(1, 3)) + chance.sample(older, chance.randint(0, 2))
    return [pair for kind in chosen for pair in kind if pair[1]]


def values_of(filters: Filter, name: str) -> list[str]:
    """Return the values of a parameter, split at the commas that separate tags."""
    values = [value for given, value in filters if given == name]
    if name.startswith("tags"):
        entries = [entry for value in values for entry in value.replace("\\,", "\0").split(",")]
        return [entry.replace("\0", ",").lower() for entry in entries if entry]
    return values


def matches(ticket: dict[str, Any], filters: Filter) -> bool:
    """Return whether a ticket meets all filters."""
    for name in {name for name, _ in filters}:
        values = values_of(filters, name)
        if name in ("requester", "assignee"):
            is_met = (ticket[name] or "").casefold() in {value.casefold() for value in values}
        elif name == "assigned":
            is_met = (ticket["assignee"] is not None) == (values[0].lower() in ("true", "1"))
        elif name == "tags":
            is_met = bool(set(values) & set(ticket["tags"]))
        elif name == "tags_all":
            is_met = set(values) <= set(ticket["tags"])
        elif name.startswith("metadata"):
            is_met = ticket["metadata"].get(name[len("metadata[") : -1]) in values
        elif name == "search":
            [word] = values
            is_met = (word.lstrip("-") in ticket["title"].lower()) != word.startswith("-")
        elif name == "created_since":
            is_met = ticket["created_at"] >= values[0]
        elif name == "updated_before":
            is_met = ticket["updated_at"] < values[0]
        else:
            is_met = ticket[name] in values[0].split(",")
        if not is_met:
            return False
    return True


def headline(tickets: list[dict[str, Any]]) -> dict[str, Any]:
    """Return those of the statistics that are counts."""
    return {
        "total_tickets": len(tickets),
        "open_tickets": sum(ticket["status"] == "open" for ticket in tickets),
        "priority_breakdown": {p: sum(ticket["priority"] == p for ticket in tickets) for p in PRIORITIES},
        "category_breakdown": {c: sum(ticket["category"] == c for ticket in tickets) for c in CATEGORIES},
    }


@pytest.mark.parametrize("seed", range(2))
def test_every_endpoint_agrees_with_the_same_condition_in_python(
    client: FlaskClient, database: Connection, seed: int
) -> None:
    """Random tickets, random filters: lists in each order and page by page, counts, statistics and exports."""
    chance = random.Random(seed)
    insert_random(database, 200, chance)
    tickets = client.get(f"{URL}?limit=500").get_json()
    assert len(tickets) == 200
    found_some = 0
    for _ in range(25):
        filters = random_filter(chance)
        expected = [ticket for ticket in tickets if matches(ticket, filters)]
        found_some += 0 < len(expected) < 200
        query = urlencode(filters)
        for sort, key in SORTS.items():
            ordered = sorted(expected, key=key, reverse=sort.startswith("-"))
            response = client.get(f"{URL}?{query}&sort={sort}&limit=500&count=true")
            assert response.get_json() == ordered, (filters, sort)
            assert response.headers["X-Total-Count"] == str(len(ordered)), filters
            limit = chance.randint(7, 60)
            walked = [ticket for page in pages(client, f"?{query}&sort={sort}&limit={limit}") for ticket in page]
            assert walked == ordered, (filters, sort, limit)
        statistics = client.get(f"{URL}stats/?{query}").get_json()
        del statistics["avg_tickets_per_day"]
        assert statistics == headline(expected), filters
        resolved = sum(ticket["status"] in ("resolved", "closed") for ticket in expected)
        assert client.get(f"{URL}stats/resolution/?{query}").get_json()["count"] == resolved, filters
        exported = [json.loads(line)["id"] for line in client.get(f"{URL}export/?{query}").text.splitlines()]
        assert exported == [ticket["id"] for ticket in reversed(expected)], filters
    assert found_some > 10


# --- values


def test_people_are_found_in_any_letter_case_and_values_are_alternatives(client: FlaskClient) -> None:
    for name in ("Ann@Example.com", "bob", "Jörg"):
        file_ticket(client, title=name, requester=name, assignee=f"for {name}")
    assert titles(client, "?requester=ANN@example.COM") == ["Ann@Example.com"]
    assert titles(client, "?requester=BOB&requester=j%C3%96rg&requester=") == ["Jörg", "bob"]
    assert titles(client, "?requester=ann") == []
    assert titles(client, "?assignee=FOR%20BOB&assignee=for+ann@example.com&sort=created_at") == [
        "Ann@Example.com",
        "bob",
    ]


def test_a_comma_is_part_of_a_person(client: FlaskClient) -> None:
    file_ticket(client, requester="Doe, Jo")
    assert len(titles(client, "?requester=doe,%20jo")) == 1
    assert titles(client, "?requester=doe") == []


def test_tags_may_be_repeated_or_separated_by_commas(client: FlaskClient) -> None:
    for tags in (["a"], ["b"], ["a", "b"], ["a,b"], []):
        file_ticket(client, title=f"={','.join(tags)}", tags=tags)
    assert titles(client, "?tags=A,%20b&sort=created_at") == ["=a", "=b", "=a,b"]
    assert titles(client, "?tags=a&tags=b&sort=created_at") == ["=a", "=b", "=a,b"]
    assert titles(client, "?tags_all=a,b") == titles(client, "?tags_all=a&tags_all=b") == ["=a,b"]
    [only] = client.get(f"{URL}?tags=a%5C,b").get_json()
    assert only["tags"] == ["a,b"]


def test_metadata_is_exact_and_all_keys_must_match(client: FlaskClient) -> None:
    file_ticket(client, title="1", metadata={"plan": "pro", "region": "eu"})
    file_ticket(client, title="2", metadata={"plan": "Pro", "region": "eu"})
    file_ticket(client, title="3", metadata={"plan": "free", "region": "us"})
    assert titles(client, "?metadata[plan]=pro") == titles(client, "?metadata%5Bplan%5D=pro") == ["1"]
    assert titles(client, "?metadata[plan]=pro&metadata[plan]=free") == ["3", "1"]
    assert titles(client, "?metadata[plan]=Pro&metadata[region]=eu") == ["2"]
    assert titles(client, "?metadata[plan]=Pro&metadata[region]=us") == []
    assert titles(client, "?metadata[Plan]=Pro") == []


def test_assignee_of_unassigned_tickets_is_no_error(client: FlaskClient) -> None:
    file_ticket(client, assignee="kim")
    file_ticket(client)
    assert len(titles(client, "?assigned=false")) == len(titles(client, "?assigned=1")) == 1
    assert titles(client, "?assigned=false&assignee=kim") == []
    assert len(titles(client, "?assigned=true&assignee=kim")) == 1


@pytest.mark.parametrize(
    "name", ["requester", "assignee", "assigned", "tags", "tags_all", "metadata[plan]", "metadata", "metadata[]"]
)
def test_empty_value_is_no_filter(client: FlaskClient, name: str) -> None:
    file_ticket(client)
    if name != "metadata[]":
        assert len(titles(client, f"?{name}=")) == 1
    assert len(titles(client, "?tags=,,&tags_all=,%20,")) == 1


@pytest.mark.parametrize("route", ["", "stats/", "stats/resolution/", "export/"])
@pytest.mark.parametrize(
    ("query", "errors"),
    [
        ("requester=" + "x" * 256, {"requester": "not_allowed"}),
        ("assignee=%00", {"assignee": "not_allowed"}),
        ("assignee=%20", {"assignee": "not_allowed"}),
        ("assigned=yes", {"assigned": "not_allowed"}),
        ("assigned=true&assigned=false", {"assigned": "repeated"}),
        ("tags=" + "x" * 51, {"tags": "not_allowed"}),
        ("tags_all=ok,%E2%80%8B", {"tags_all": "not_allowed"}),
        ("tags=" + ",".join(map(str, range(21))), {"tags": "too_long"}),
        ("&".join(f"requester={n}" for n in range(21)), {"requester": "too_long"}),
        ("&".join(f"metadata[k]={n}" for n in range(21)), {"metadata[k]": "too_long"}),
        ("&".join(f"metadata[k{n}]=1" for n in range(21)), {"metadata": "too_long"}),
        ("metadata[k]=" + "x" * 501, {"metadata[k]": "not_allowed"}),
        ("metadata[]=x", {"metadata[]": "not_allowed"}),
        ("metadata[a%20b]=x", {"metadata[a b]": "not_allowed"}),
        (f"metadata[{'k' * 41}]=x", {f"metadata[{'k' * 41}]": "not_allowed"}),
        ("metadata=x", {"metadata": "not_allowed"}),
        ("metadata[k=x", {"metadata[k": "unknown"}),
        ("tag=x", {"tag": "unknown"}),
        ("requester=%00&tags=%00&metadata[k]=%00", dict.fromkeys(["requester", "tags", "metadata[k]"], "not_allowed")),
    ],
)
def test_invalid_value_names_the_parameter(client: FlaskClient, route: str, query: str, errors: dict[str, str]) -> None:
    response = client.get(f"{URL}{route}?{query}")
    assert field_errors(response) == errors
    assert all(name in response.get_json()["error"] for name in errors)


def test_twenty_values_are_allowed(client: FlaskClient) -> None:
    file_ticket(client, requester="19", tags=["19"], metadata={"k": "19"})
    for name in ("requester", "tags", "metadata[k]"):
        assert len(titles(client, "?" + "&".join(f"{name}={n}" for n in range(20)))) == 1
