"""Every operation of the API in one sequence, for tests of what lies between client, service and database."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.support.tickets import LABELS, TICKET

if TYPE_CHECKING:
    from tests.support.http import Response, Service

Step = tuple[str, str, int, int]
"""The method and the path of a request, the expected status and the one received."""
STEPS = 50
"""The number of steps."""
POSITION = "X-Tickets-LSN"
BUSY = "As many imports and exports as may run at once are running."


def use_every_route(service: Service, name: str, key: str = "", only: str = "") -> Iterator[Step]:
    """Send a request of each kind, with an API key if one is given, and yield each one's step.

    The tickets created have `name` in their titles, and none of them is left.
    """
    every = {"Authorization": f"Bearer {key}"} if key else {}

    def step(
        method: str, path: str, status: int, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[Step, Response]:
        response = _when_not_busy(lambda: service.call(method, path, body, every | (headers or {})))
        if POSITION in response.headers:
            every[POSITION] = max(every.get(POSITION, ""), response.headers[POSITION])
        return (method, path, status, response.status), response

    ticket = {**TICKET, "title": f"Printer {name}"}
    created, response = step("POST", "/api/tickets/", 201, ticket, {"Idempotency-Key": f'"{name}"'})
    yield created
    repeated, again = step("POST", "/api/tickets/", 201, ticket, {"Idempotency-Key": f'"{name}"'})
    yield repeated
    assert again.json["id"] == response.json["id"]
    identity = f"/api/tickets/{response.json['id']}"
    for path in ("classify/", "similar/"):
        yield step("POST", f"/api/tickets/{path}", 200, TICKET)[0]
    yield step("POST", f"/api/tickets/claim/?search={name}&tags=nothing", 204, {"assignee": name})[0]
    yield step("PATCH", f"/api/tickets/?search={name}&tags=nothing", 200, {"priority": "low"})[0]
    yield step("PATCH", identity, 200, {**LABELS, "title": f"Changed {name}"}, {"If-Match": response.headers["ETag"]})[
        0
    ]
    yield step("PATCH", identity, 412, {"status": "closed"}, {"If-Match": response.headers["ETag"]})[0]
    commented, comment = step("POST", f"{identity}/comments/", 201, {"body": f"Hello {name}", "status": "resolved"})
    yield commented
    yield step("GET", comment.headers["Location"], 200)[0]
    for path in ("", "/history", "/similar/", "/comments/"):
        yield step("GET", identity + path, 200)[0]
    yield step("GET", f"/api/tickets/?search=hello+{name}&search_in=comments&count=true", 200)[0]
    yield step("DELETE", comment.headers["Location"], 204)[0]
    for query in ("", "?limit=5&count=true&sort=-updated_at", "?sort=-priority", f"?search={name}&count=true"):
        yield step("GET", f"/api/tickets/{query}", 200)[0]
    yield step("GET", f"/api/tickets/?category=account&search=nothing%20{name}&sort=-priority", 200)[0]
    for path in (
        "stats/",
        "stats/daily/",
        "stats/resolution/",
        "stats/response/",
        "stats/triage/",
        f"stats/?search={name}",
    ):
        yield step("GET", f"/api/tickets/{path}", 200)[0]
    lines = f'{{"title":"Imported {name}","description":"1"}}\n{{"title":"Imported {name}","description":"2"}}\n'
    imported, response = step(
        "POST", "/api/tickets/import/", 200, lines.encode(), {"Content-Type": "application/x-ndjson"}
    )
    yield imported
    for file_format in ("ndjson", "csv"):
        exported, response = step(
            "GET", f"/api/tickets/export/?format={file_format}&search=%22Imported%20{name}%22", 200
        )
        yield exported
        assert response.body.count(f"Imported {name}".encode()) == 2, response.body
    response = step("GET", f"/api/tickets/?search={name}", 200)[1]
    for found in response.json:
        yield step("DELETE", f"/api/tickets/{found['id']}", 204)[0]
    followed, response = step("GET", "/api/events/?after=latest", 200)
    yield followed
    yield step("GET", f"/api/events/?after={response.headers['X-Last-Event-Id']}&limit=5&wait=0", 200)[0]
    registered, response = step("POST", "/api/webhooks/", 201, {"url": f"https://example.com/{name}"})
    yield registered
    webhook = response.headers["Location"]
    yield step("PATCH", webhook, 200, {"filters": f"search={name}", "enabled": False})[0]
    yield step("POST", f"{webhook}/rotate/", 200)[0]
    for path in ("/api/webhooks/", webhook, f"{webhook}/deliveries/"):
        yield step("GET", path, 200)[0]
    yield step("POST", f"{webhook}/deliveries/msg_0/redeliver/", 404)[0]
    yield step("DELETE", webhook, 204)[0]
    for path in ("/livez", "/readyz", "/metrics", "/openapi.json", "/docs", "/docs/errors", "/"):
        yield step("GET", path, 200)[0]


def failures(service: Service, clients: int, rounds: int = 1, key: str = "") -> tuple[list[Step], int]:
    """Let several clients use every route at once. Return the steps with other statuses, and the number of all."""

    def client(number: int) -> list[Step]:
        return [step for turn in range(rounds) for step in use_every_route(service, f"c{number}t{turn}", key)]

    with ThreadPoolExecutor(clients) as pool:
        steps = [step for steps in pool.map(client, range(clients)) for step in steps]
    return [step for step in steps if step[2] != step[3]], len(steps)


def _when_not_busy(send: Callable[[], Response]) -> Response:
    while (response := send()).status == 503 and BUSY.encode() in response.body:
        time.sleep(0.02)  # a request costs the others time
    return response
