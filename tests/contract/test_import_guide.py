"""docs/import.md: each command imports an export of its help desk. tests/support/exports has a small one of each."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT
from tests.support.tickets import URL

if TYPE_CHECKING:
    from tests.support.http import Service

EXPORTS = ROOT / "tests" / "support" / "exports"
GUIDE = (ROOT / "docs" / "import.md").read_text()
COMMANDS = dict(re.findall(r"^## ([^\n]+)\n(?:(?!^## ).)*?^```sh\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL))

LONG = f"Printer {'very ' * 45}"[:200].strip()
EXPECTED = {
    "Zendesk": [
        "Charged twice|My card was charged twice.\n\nKim|critical|resolved"
        "|2024-03-01T10:00|2024-03-04T08:30|2024-03-02T09:00",
        "No subject|When do you open?|medium|open|2024-03-02T11:00|2024-03-02T11:00|",
        f"{LONG}|The whole floor waits for it.|medium|in_progress|2024-03-03T11:00|2024-03-05T11:00|",
    ],
    "Freshdesk": [
        "Invoice, wrong address|Invoice, wrong address|low|closed|2024-03-01T09:00|2024-03-03T11:30|2024-03-01T11:30",
        "Site down|Site down|critical|in_progress|2024-03-31T01:30|2024-04-01T07:00|",
        "Slow search|Slow search|medium|in_progress|2024-06-30T22:15|2024-06-30T22:15|",
    ],
    "Jira": [
        'Cannot log in|The page says "wrong password".\n\nh2. Steps\n# Open it|critical|resolved'
        "|2024-03-01T09:00|2024-03-02T08:05|2024-03-01T22:30",
        "Typo on the start page|Typo on the start page|low|in_progress|2024-03-02T11:15|2024-03-02T11:15|",
        "Add dark mode|Please.|medium|open|2024-03-03T07:00|2024-03-03T07:00|",
    ],
    "GitHub issues": [
        "Crash at start|Steps:\n\n```\nrun it\n```|medium|closed|2024-03-01T10:00|2024-03-02T09:00|2024-03-02T09:00",
        f"{LONG}|{LONG}|medium|open|2024-03-03T10:00|2024-03-03T10:00|",
    ],
    "osTicket": [
        "Refund, please|Refund, please|critical|closed|2024-03-01T10:00|2024-03-02T09:00|2024-03-02T09:00",
        "New phone|New phone|medium|open|2024-03-05T08:15|2024-03-05T08:15|",
    ],
    "Zammad": [
        "Where is my order?|Where is my order?|high|closed|2024-03-01T10:00|2024-03-02T09:00|2024-03-02T09:00",
        "Callback|Callback|medium|in_progress|2024-03-03T10:00|2024-03-03T11:00|",
    ],
    "Redmine": [
        "Server unreachable|Since *8:00*.|critical|closed|2024-03-01T10:00|2024-03-02T09:00|2024-03-01T12:00",
        "New keyboard|New keyboard|medium|in_progress|2024-03-03T10:00|2024-03-03T11:00|",
    ],
    "Request Tracker": [
        "Mailbox full|Mailbox full|medium|resolved|2024-03-01T10:00|2024-03-02T09:00|2024-03-01T18:00",
        "VPN drops|VPN drops|medium|in_progress|2024-03-03T10:00|2024-03-03T11:00|",
    ],
    "Trac": [
        "Crash, sometimes|{{{\r\ntrace\r\n}}}|critical|closed|2024-03-01T10:00|2024-03-02T09:00|",
        "Wrong colour|Wrong colour|high|in_progress|2024-03-03T10:00|2024-03-03T11:00|",
        "Faster list|Please.|low|open|2024-07-03T10:00|2024-07-03T10:00|",
    ],
    "Bugzilla": [
        'Crash on "Save"|Crash on "Save"|critical|resolved|2024-03-01T18:00|2024-03-02T17:00|',
        "Typo|Typo|medium|open|2024-03-03T18:00|2024-03-03T18:00|",
        "Dark mode|Dark mode|low|closed|2024-07-03T17:00|2024-07-04T17:00|",
    ],
    "HubSpot": [
        "Charged twice|The May invoice, again|high|closed|2024-03-01T15:00|2024-03-02T14:00|2024-03-02T14:00",
        "App crashes|App crashes|critical|open|2024-03-03T15:00|2024-03-03T16:00|",
        "Hello|Just saying hello|medium|open|2024-07-03T14:00|2024-07-03T14:00|",
    ],
}
PEOPLE: dict[str, list[tuple[str | None, str | None, list[str], str]]] = {
    "Zendesk": [("Kim", None, ["billing"], ""), (None, None, [], ""), (None, None, [], "")],
    "Freshdesk": [
        ("kim@example.com", "Ana", ["address", "vat"], "2024-03-01T09:20"),
        ("kim@example.com", "Ben", [], ""),
        ("jo@example.com", None, [], ""),
    ],
    "Jira": [("kim", "ana", [], ""), ("kim", None, [], ""), ("kim", None, [], "")],
    "GitHub issues": [("kim", "ana", ["bug"], ""), ("jo", None, [], "")],
    "osTicket": [("kim@example.com", "Ana B", [], ""), ("jo@example.com", None, [], "")],
    "Zammad": [("kim@example.com", "ana@example.com", [], "2024-03-01T10:30"), ("jo@example.com", None, [], "")],
    "Redmine": [("Kim", "Ana", [], ""), ("Kim", None, [], "")],
    "Request Tracker": [("kim@example.com", "ana", [], ""), (None, None, [], "")],
    "Trac": [("kim", "ana", [], ""), ("jo", None, [], ""), ("kim", None, [], "")],
    "Bugzilla": [
        ("kim@example.com", "ana@example.com", [], ""),
        ("jo@example.com", "nobody@example.com", [], ""),
        ("kim@example.com", "ana@example.com", [], ""),
    ],
    "HubSpot": [(None, "Ana", [], ""), (None, None, [], ""), (None, None, [], "")],
}
"""Requester, assignee, tags and the time of the first response."""
CATEGORIES = {"HubSpot": ["billing", "technical", "general"]}


def test_every_help_desk_has_a_command_and_a_file() -> None:
    assert list(COMMANDS) == list(EXPECTED)
    files = {path.name for path in EXPORTS.iterdir()}
    assert files == {name for command in COMMANDS.values() for name in re.findall(r"\w+\.(?:csv|json)\b", command)}


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="needs curl and jq")
@pytest.mark.parametrize("name", EXPECTED)
def test_the_command_imports_the_file(service: Service, name: str) -> None:
    command = COMMANDS[name].replace("localhost:3000", f"127.0.0.1:{service.port}")
    ran = subprocess.run(["sh", "-euc", command], cwd=EXPORTS, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["imported"] == len(EXPECTED[name]), ran.stdout
    tickets = [json.loads(line) for line in service.call("GET", f"{URL}export/").body.splitlines()]
    times = ("created_at", "updated_at", "resolved_at")
    found = [
        "|".join(
            [
                *(ticket[field] for field in ("title", "description", "priority", "status")),
                *((ticket[field] or "")[: len("2024-03-01T10:00")] for field in times),
            ]
        )
        for ticket in tickets
    ]
    assert found == EXPECTED[name]
    assert [
        (ticket["requester"], ticket["assignee"], ticket["tags"], (ticket["first_response_at"] or "")[:16])
        for ticket in tickets
    ] == PEOPLE[name]
    assert [ticket["category"] for ticket in tickets] == CATEGORIES.get(name, ["general"] * len(tickets))
