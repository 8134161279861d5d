"""Create a ticket for each line of a labelled file over HTTP, and check that the service finds and counts them all.

`python -m bench.filing FILE.jsonl [URL]`: each line is {"text", "category"}. Every ticket must be found by a search for
its text, every third is resolved, and the statistics must grow by exactly the tickets of the file.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.parse
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

TITLE_WORDS = 8


class ApiClient:
    """A client of the API at one address."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/") + "/api/tickets/"

    def __call__(self, method: str, path: str, body: object = None) -> Any:
        """Send a request and return the parsed response. Raises urllib.error.HTTPError."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)


def create_all(client: ApiClient, rows: list[dict[str, str]]) -> list[str]:
    """Create a ticket for each row and return the IDs."""
    ids = []
    for number, row in enumerate(rows, 1):
        title = " ".join(row["text"].split()[:TITLE_WORDS])[:200]
        ticket = client("POST", "", {"title": title, "description": row["text"], "category": row["category"]})
        ids.append(ticket["id"])
        progress("created", number, len(rows))
    return ids


def find_all(client: ApiClient, rows: list[dict[str, str]], ids: list[str]) -> None:
    """Check that a search for the text of each ticket finds it."""
    for number, (row, ticket_id) in enumerate(zip(rows, ids, strict=True), 1):
        query = urllib.parse.urlencode({"search": row["text"].strip()[:200], "limit": 500})
        found = [ticket["id"] for ticket in client("GET", f"?{query}")]
        assert ticket_id in found, f"{ticket_id} was not found by its text"
        progress("found", number, len(rows))


def resolve_some(client: ApiClient, ids: list[str]) -> int:
    """Resolve every third ticket and return their number."""
    chosen = ids[::3]
    for number, ticket_id in enumerate(chosen, 1):
        assert client("PATCH", ticket_id, {"status": "resolved"})["status"] == "resolved"
        progress("resolved", number, len(chosen))
    return len(chosen)


def progress(what: str, done: int, total: int) -> None:
    """Show the progress in one line on a terminal, else only the final line."""
    if sys.stderr.isatty() or done == total:
        print(f"\r{what} {done:,} of {total:,}", end="" if done < total else "\n", file=sys.stderr, flush=True)


def main() -> None:
    """Run the benchmark."""
    if len(sys.argv) not in (2, 3):
        raise SystemExit("usage: python -m bench.filing FILE.jsonl [http://127.0.0.1:3000]")
    rows = [json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines()]
    client = ApiClient(sys.argv[2] if len(sys.argv) == 3 else "http://127.0.0.1:3000")
    before, started = client("GET", "stats/"), time.monotonic()
    ids = create_all(client, rows)
    find_all(client, rows, ids)
    resolved = resolve_some(client, ids)
    after = client("GET", "stats/")
    grown = {name: n - before["category_breakdown"][name] for name, n in after["category_breakdown"].items()}
    assert Counter(grown) == Counter(row["category"] for row in rows), grown
    assert after["total_tickets"] - before["total_tickets"] == len(rows)
    assert after["open_tickets"] - before["open_tickets"] == len(rows) - resolved
    assert sum(after["priority_breakdown"].values()) == after["total_tickets"]
    print(f"{len(rows):,} tickets created and found, {resolved:,} resolved; the statistics agree: {grown}")
    print(f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
