"""POST /api/tickets/import/ with the files of data tools: tests/support/tool_files has the same two tickets from each.

They were written by polars 2.1, duckdb 2.0, pandas 3.1, csvkit 2.2, Miller 6.6, sqlite3 3.40 and jq 1.6. Those of Excel
and LibreOffice are made in the form that these programs use.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.contract.test_import import IMPORT, NDJSON, line_errors, send
from tests.support.tickets import URL

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.support.tickets import Connection

FILES = sorted((Path(__file__).parents[1] / "support" / "tool_files").iterdir())
ARRAYS = [path for path in FILES if path.suffix == ".json"]
TICKETS = [
    ("Charged twice", 'The "May", invoice\nagain', "billing", "high", "closed"),
    ("Größe", "one line", "general", "medium", "open"),
]
TIMES = [("2024-03-01T10:00:00.000Z", "2024-03-02T09:00:00.123Z"), ("2024-03-03T10:00:00.000Z", None)]


def imported(client: FlaskClient, body: bytes, content_type: str) -> None:
    """Import a file and check that it has the two tickets."""
    response = client.post(IMPORT, data=body, content_type=content_type)
    assert response.get_json() == {"imported": 2, "ignored": []}, response.text
    tickets = [json.loads(line) for line in client.get(f"{URL}export/").data.splitlines()]
    fields = ("title", "description", "category", "priority", "status")
    assert [tuple(ticket[name] for name in fields) for ticket in tickets] == TICKETS
    assert [(ticket["created_at"], ticket["resolved_at"]) for ticket in tickets] == TIMES


@pytest.mark.parametrize("path", [path for path in FILES if path not in ARRAYS], ids=lambda path: path.name)
def test_the_file_of_a_tool_is_imported(client: FlaskClient, path: Path) -> None:
    imported(client, path.read_bytes(), NDJSON if path.suffix == ".ndjson" else "text/csv")


@pytest.mark.skipif(shutil.which("jq") is None, reason="needs jq")
@pytest.mark.parametrize("path", ARRAYS, ids=lambda path: path.name)
def test_an_array_is_one_error_whose_advice_works(client: FlaskClient, path: Path) -> None:
    response = send(client, path.read_bytes())
    assert line_errors(response) == [(1, "#", "unreadable")]
    assert "jq -c '.[]'" in response.get_json()["errors"][0]["detail"]
    converted = subprocess.run(["jq", "-c", ".[]", path], capture_output=True, check=True).stdout
    imported(client, converted, NDJSON)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/St_Johns"])
def test_the_csv_of_copy_is_imported(client: FlaskClient, database: Connection, zone: str) -> None:
    columns = "title, description, category, priority, status, created_at, resolved_at"
    imported(client, FILES[0].read_bytes(), "text/csv")
    database.execute(f"SET TimeZone = '{zone}'".encode())
    statement = f"COPY (SELECT {columns} FROM tickets) TO STDOUT (FORMAT csv, HEADER)".encode()
    with database.cursor().copy(statement) as copy:
        content = b"".join(bytes(part) for part in copy)
    database.execute("TRUNCATE tickets")
    imported(client, content, "text/csv")
