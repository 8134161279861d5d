"""Searches answered by the index are those answered without it: against a plain reading of the syntax, in Python"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.tickets import URL, pages
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.store import search_index

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.tickets import Connection

SORTS = ["-created_at", "created_at", "-updated_at", "-priority"]
PIECES = ["ab", "ba", "abc", "cab", "zq", "q", "invoice", "Invoice", "ÄB", "bä", "é", "字符", "符", "a-b", "c++", "50%"]
SEARCHES = [
    *(
        "abc",
        "invoice",
        "ab ba",
        "abc cab invoice zq",
        "zq",
        "q",
        "qa",
        "ä",
        "bä",
        "äb",
        "字",
        "字符",
        "符字",
        "a-b",
        "c++",
    ),
    *(
        "50%",
        "-ab",
        "-invoice -zq",
        "invoice -abc",
        '"ab ba"',
        '"invoice ab"',
        '"abc invoice"',
        '-"ab ba" cab',
        "nowhere",
    ),
    *("zx", "t", "at", "ta", "\u212ab", "%", "_", "k", "n", '"zq "', "tt"),
]
FILTERS = [
    {},
    {"status": ["open"]},
    {"category": ["billing"], "priority": ["critical"], "status": ["closed"]},
    {"priority": ["high", "low"]},
]


def fill(database: Connection, seed: int, count: int = 400) -> None:
    """Tickets of random words, over eight weeks."""
    choose = random.Random(seed)
    old = choose.sample(PIECES, 3)
    for number in range(count):
        known = PIECES if number < count // 4 else [piece for piece in PIECES if piece not in old]
        title, description = (" ".join(choose.choices(known, k=choose.randint(1, 4))) for _ in range(2))
        labels = [choose.choice(values) for values in (CATEGORIES, PRIORITIES, STATUSES)]
        database.execute(
            "INSERT INTO tickets (title, description, category, priority, status, created_at, updated_at) VALUES"
            " (%s, %s, %s, %s, %s, '2026-01-01Z'::timestamptz + %s * interval '160 minutes',"
            " '2026-03-01Z'::timestamptz + %s * interval '1 hour')",
            [title, description, *labels, number, choose.randrange(200)],
        )


def matches(ticket: dict[str, Any], search: str) -> bool:
    """What the syntax means; the searches here have quotes only around phrases."""
    texts = [ticket["title"].lower(), ticket["description"].lower()]
    for part in _parts(search):
        word = part.removeprefix("-").strip('"').lower()
        if any(word in text for text in texts) is part.startswith("-"):
            return False
    return True


def _parts(search: str) -> list[str]:
    spaced = "".join(part.replace(" ", "\0") if n % 2 else part for n, part in enumerate(search.split('"')))
    return [part.replace("\0", " ") for part in spaced.split(" ")]


@pytest.fixture(params=["index", "few", "near"])
def branch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which part of the statement has to find most of a page."""
    if request.param != "near":
        monkeypatch.setattr(search_index, "NEAR", dict.fromkeys(search_index.NEAR, 2))
        monkeypatch.setattr(search_index, "BATCHES", 1)
    if request.param == "index":
        monkeypatch.setattr(search_index, "FEW", 1)
    return str(request.param)


@pytest.mark.parametrize("sort", SORTS)
def test_it_finds_what_the_syntax_says(client: FlaskClient, database: Connection, branch: str, sort: str) -> None:
    fill(database, seed=SORTS.index(sort))
    if sort != "created_at":  # without statistics the planner may read the whole index; the answer is the same
        database.execute("ANALYZE ticket_texts")
    choose = random.Random(branch + sort)
    for search in SEARCHES:
        labels = "".join(f"&{name}={','.join(values)}" for name, values in choose.choice(FILTERS).items())
        everything = client.get(f"{URL}?limit=500&sort={sort}{labels}").get_json()
        expected = [ticket["id"] for ticket in everything if matches(ticket, search)]
        address = f"?limit={choose.choice([40, 150, 500])}&count=true&sort={sort}{labels}&search={quote(search)}"
        assert client.get(URL + address).headers["X-Total-Count"] == str(len(expected)), search
        walked = [ticket["id"] for page in pages(client, address) for ticket in page]
        assert walked == expected, address


@pytest.mark.parametrize("sort", SORTS)
def test_times_bound_it_in_every_branch(client: FlaskClient, database: Connection, branch: str, sort: str) -> None:
    fill(database, seed=9)
    window = "&created_since=2026-01-09&created_before=2026-02-10&updated_since=2026-03-02&updated_before=2026-03-08"
    everything = client.get(f"{URL}?limit=500&sort={sort}{window}").get_json()
    expected = [ticket["id"] for ticket in everything if matches(ticket, "invoice -zq")]
    address = f"?limit=9&sort={sort}{window}&search=invoice+-zq"
    assert [ticket["id"] for page in pages(client, address) for ticket in page] == expected
    assert len(expected) > 30


@pytest.mark.parametrize("moment", ["1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("sort", SORTS)
def test_far_times_are_no_obstacle(
    client: FlaskClient, database: Connection, branch: str, sort: str, moment: str
) -> None:
    fill(database, seed=3, count=40)
    for title in ("far away", "far off", "far out"):
        database.execute("INSERT INTO tickets (title, description, created_at) VALUES (%s, 'x', %s)", [title, moment])
    database.execute(
        "INSERT INTO tickets (id, title, description, updated_at) VALUES"
        " ('ffffffff-fff0-4000-8000-000000000000', 'far beyond', 'x', now() + interval '1 day')"
    )
    found = [t["title"] for page in pages(client, f"?sort={sort}&search=far&limit=1") for t in page]
    assert sorted(found) == ["far away", "far beyond", "far off", "far out"]
