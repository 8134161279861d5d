"""GET /api/tickets/: filters and orders (pages: test_pagination.py; search: test_search.py)."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.support.tickets import URL, field_errors, file_ticket, insert, insert_many, problem, titles
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.store import pages

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.support.http import Service
    from tests.support.tickets import Connection

ALLOWED = {"category": CATEGORIES, "priority": PRIORITIES, "status": STATUSES}
TIMES = ["created_since", "created_before", "updated_since", "updated_before"]
NOON = "2026-05-05T12:00:00Z"


def test_list_returns_tickets_newest_first(client: FlaskClient) -> None:
    tickets = [file_ticket(client, title=f"Ticket {number}") for number in range(3)]
    response = client.get(URL)
    assert response.status_code == 200
    assert response.content_type == "application/json"
    assert response.get_json() == tickets[::-1]
    assert "Link" not in response.headers
    assert "X-Total-Count" not in response.headers


def test_list_without_tickets_is_an_empty_array(client: FlaskClient) -> None:
    response = client.get(URL)
    assert (response.status_code, response.data) == (200, b"[]\n")


def test_list_works_under_gunicorn(service: Service) -> None:
    service.call("POST", URL, {"title": "é", "description": "🎫", "priority": "low"})
    assert [ticket["title"] for ticket in service.call("GET", f"{URL}?priority=low&search=%F0%9F%8E%AB").json] == ["é"]


# --- facets


@pytest.mark.parametrize("name", ALLOWED)
def test_each_facet_filters(client: FlaskClient, database: Connection, name: str) -> None:
    insert_many(database, 64)
    for value in ALLOWED[name]:
        found = client.get(f"{URL}?{name}={value}").get_json()
        assert [ticket[name] for ticket in found] == [value] * 16


def test_filters_combine_with_and(client: FlaskClient, database: Connection) -> None:
    insert_many(database, 64)
    for combination in itertools.product(CATEGORIES, PRIORITIES, STATUSES):
        category, priority, status = combination
        [ticket] = client.get(f"{URL}?status={status}&category={category}&priority={priority}").get_json()
        assert (ticket["category"], ticket["priority"], ticket["status"]) == combination


@pytest.mark.parametrize(
    "query",
    [
        "?status=open,in_progress",
        "?status=open&status=in_progress",
        "?status=in_progress,open,open",
        "?status=OPEN,In_Progress",
        "?status=open,&status=&status=,in_progress",
        "?status=open%2Cin_progress",
        "?status=open,%20in_progress",
    ],
)
def test_filter_accepts_several_values(client: FlaskClient, database: Connection, query: str) -> None:
    insert_many(database, 64)
    statuses = {ticket["status"] for ticket in client.get(URL + query).get_json()}
    assert statuses == {"open", "in_progress"}


@pytest.mark.parametrize("sort", ["", "&sort=created_at", "&sort=-updated_at", "&sort=-priority"])
@pytest.mark.parametrize("search", ["", "&search=Ticket"])
def test_several_values_of_several_filters_combine(
    client: FlaskClient, database: Connection, sort: str, search: str
) -> None:
    insert_many(database, 128)
    query = "?category=billing,general&priority=low,high,critical&status=open&limit=500"
    expected = [
        ticket
        for ticket in client.get(f"{URL}?limit=500{sort}").get_json()
        if ticket["category"] in ("billing", "general")
        and ticket["priority"] != "medium"
        and ticket["status"] == "open"
    ]
    assert client.get(URL + query + sort + search).get_json() == expected
    assert len(expected) == 12


@pytest.mark.parametrize("name", [*ALLOWED, *TIMES, "search", "sort", "limit", "cursor", "count"])
def test_empty_value_is_no_filter(client: FlaskClient, database: Connection, name: str) -> None:
    insert_many(database, 3)
    assert len(titles(client, f"?{name}=")) == 3
    assert len(titles(client, f"?{name}")) == 3
    assert len(titles(client, f"?{name}=&{name}=")) == 3


@pytest.mark.parametrize("name", ALLOWED)
@pytest.mark.parametrize(
    "value",
    ["nonsense", "ope", "opened", "open;closed", "open|low", "*", "%25", "null", "0", "%00", "op%C3%A8n", "'", "[]"],
)
def test_unknown_facet_value_is_rejected(client: FlaskClient, name: str, value: str) -> None:
    response = client.get(f"{URL}?{name}={value}")
    assert field_errors(response) == {name: "not_allowed"}
    assert all(word in response.get_json()["error"] for word in (name, *ALLOWED[name]))


def test_one_unknown_value_among_others_is_rejected(client: FlaskClient) -> None:
    assert field_errors(client.get(f"{URL}?status=open,clsoed")) == {"status": "not_allowed"}
    assert field_errors(client.get(f"{URL}?status=open&status=clsoed")) == {"status": "not_allowed"}


# --- times


@pytest.fixture
def around_noon(client: FlaskClient, database: Connection) -> FlaskClient:
    """Tickets a microsecond before noon, at noon and after it; changed on the day after at the same time."""
    for title, time in [("before", "11:59:59.999999"), ("noon", "12:00"), ("after", "12:00:00.000001")]:
        insert(database, title, f"2026-05-05T{time}Z", f"2026-05-06T{time}Z")
    return client


@pytest.mark.parametrize(
    "noon",
    [
        "2026-05-05T12:00:00Z",
        "2026-05-05t12:00:00z",
        "2026-05-05%2012:00:00Z",
        "2026-05-05T12:00:00.0Z",
        "2026-05-05T12:00:00.000000000000Z",
        "2026-05-05T12:00:00.000000" + "0" * 500 + "Z",
        "2026-05-05T12:00:00-00:00",
        "2026-05-05T14:00:00%2B02:00",
        "2026-05-05T14:00:00+02:00",
        "2026-05-05T06:30:00-05:30",
        "2026-05-06T11:59:00%2B23:59",
        "2026-05-04T12:01:00-23:59",
        "2026-05-06T04:00:00%2B16:00",
    ],
)
def test_since_is_inclusive_and_before_exclusive(around_noon: FlaskClient, noon: str) -> None:
    assert titles(around_noon, f"?created_since={noon}") == ["after", "noon"]
    assert titles(around_noon, f"?created_before={noon}") == ["before"]


@pytest.mark.parametrize("what", ["created", "updated"])
@pytest.mark.parametrize("path", ["", "export/", "stats/", "stats/resolution/"])
@pytest.mark.parametrize(
    ("since", "before"),
    [
        ("2026-09-08", "2026-09-07"),
        ("2026-09-08", "2026-09-08"),
        ("2026-09-08T00:00:00.1Z", "2026-09-08T00:00:00Z"),
        ("2026-09-08T01:00:00Z", "2026-09-08T02:00:00%2B01:00"),
    ],
)
def test_a_window_that_ends_before_it_begins_is_400(
    client: FlaskClient, path: str, what: str, since: str, before: str
) -> None:
    response = client.get(f"{URL}{path}?{what}_since={since}&{what}_before={before}")
    (error,) = problem(response, 400)["errors"]
    assert error["parameter"] == f"{what}_since"
    assert error["detail"] == f"{what}_since must be before {what}_before."


@pytest.mark.parametrize(
    "path",
    ["daily?since=2026-09-08&before=2026-09-07", "triage?created_since=2026-09-08&created_before=2026-09-07"],
)
def test_a_window_of_days_that_ends_before_it_begins_is_400(client: FlaskClient, path: str) -> None:
    (error,) = problem(client.get(f"{URL}stats/{path}"), 400)["errors"]
    assert "since" in error["detail"]
    assert "before" in error["detail"]


@pytest.mark.parametrize(("value", "total"), [("1", "0"), ("true", "0"), ("0", None), ("FALSE", None), ("", None)])
def test_count_is_a_boolean(client: FlaskClient, value: str, total: str | None) -> None:
    response = client.get(f"{URL}?count={value}")
    assert (response.status_code, response.headers.get("X-Total-Count")) == (200, total)


def test_count_that_would_read_too_many_texts_is_refused(
    client: FlaskClient, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tickets with the facets are read if they are few; otherwise what the search has to read decides."""
    insert_many(database, 320)
    monkeypatch.setattr(pages, "MAX_TEXTS", 100)
    for query, total in {
        "search=number": None,
        "search=Ticket+number": None,
        "search=-number": None,
        "search=%22number+31%22": "11",
        "search=nowhere": "0",
        "search=number&category=billing": "80",
        "search=-32&priority=low&category=billing": str(20 - 2),
        "search=number&created_since=2026-01-01T05:00:00Z&created_before=2026-01-01T05:10:00Z": "10",
    }.items():
        response = client.get(f"{URL}?count=true&{query}")
        assert response.headers.get("X-Total-Count") == total, query
        if total is None:
            assert field_errors(response) == {"count": "not_allowed"}
        assert client.get(f"{URL}?{query}").status_code == 200


@pytest.mark.parametrize("sort", ["-created_at", "created_at", "-updated_at", "-priority"])
@pytest.mark.parametrize("search", ["", "&search=e"])
@pytest.mark.parametrize("facet", ["", "&status=open"])
def test_times_work_in_every_order(around_noon: FlaskClient, sort: str, search: str, facet: str) -> None:
    def found(filters: str) -> set[str]:
        return set(titles(around_noon, f"?sort={sort}{search}{facet}&{filters}"))

    noons = {"before", "after"} if search else {"before", "noon", "after"}
    after, before = noons - {"before"}, {"before"}
    assert found(f"created_since={NOON}") == after
    assert found(f"created_before={NOON}") == before
    assert found("updated_since=2026-05-06T12:00:00Z") == after
    assert found("updated_before=2026-05-06T12:00:00Z") == before
    assert found(f"created_since={NOON}&updated_before=2026-05-06T12:00:00.000001Z") == after - {"after"}
    assert found("created_since=2026-05-05&created_before=2026-05-06&updated_since=2026-05-06") == noons


def test_date_means_its_first_moment_in_utc(client: FlaskClient, database: Connection) -> None:
    insert(database, "the day before", "2026-05-04T23:59:59.999999Z")
    insert(database, "that day", "2026-05-05T00:00:00Z")
    assert titles(client, "?created_since=2026-05-05") == ["that day"]
    assert titles(client, "?created_before=2026-05-05") == ["the day before"]


def test_times_of_a_ticket_select_it(client: FlaskClient) -> None:
    ticket = file_ticket(client)
    query = f"?created_since={ticket['created_at']}&updated_since={ticket['updated_at']}"
    assert titles(client, query) == [ticket["title"]]


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize(
    "time",
    [
        "0001-01-01",
        "0001-01-01T23:59:00%2B23:59",
        "1582-10-10",
        "1900-02-28",
        "1969-12-31T23:59:59.999999Z",
        "2600-01-01",
        "9999-12-31",
        "9999-12-31T00:00:59.999999-23:59",
    ],
)
def test_far_times_work(around_noon: FlaskClient, name: str, time: str) -> None:
    everything = name.endswith("since") == (time < "2026")
    assert len(titles(around_noon, f"?{name}={time}")) == (3 if everything else 0)


NOT_A_TIME = [
    "yesterday",
    "now",
    "infinity",
    "epoch",
    "0",
    "1767225600",
    "2026",
    "2026-05",
    "2026-5-5",
    "26-05-05",
    "20260505",
    "05/05/2026",
    "2026-13-01",
    "2026-02-29",
    "2026-00-00",
    "0000-01-01",
    "10000-01-01",
    "0001-01-01T00:00:00%2B00:01",
    "9999-12-31T23:59:00-00:01",
    "-2026-05-05",
    "2026-W19-2",
    "2026-05-05T12:00:00",
    "2026-05-05T12:00Z",
    "2026-05-05T12Z",
    "2026-05-05T24:00:00Z",
    "2026-05-05T12:60:00Z",
    "2026-05-05T12:00:61Z",
    "2026-05-05T12:00:00.Z",
    "2026-05-05T12:00:00,5Z",
    "2026-05-05T12:00:00UTC",
    "2026-05-05T12:00:00%2B2",
    "2026-05-05T12:00:00%2B0200",
    "2026-05-05T12:00:00%2B24:00",
    "2026-05-05T12:00:00%2B02:60",
    "2026-05-05T12:00:00%2B99:99",
    "2026-05-05T12:00:00Z%0a",
    "2026-05-05%00",
    "%202026-05-05",
    "%EF%BC%92026-05-05",
    "2026-05-05,2026-05-06",
    "9" * 5000,
]


@pytest.mark.parametrize("name", TIMES)
def test_invalid_time_is_rejected(client: FlaskClient, name: str) -> None:
    for text in NOT_A_TIME:
        assert field_errors(client.get(f"{URL}?{name}={text}")) == {name: "not_allowed"}, text


# --- orders


def test_each_sort_order_sorts(client: FlaskClient, database: Connection) -> None:
    insert(database, "oldest", "2026-01-01", "2026-02-01")
    insert(database, "middle", "2026-01-02", "2026-02-03")
    insert(database, "newest", "2026-01-03", "2026-02-02")
    database.execute("UPDATE tickets SET priority = 'high', version = version + 1 WHERE title = 'oldest'")
    database.execute("UPDATE tickets SET priority = 'low', version = version + 1 WHERE title = 'newest'")
    assert titles(client) == titles(client, "?sort=-created_at") == ["newest", "middle", "oldest"]
    assert titles(client, "?sort=created_at") == ["oldest", "middle", "newest"]
    assert titles(client, "?sort=-updated_at") == ["middle", "newest", "oldest"]
    assert titles(client, "?sort=-priority") == ["oldest", "middle", "newest"]


def test_priority_order_is_most_urgent_then_newest(client: FlaskClient, database: Connection) -> None:
    insert_many(database, 64)
    tickets = client.get(f"{URL}?sort=-priority").get_json()
    keys = [(PRIORITIES.index(ticket["priority"]), ticket["created_at"]) for ticket in tickets]
    assert keys == sorted(keys, reverse=True)


def test_changed_ticket_comes_first_by_updated_at(client: FlaskClient) -> None:
    first = file_ticket(client, title="first")
    file_ticket(client, title="second")
    client.patch(URL + first["id"], json={"status": "closed"})
    assert titles(client, "?sort=-updated_at") == ["first", "second"]


@pytest.mark.parametrize(
    "sort", ["updated_at", "priority", "-id", "+created_at", "-CREATED_AT", "--priority", "a,b", "%00"]
)
def test_unknown_sort_order_is_rejected(client: FlaskClient, sort: str) -> None:
    response = client.get(f"{URL}?sort={sort}")
    assert field_errors(response) == {"sort": "not_allowed"}
    assert all(
        known in response.get_json()["error"] for known in ("-created_at", "created_at", "-updated_at", "-priority")
    )


# --- what else can be in a query string


@pytest.mark.parametrize(
    "name", ["categry", "Status", "page", "offset", "created_at", "status[]", "search ", "%00", "🎫", ""]
)
@pytest.mark.parametrize("value", ["x", ""])
def test_unknown_parameter_is_rejected(client: FlaskClient, name: str, value: str) -> None:
    response = client.get(f"{URL}?{quote(name, safe='%')}={value}")
    assert list(field_errors(response).values()) == ["unknown"]


@pytest.mark.parametrize("name", [*TIMES, "search", "sort", "limit", "cursor", "count"])
def test_repeated_parameter_is_rejected(client: FlaskClient, name: str) -> None:
    assert field_errors(client.get(f"{URL}?{name}=1&{name}=1")) == {name: "repeated"}


def test_all_errors_are_reported_at_once(client: FlaskClient) -> None:
    query = "?category=a&priority=b&status=c&created_since=d&updated_before=e&sort=f&limit=g&cursor=h&count=i&wrong=j"
    assert set(field_errors(client.get(URL + query))) == {
        *("category", "priority", "status", "created_since", "updated_before"),
        *("sort", "limit", "cursor", "count", "wrong"),
    }


@pytest.mark.parametrize("query", ["?search=%ff", "?%ff=1", "?search=%ED%A0%80", "?search=%C0%80", "?status=%E2%82"])
def test_query_string_that_is_not_utf8_is_rejected(client: FlaskClient, query: str) -> None:
    problem(client.get(URL + query), 400)


def test_too_many_parameters_are_rejected(client: FlaskClient) -> None:
    assert client.get(URL + "?" + "&".join(["status=open"] * 100)).status_code == 200
    problem(client.get(URL + "?" + "&".join(["status=open"] * 101)), 400)
    problem(client.get(URL + "?" + "&" * 10_000 + "=" * 10_000), 400)


@pytest.mark.parametrize("query", ["?", "?&", "?&&&", "?limit=5&"])
def test_empty_parts_of_a_query_string_are_ignored(client: FlaskClient, query: str) -> None:
    assert client.get(URL + query).status_code == 200


def test_long_list_of_values_works(client: FlaskClient, database: Connection) -> None:
    insert_many(database, 64)
    assert len(titles(client, "?status=" + ",".join(["open"] * 2000))) == 16
