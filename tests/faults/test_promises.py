"""The ten promises, each held against the records of one bad night (night.py)."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.faults import night as nights
from tests.faults.night import BROKEN, KEY, URL, WORD, Night
from tests.support.cast import bearer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.tickets import Connection

ROUNDS = 4 if os.environ.get("FAULTS") == "all" else 1
BACK_SECONDS = 15
"""The promise is 5 on a machine with nothing else to do."""


@pytest.fixture(scope="module")
def spent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Night, str]]:
    with nights.spent(tmp_path_factory.mktemp("night") / "log", ROUNDS) as night:
        yield night


@pytest.fixture(scope="module")
def night(spent: tuple[Night, str]) -> Night:
    night = spent[0]
    print(f"{len(night.calls)} calls: {sorted(Counter(call.status for call in night.calls).items())}")
    assert min(len(night.created), len(night.changes), len(night.deleted), len(night.statistics)) > 5
    assert len(night.walks) > 1
    return night


@pytest.fixture
def database(spent: tuple[Night, str]) -> Iterator[Connection]:
    with psycopg.connect(spent[1], autocommit=True) as connection:
        yield connection


def get(night: Night, path: str) -> Any:
    answer = night.service.call("GET", path, headers=bearer(KEY))
    assert answer.status == 200
    return answer.json


def test_1_a_ticket_that_was_answered_stays(night: Night, database: Connection) -> None:
    stored = {str(row[0]) for row in database.execute("SELECT id FROM tickets")}
    assert {ticket["id"] for tickets in night.created.values() for ticket in tickets} <= stored


def test_2_one_key_makes_one_ticket(night: Night, database: Connection) -> None:
    for tickets in night.created.values():
        assert tickets == [tickets[0]] * len(tickets)
    doubles = "SELECT description FROM tickets GROUP BY description HAVING count(*) > 1"  # the key is in it
    assert database.execute(doubles).fetchall() == []


def test_3_nothing_fails_but_with_503_and_only_while_something_is_down(night: Night) -> None:
    failed = [call for call in night.calls if call.status >= 500]
    assert {call.status for call in failed} <= {503, 504}
    for call in failed:
        assert (call.headers["Content-Type"], call.json["status"]) == ("application/problem+json", call.status)
        assert int(call.headers["Retry-After"]) > 0
    calm = [
        call for call in night.calls if any(since < call.started < call.ended < until for since, until in night.calm)
    ]
    assert len(calm) > 50
    assert {call.status for call in calm} <= {200, 201, 204, 404, 409, 412}
    lost = [call for call in night.calls if call.status == BROKEN and call.started < night.ended]
    assert [
        call for call in lost if not any(call.started - 0.5 < kill < call.ended + 0.5 for kill in night.kills)
    ] == []


def test_4_every_total_is_the_sum_of_its_breakdowns(night: Night, database: Connection) -> None:
    assert [part for answer in night.statistics for part in parts(answer) if len(totals(part)) != 1] == []
    asked = get(night, f"{URL}stats/")
    stored = database.execute("SELECT count(*), count(*) FILTER (WHERE status = 'open') FROM tickets").fetchone()
    assert (asked["total_tickets"], asked["open_tickets"]) == stored
    assert (
        stored
        == database.execute(
            "SELECT count(*), count(*) FILTER (WHERE t.status = 'open') FROM tickets AS t JOIN ticket_texts USING (id)"
        ).fetchone()
    )


def parts(figures: dict[str, Any]) -> list[dict[str, Any]]:
    """What has a total and breakdowns in an answer of one of the statistics."""
    return [day[event] for day in figures.get("days", []) for event in ("created", "resolved")] or [figures]


def totals(part: dict[str, Any]) -> set[int]:
    """The total, and the sum of each breakdown, of tickets or of times that have a count."""
    total = next(part[name] for name in ("total", "total_tickets", "count") if name in part)
    breakdowns = [part["priority_breakdown"].values(), part["category_breakdown"].values()]
    return {total} | {sum(n if isinstance(n, int) else n["count"] for n in numbers) for numbers in breakdowns}


def test_5_a_walk_meets_each_lasting_ticket_once(night: Night) -> None:
    """In the orders of creation; in the others each whose place in the order did not change meanwhile."""
    for began, ended, sort, ids in night.walks:
        met = Counter(ids)
        lasting = {ticket for ticket, since in night.lasting.items() if since < began}
        if sort in ("-updated_at", "-priority"):
            lasting -= {change.ticket for change in night.changes if change.started < ended and change.ended > began}
        assert [(ticket, sort, met[ticket]) for ticket in lasting if met[ticket] != 1] == []


def test_6_of_changes_to_one_version_one_is_made(night: Night) -> None:
    made = Counter((change.ticket, change.version) for change in night.changes if change.status == 200)
    assert set(made.values()) == {1}
    titles = {
        ticket: {entry["version"]: entry["changes"].get("title", {}).get("to") for entry in history(night, ticket)}
        for ticket in {change.ticket for change in night.changes}
    }
    for change in night.changes:
        if change.status == 200:
            assert titles[change.ticket][change.version + 1] == change.title
        elif change.status == 412:
            assert change.title not in titles[change.ticket].values()


def test_7_the_history_explains_the_tickets(night: Night) -> None:
    for ticket_id in night.lasting:
        ticket, entries = get(night, URL + ticket_id), history(night, ticket_id)
        replayed = {field: change["to"] for entry in entries for field, change in entry["changes"].items()}
        assert replayed.items() <= ticket.items()
        assert [entry["version"] for entry in entries] == list(range(1, ticket["version"] + 1))
        assert {entry["by"] for entry in entries} == {"night"}


def history(night: Night, ticket_id: str) -> Any:
    return get(night, f"{URL}{ticket_id}/history?limit=500")


def test_8_it_is_back_by_itself_soon_after_the_database(night: Night) -> None:
    print("back after", ", ".join(f"{seconds:.2f} s" for seconds in night.back_after))
    assert len(night.back_after) == ROUNDS
    assert max(night.back_after) < BACK_SECONDS


def test_9_no_request_is_lost_at_the_end(night: Night) -> None:
    last = [call for call in night.calls if call.ended > night.ended]
    print(Counter(call.status for call in last), Counter(c.status for c in last if c.started < night.ended))
    assert [call for call in last if call.status == BROKEN] == []
    assert night.service.log.with_suffix("").read_text().count("Autorestarting worker") > 0


def test_10_no_secret_and_no_text_is_in_the_log(night: Night) -> None:
    log = night.service.log.with_suffix("").read_text()
    assert [word for word in (WORD, KEY, "quagmire") if word in log] == []
    assert [line for line in log.splitlines() if not line.startswith("{")] == []
