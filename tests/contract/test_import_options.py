"""POST /api/tickets/import/ with files of other systems: their columns, values and times."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.test_import import IMPORT, NDJSON, line_errors, ndjson, send, stored
from tests.support.tickets import TICKET, URL, field_errors
from ticketsvc.files import times
from ticketsvc.files.rows import MAX_IGNORED

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.support.tickets import Connection

CSV = "text/csv"


def load(client: FlaskClient, body: bytes, content_type: str = CSV, **parameters: str | list[str]) -> list[str]:
    """Import a file with one ticket and return the ignored columns."""
    query = {name.replace("map_", "map."): value for name, value in parameters.items()}
    response = client.post(IMPORT, data=body, content_type=content_type, query_string=query)
    assert response.status_code == 200, response.text
    assert response.get_json()["imported"] == 1
    ignored: list[str] = response.get_json()["ignored"]
    return ignored


def only(client: FlaskClient) -> dict[str, Any]:
    [ticket] = stored(client)
    return ticket


# --- columns


@pytest.mark.parametrize(
    "header",
    ["Title,DESCRIPTION,Priority", " title , description,\tpriority ", "\ufefftitle,\ufeffDescription,PRIORITY\u00a0"],
)
def test_column_names_are_trimmed_and_case_insensitive(client: FlaskClient, header: str) -> None:
    assert load(client, f"{header}\na,b, Critical ".encode()) == []
    assert [only(client)[name] for name in ("title", "description", "priority")] == ["a", "b", "critical"]


def test_member_names_are_trimmed_and_case_insensitive(client: FlaskClient) -> None:
    assert load(client, b'{"Title ": "a", "DESCRIPTION": "b", "Priority": "Critical", "Team": 1}', NDJSON) == ["Team"]
    assert only(client)["priority"] == "critical"


@pytest.mark.parametrize(
    "body",
    [
        "title;description;priority\na, b;c;high",
        "title\tdescription\tpriority\r\na, b\tc\thigh\r\n",
        '"title";"description";"priority"\n"a, b";"c";"high"',
        '\n"Title";"a, b, c, d, e";"description";"priority"\n"a, b";;"c";"high"',
        '"Title";"a\n, b, c, d, ""e""";"description";"priority"\n"a, b";;"c";"high"',
        "title;description;priority;\n;;;\na, b;c;high;\n  \t \n;;;\n",
    ],
)
def test_semicolons_and_tabs_separate(client: FlaskClient, body: str) -> None:
    load(client, f"\ufeff{body}".encode())
    assert [only(client)[name] for name in ("title", "description", "priority")] == ["a, b", "c", "high"]


def test_unnamed_and_ignored_columns_may_be_repeated(client: FlaskClient) -> None:
    body = b"Labels,title,Labels,,description,,Sprint\nx,a,y,,b,,\n,,,,,,\n , ,\t,,,,"
    assert load(client, body) == ["Labels", "Sprint"]
    assert (only(client)["title"], only(client)["description"]) == ("a", "b")


def test_the_list_of_ignored_columns_is_bounded(client: FlaskClient) -> None:
    names = [f"{number}{'x' * 200}" for number in range(1200)]
    for body, content_type in (
        (ndjson({**TICKET, **dict.fromkeys(names, 1), "\ud800": 2}), NDJSON),
        (f"title,description,{','.join(names)}\na,b{',' * 1200}".encode(), CSV),
    ):
        assert load(client, body, content_type) == [name[:100] for name in names[:MAX_IGNORED]]
    assert load(client, ndjson({**TICKET, "\ud800": 2, " ": 3}), NDJSON) == ["?"]


@pytest.mark.parametrize("content_type", [CSV, NDJSON])
def test_columns_can_be_renamed(client: FlaskClient, content_type: str) -> None:
    cells = {"Issue summary": "a", "Body, text": "b", "Title": "c", "Time: created": "2024-01-01", "Prio": "low"}
    body = ndjson(cells)
    if content_type == CSV:
        body = "\n".join([";".join(cells), ";".join(cells.values())]).encode()
    columns = [r"Title: issue Summary,description:Body\, text", "created_at:time: created,priority:PRIO"]
    assert load(client, body, content_type, columns=columns) == ["Title"]
    ticket = only(client)
    assert [ticket[name] for name in ("title", "description", "priority")] == ["a", "b", "low"]
    assert ticket["created_at"][:10] == "2024-01-01"


def test_a_field_has_the_first_column_that_is_not_empty(client: FlaskClient) -> None:
    columns = "title:Subject,description:Body,description:Notes,description:Subject"
    body = b"Subject,Body,Notes\na,b,c\nd, ,e\nf,,\n"
    response = client.post(IMPORT, data=body, content_type=CSV, query_string={"columns": columns})
    assert response.get_json() == {"imported": 3, "ignored": []}
    assert sorted(ticket["description"] for ticket in stored(client)) == ["b", "e", "f"]
    assert load(client, b'{"Subject": "g", "Body": null, "Notes": " "}', NDJSON, columns=columns) == []


def test_a_column_that_is_named_very_often_is_an_error_at_once(client: FlaskClient) -> None:
    header = b"a," * 130_000 + b"description"
    started = time.monotonic()
    response = client.post(IMPORT, data=header + b"\n", content_type=CSV, query_string={"columns": "title:a"})
    assert line_errors(response) == [(1, "#", "unreadable")]
    assert time.monotonic() - started < 30  # one comparison of each two columns would take longer


def test_a_renamed_column_must_exist(client: FlaskClient) -> None:
    query = {"columns": "title:Subject,priority:Importance"}
    for body, content_type, line in (
        (b"Subject,description\na,b\nc,d", CSV, 1),
        (b'{"Subject": "a", "description": "b"}\n\n{"Subject": "a", "description": "b"}\n', NDJSON, 3),
    ):
        response = client.post(IMPORT, data=body, content_type=content_type, query_string=query)
        assert line_errors(response) == [(line, "#", "unreadable")]
        assert "Importance" in response.get_json()["errors"][0]["detail"]
    body = b'{"Subject": "a", "description": "b"}\n{"Subject": "a", "description": "b", "Importance": "low"}\n'
    assert client.post(IMPORT, data=body, content_type=NDJSON, query_string=query).status_code == 200
    assert client.post(IMPORT, data=b"", content_type=NDJSON, query_string=query).get_json()["imported"] == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("columns", value)
            for value in ("name:Subject", "title", "title:", ":Subject", "title:a,id:b", "a\\,title:b")
        ),
        *(("map.priority", value) for value in ("urgent:severe", "urgent", ":high", "urgent:", "a:high,b:open")),
        *(("map.status", "solved:high"), ("map.category", "Sales:sales"), ("map.title", "a:b"), ("map", "a:b")),
        *(
            ("tz", value)
            for value in (
                "Europe/Berlln",
                "Europe",
                "../UTC",
                "/etc/passwd",
                "x\0",
                "MESZ",
                "\ud800",
                "Factory",
                "localtime",
            )
        ),
        ("delimiter", ";"),
    ],
)
def test_invalid_parameters_are_400(client: FlaskClient, name: str, value: str) -> None:
    query = {name: value.encode("utf-8", "replace").decode()}
    response = client.post(IMPORT, data=ndjson(TICKET), content_type=NDJSON, query_string=query)
    assert list(field_errors(response)) == [name]
    assert stored(client) == []


# --- values


def test_values_can_be_mapped(client: FlaskClient) -> None:
    body = "title,description,Priority,Status,Category\na,b,URGENT,Waiting for Customer,Sales: EU\nc,d,Low,Open,Ärger\n"
    query = {
        "map.priority": "urgent:critical,low:Medium",
        "map.status": "waiting for CUSTOMER:in_progress",
        "map.category": ["sales: eu:billing", "*:general"],
    }
    response = client.post(IMPORT, data=body.encode(), content_type=CSV, query_string=query)
    assert response.get_json() == {"imported": 2, "ignored": []}
    labels = [[ticket[name] for name in ("priority", "status", "category")] for ticket in stored(client)]
    assert sorted(labels) == [["critical", "in_progress", "billing"], ["medium", "open", "general"]]


def test_only_mapped_values_are_accepted(client: FlaskClient) -> None:
    tickets = [{**TICKET, "priority": value} for value in (1, "2", "", None, "high", 3, True, ["low"], "urgent")]
    query = {"map.priority": "1:low,2:critical"}
    response = client.post(IMPORT, data=ndjson(*tickets), content_type=NDJSON, query_string=query)
    assert line_errors(response) == [(line, "#/priority", "not_allowed") for line in (6, 7, 8, 9)]
    assert client.post(IMPORT, data=ndjson(*tickets[:5]), content_type=NDJSON, query_string=query).status_code == 200
    priorities = [ticket["priority"] for ticket in stored(client)]
    assert sorted(priorities) == ["critical", "high", "low", "medium", "medium"]


# --- times


@pytest.mark.parametrize(
    "written",
    [
        "2024-03-01 10:00:00+00",
        "2024-03-01 10:00:00+0000",
        "2024-03-01 10:00:00 +0000",
        "2024-03-01T10:00:00.000000+0000",
        "2024-03-01 15:30:00+05:30",
        "2024-03-01T10:00:00Z",
        "2024-03-01 10:00:00 UTC",
        "2024-03-01T10:00Z",
        *(f"2024-03-01T10:00:00.{'0' * digits}Z" for digits in range(1, 10)),
        "2024-03-01 02:00:00-08",
    ],
)
def test_times_with_an_offset(client: FlaskClient, written: str) -> None:
    load(client, f"title,description,created_at\na,b,{written}".encode(), tz="Asia/Tokyo")
    assert only(client)["created_at"] == "2024-03-01T10:00:00.000Z"


@pytest.mark.parametrize(
    "written", ["2024-03-01 10:00:00", "2024-03-01T10:00:00.000", "2024-03-01 10:00", "01/Mar/24 10:00 AM"]
)
def test_times_without_an_offset_need_a_zone(client: FlaskClient, written: str) -> None:
    body = f"title,description,created_at\na,b,{written}".encode()
    response = send(client, body, CSV)
    assert line_errors(response) == [(2, "#/created_at", "not_allowed")]
    assert "tz=" in response.get_json()["errors"][0]["detail"]
    load(client, body, tz="Europe/Berlin")
    assert only(client)["created_at"] == "2024-03-01T09:00:00.000Z"


@pytest.mark.parametrize(("tz", "utc"), [("", "2024-07-01T00:00:00"), ("America/New_York", "2024-07-01T04:00:00")])
def test_a_date_is_its_first_moment(client: FlaskClient, tz: str, utc: str) -> None:
    load(client, b"title,description,created_at\na,b,2024-07-01", tz=tz)
    assert only(client)["created_at"] == f"{utc}.000Z"


@pytest.mark.parametrize(
    ("created", "updated", "utc"),
    [
        ("2024-10-27 02:30:00", "2024-10-27 02:40:00", ["00:30", "00:40"]),  # both before clocks are set back
        ("2024-10-27 02:50:00", "2024-10-27 02:10:00", ["00:50", "01:10"]),  # one before, one after
        ("2024-03-31 02:30:00", "2024-03-31 03:30:00", ["01:30", "01:30"]),  # skipped
    ],
)
def test_clock_changes(client: FlaskClient, created: str, updated: str, utc: list[str]) -> None:
    load(client, f"title,description,created_at,updated_at\na,b,{created},{updated}".encode(), tz="Europe/Berlin")
    assert [only(client)[name][11:16] for name in ("created_at", "updated_at")] == utc


@pytest.mark.parametrize(
    "written",
    [
        *("2024-02-30 10:00:00", "2024-03-01 24:00:00", "2024-03-01 10:00:60", "32/Mar/24 10:00 AM", "1709287200000"),
        *("2024-03-01 10:00:00+25", "2024-03-01 10", "20240301", "2024-W09-5", "2024-03-01T10:00:00+00:00:30", "a"),
        *("03/01/2024 10:00", "01/Mrz/24 10:00 AM", "01/Mar/24 13:00 AM", "2024-03-01\n10:00:00Z", "２024-03-01"),
    ],
)
def test_other_forms_of_time_are_errors(written: str) -> None:
    with pytest.raises(ValueError, match=r"^must be "):
        times.in_utc(written, None)


# --- JSON that is not NDJSON


@pytest.mark.parametrize(
    ("body", "command"),
    [
        (json.dumps([TICKET] * 3, indent=2), "jq -c '.[]'"),
        (json.dumps([TICKET] * 3), "jq -c '.[]'"),
        ("\ufeff\n [\n" + ",\n".join([json.dumps(TICKET)] * 3) + "\n]", "jq -c '.[]'"),
        ("[]", "jq -c '.[]'"),
        ("\n".join([json.dumps(TICKET, indent=2)] * 3), "jq -c ."),
    ],
)
def test_another_form_of_json_is_one_error(client: FlaskClient, body: str, command: str) -> None:
    response = send(client, body.encode())
    [(_, pointer, code)] = line_errors(response)
    assert (pointer, code) == ("#", "unreadable")
    assert command in response.get_json()["errors"][0]["detail"]
    assert response.get_json()["total_errors"] == 1


# --- times of resolution


def resolutions(client: FlaskClient) -> tuple[dict[str, Any], dict[str, int]]:
    """Return the resolution times of all tickets, and the days of January 2024 on which tickets were resolved."""
    days = client.get(f"{URL}stats/daily/?since=2024-01-01&before=2024-02-01").get_json()["days"]
    found = {day["date"]: day["resolved"]["total"] for day in days if day["resolved"]["total"]}
    return client.get(f"{URL}stats/resolution/").get_json(), found


def test_an_unknown_time_of_resolution_is_not_counted(client: FlaskClient, database: Connection) -> None:
    load(client, b"title,description,status,created_at\na,b,closed,2024-01-01")
    times, days = resolutions(client)
    assert (times["count"], times["median_seconds"], days) == (0, None, {})
    assert client.get(f"{URL}stats/").get_json()["total_tickets"] == 1
    assert json.loads(client.get(f"{URL}export/").data)["resolved_at"] is None


@pytest.mark.parametrize("status", ["closed", "resolved", "open"])
def test_an_import_may_supply_the_time_of_resolution(client: FlaskClient, status: str) -> None:
    """A reopened ticket has one too: it is the time of the first resolution, and stays so."""
    body = f"title,description,status,created_at,resolved_at\na,b,{status},2024-01-01,2024-01-03T01:00:00Z"
    load(client, body.encode())
    times, days = resolutions(client)
    assert (times["count"], times["median_seconds"], days) == (1, 49 * 3600, {"2024-01-03": 1})
    ticket = only(client)
    assert ticket["updated_at"] == "2024-01-03T01:00:00.000Z"
    for change in ("open", "closed"):
        client.patch(URL + ticket["id"], json={"status": change})
    assert resolutions(client) == (times, days)
    assert json.loads(client.get(f"{URL}export/").data)["resolved_at"] == "2024-01-03T01:00:00.000Z"
