"""A day in a small support team, over HTTP: `python -m tests.support.support_day http://localhost:3000`.

The service must be empty. Customers create tickets and reply; agents claim tickets concurrently, reply, tag, hand back
and resolve; at the end of the day bulk updates tidy up. `Day.check` compares what the service reports with the records.
"""

from __future__ import annotations

import json
import math
import random
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Lock
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

CATEGORIES = ("billing", "technical", "account", "general")
PRIORITIES = ("low", "medium", "high", "critical")
STATUSES = ("open", "in_progress", "resolved", "closed")
FIELDS = ("title", "description", "category", "priority", "status", "requester", "assignee", "tags", "metadata")
EMPTY: dict[str, Any] = {"tags": [], "metadata": {}}
"""Values that the history leaves out of the creation of a ticket; other fields are null then."""


class Record:
    """A ticket as the clients know it: its fields, its version, its comments and its events in order."""

    def __init__(self, ticket: dict[str, Any]) -> None:
        self.ticket = ticket
        self.comments: list[dict[str, Any]] = []
        self.events = ["created"]
        self.claims = 0
        self.was_released = False
        self.lock = Lock()
        """Held until a change is recorded: another agent may claim a ticket that was handed back before that."""

    def changed(self, event: str, **fields: Any) -> None:
        """Record a change that the service confirmed."""
        self.ticket |= fields
        self.ticket["version"] += 1
        self.events.append(event)


class Day:
    """One day. `run` does the work, `check` compares."""

    def __init__(self, base: str, tickets: int = 500, customers: int = 60, agents: int = 5, seed: int = 1) -> None:
        self.base = base.rstrip("/") + "/api/tickets/"
        self.tickets = tickets
        self.customers = [f"Customer{number}@example.com" for number in range(customers)]
        self.agents = [f"agent{number}" for number in range(agents)]
        self.seed = seed
        self.records: dict[str, Record] = {}

    def call(self, method: str, path: str = "", body: object = None, **headers: str) -> tuple[int, Any, dict[str, str]]:
        """Send a request and return the status, the parsed body and the headers."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.base + path, data, {"Content-Type": "application/json", **names}, method=method)
        try:
            with urlopen(request, timeout=60) as response:
                status, raw, received = response.status, response.read(), dict(response.headers)
        except HTTPError as error:
            status, raw, received = error.code, error.read(), dict(error.headers)
        return status, json.loads(raw) if raw else None, received

    def get(self, path: str = "", **filters: Any) -> Any:
        """Return the parsed body of a GET, which must succeed."""
        status, body, _ = self.call("GET", f"{path}?{urlencode(filters, doseq=True)}")
        assert status == 200, body
        return body

    def count(self, **filters: Any) -> int:
        """Return the exact number of tickets that match filters."""
        query = urlencode({**filters, "count": "true", "limit": 1}, doseq=True)
        status, body, headers = self.call("GET", f"?{query}")
        assert status == 200, body
        return int(headers["X-Total-Count"])

    # --- the work

    def run(self) -> None:
        """Do the work of the day."""
        dice = random.Random(self.seed)
        new = [self._new_ticket(dice, number) for number in range(self.tickets)]
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(self._create, new))
        with ThreadPoolExecutor(len(self.agents)) as threads:
            list(threads.map(self._work, self.agents))
        self._tidy_up()

    def _new_ticket(self, dice: random.Random, number: int) -> dict[str, Any]:
        ticket: dict[str, Any] = {"title": f"Request {number}", "description": f"It is about order {number % 7}."}
        ticket |= {"category": dice.choice(CATEGORIES), "priority": dice.choice(PRIORITIES)}
        ticket["requester"] = dice.choice(self.customers)
        if dice.random() < 0.3:
            ticket["tags"] = sorted(dice.sample(["vip", "printer", "refund"], dice.randint(1, 2)))
        if dice.random() < 0.5:
            ticket["metadata"] = {"plan": dice.choice(["free", "pro"]), "order": str(number)}
        return ticket

    def _create(self, new: dict[str, Any]) -> None:
        key = {"Idempotency_Key": new["title"].replace(" ", "-")}
        status, ticket, _ = self.call("POST", "", new, **key)
        assert status == 201, ticket
        if ticket["id"][-1] in "01":  # the response got lost
            assert self.call("POST", "", new, **key)[:2] == (201, ticket)
        self.records[ticket["id"]] = Record(ticket)

    def _work(self, agent: str) -> None:
        """Claim tickets until there is none."""
        dice = random.Random(f"{self.seed} {agent}")
        while True:
            status, ticket, _ = self.call("POST", "claim/", {"assignee": agent})
            if status == 204:
                return
            assert status == 200, ticket
            record = self.records[ticket["id"]]
            with record.lock:
                record.claims += 1
                record.changed("changed", assignee=agent, status="in_progress")
                self._confirm(record, ticket)
                self._handle(record, agent, dice)

    def _handle(self, record: Record, agent: str, dice: random.Random) -> None:
        """Work on a ticket that nobody else works on."""
        if dice.random() < 0.4:
            self._comment(record, author=agent, body="Looks like a known problem.", internal=True)
        if dice.random() < 0.15 and not record.was_released:
            record.was_released = True
            self._change(record, assignee=None, status="open")
            return
        if dice.random() < 0.3:
            self._change(record, tags=sorted({*record.ticket["tags"], "checked"}))
        if dice.random() < 0.2:
            self._change(record, metadata={**record.ticket["metadata"], "room": str(dice.randint(1, 5))})
        if dice.random() < 0.8:
            self._comment(record, author=agent, body="Have you tried to restart it?", internal=False)
            if dice.random() < 0.5:
                customer = str(record.ticket["requester"])
                self._comment(record, author=customer.upper(), body="I have. It did not help.", internal=False)
        if dice.random() < 0.6:
            self._comment(record, author=agent, body="It is repaired.", internal=False, status="resolved")

    def _change(self, record: Record, **fields: Any) -> None:
        etag = f'"{record.ticket["version"]}"'
        path = record.ticket["id"]
        assert self.call("PATCH", path, fields, If_Match='"999"')[0] == 412
        status, ticket, _ = self.call("PATCH", path, fields, If_Match=etag)
        assert status == 200, ticket
        record.changed("changed", **fields)
        self._confirm(record, ticket)

    def _comment(self, record: Record, **comment: Any) -> None:
        path, key = f"{record.ticket['id']}/comments/", f"{record.ticket['id']}-{len(record.comments)}"
        status, added, _ = self.call("POST", path, comment, Idempotency_Key=key)
        assert status == 201, added
        if added["id"][-1] in "01":  # the response got lost
            assert self.call("POST", path, comment, Idempotency_Key=key)[:2] == (201, added)
        record.comments.append(added)
        fields: dict[str, Any] = {"status": comment["status"]} if "status" in comment else {}
        if not (comment["internal"] or record.ticket["first_response_at"] or self._is_by_requester(record, comment)):
            fields["first_response_at"] = added["created_at"]
        if comment.get("status") == "resolved" and not record.ticket["resolved_at"]:
            fields["resolved_at"] = added["created_at"]
        record.changed("commented", updated_at=added["created_at"], **fields)

    @staticmethod
    def _is_by_requester(record: Record, comment: dict[str, Any]) -> bool:
        return bool(record.ticket["requester"].lower() == comment["author"].lower())

    @staticmethod
    def _confirm(record: Record, ticket: dict[str, Any]) -> None:
        """Compare the response to a change with the record, which learns the time of the change."""
        record.ticket["updated_at"] = ticket["updated_at"]
        assert ticket == record.ticket, (ticket, record.ticket)

    def _tidy_up(self) -> None:
        """Change many tickets at once."""
        billing = {"category": "billing", "status": "resolved"}
        self._bulk(billing, {"add_tags": ["paid"]}, lambda t: {"tags": sorted({*t["tags"], "paid"})})
        vip = {"tags": "vip", "assigned": "true"}
        self._bulk(vip, {"priority": "critical"}, lambda _: {"priority": "critical"})
        self._bulk({"status": "resolved"}, {"status": "closed"}, lambda _: {"status": "closed"})
        self._bulk(
            {"assignee": "AGENT0", "status": "in_progress"}, {"assignee": "agent1"}, lambda _: {"assignee": "agent1"}
        )

    def _bulk(self, filters: dict[str, str], body: dict[str, Any], effect: Any) -> None:
        matching = [record for record in self.records.values() if self._matches(record.ticket, filters)]
        changing = [record for record in matching if {**record.ticket, **effect(record.ticket)} != record.ticket]
        expected = {"matched": len(matching), "changed": len(changing)}
        assert matching, filters
        for dry_run in ("true", "false"):
            status, outcome, _ = self.call("PATCH", f"?{urlencode({**filters, 'dry_run': dry_run})}", body)
            assert (status, outcome) == (200, expected), (filters, outcome, expected)
        for record in changing:
            record.changed("changed", **effect(record.ticket))
            record.ticket["updated_at"] = self.get(record.ticket["id"])["updated_at"]

    @staticmethod
    def _matches(ticket: dict[str, Any], filters: dict[str, str]) -> bool:
        """Return whether a ticket of the records matches filters."""
        actual = {
            **ticket,
            "assigned": str(ticket["assignee"] is not None).lower(),
            "metadata[plan]": ticket["metadata"].get("plan"),
        }
        return all(
            value in ticket["tags"] if name == "tags" else (actual[name] or "").lower() == value.lower()
            for name, value in filters.items()
        )

    # --- the comparison

    def check(self) -> dict[str, int]:
        """Compare everything that the service reports with the records. Return the number of each kind of request."""
        tickets = {record.ticket["id"]: record.ticket for record in self.records.values()}
        seen: dict[str, Any] = {}
        path = f"?{urlencode({'limit': 500})}"
        while path:
            _, page, headers = self.call("GET", path)
            seen |= {ticket["id"]: ticket for ticket in page}
            path = headers.get("Link", "").partition(">")[0].partition("?")[2]
            path = f"?{path}" if path else ""
        assert seen == tickets
        assert not any(t["status"] == "open" for t in tickets.values())
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(self._check_ticket, self.records.values()))
        self._check_counts(list(tickets.values()))
        for what in ("resolution", "response"):
            self._check_times(what, list(tickets.values()))
        return {
            "tickets": len(tickets),
            "claims": sum(record.claims for record in self.records.values()),
            "comments": sum(len(record.comments) for record in self.records.values()),
            "events": sum(len(record.events) for record in self.records.values()),
        }

    def _check_ticket(self, record: Record) -> None:
        """Compare a ticket's comments and history with its record."""
        path = record.ticket["id"]
        assert self.get(f"{path}/comments/") == record.comments
        public = [comment for comment in record.comments if not comment["internal"]]
        assert self.get(f"{path}/comments/", internal="false", sort="-created_at") == public[::-1]
        entries = self.get(f"{path}/history")
        assert [entry["event"] for entry in entries] == record.events
        assert [entry["version"] for entry in entries] == list(range(1, record.ticket["version"] + 1))
        noted = [entry["comment"] for entry in entries if entry["event"] == "commented"]
        assert noted == [{name: c[name] for name in ("id", "author", "internal")} for c in record.comments]
        replayed: dict[str, Any] = {name: EMPTY.get(name) for name in FIELDS}
        for entry in entries:
            for name, change in entry["changes"].items():
                assert entry["event"] == "created" or change["from"] == replayed[name]
                replayed[name] = change["to"]
        assert replayed == {name: record.ticket[name] for name in FIELDS}

    def _check_counts(self, tickets: list[dict[str, Any]]) -> None:
        """Compare counts and statistics with many filters."""
        filters: list[dict[str, str]] = [{}]
        filters += [{"requester": customer.lower()} for customer in self.customers]
        filters += [{"assignee": agent} for agent in self.agents]
        filters += [{"assignee": agent, "status": "closed"} for agent in self.agents]
        filters += [{"assigned": "true"}, {"assigned": "false"}, {"metadata[plan]": "pro"}]
        filters += [{"tags": tag} for tag in ("vip", "printer", "refund", "checked", "paid", "none")]
        filters += [{"tags": "vip", "priority": priority, "assigned": "true"} for priority in PRIORITIES]
        for each in filters:
            matching = [ticket for ticket in tickets if self._matches(ticket, each)]
            assert self.count(**each) == len(matching), each
            stats = self.get("stats/", **each)
            priorities, categories = (Counter(ticket[name] for ticket in matching) for name in ("priority", "category"))
            assert stats["total_tickets"] == len(matching), each
            assert stats["priority_breakdown"] == {name: priorities[name] for name in PRIORITIES}, each
            assert stats["category_breakdown"] == {name: categories[name] for name in CATEGORIES}, each
        daily = self.get("stats/daily/")["days"]
        assert sum(day["created"]["total"] for day in daily) == len(tickets)
        assert sum(day["resolved"]["total"] for day in daily) == sum(t["resolved_at"] is not None for t in tickets)

    def _check_times(self, what: str, tickets: list[dict[str, Any]]) -> None:
        """Compare the times to the first response or resolution, to a millisecond, as times on the wire are."""
        column = {"resolution": "resolved_at", "response": "first_response_at"}[what]
        for filters in ({}, {"assigned": "true", "category": "billing"}, {"tags": "vip"}):
            matching = [t for t in tickets if self._matches(t, filters) and t[column]]
            seconds = sorted(_seconds(ticket[column]) - _seconds(ticket["created_at"]) for ticket in matching)
            reported = self.get(f"stats/{what}/", **filters)
            assert reported["count"] == len(seconds)
            for name, share in (("median_seconds", 0.5), ("p90_seconds", 0.9)):
                expected = seconds[math.ceil(share * len(seconds)) - 1]
                assert abs(reported[name] - expected) < 0.003, (what, filters, reported, expected)


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()


if __name__ == "__main__":
    day = Day(sys.argv[1])
    day.run()
    print(", ".join(f"{number:,} {name}" for name, number in day.check().items()) + ": everything agrees.")
