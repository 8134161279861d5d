"""GET /metrics: what is counted, that workers' counts add up, and that no count ever goes backwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT, serve
from tests.support.locks import in_background, locked_tickets, wait_until, wait_until_blocked
from tests.support.metrics import Samples, read, value
from tests.support.tickets import TICKET, URL, file_ticket
from ticketsvc.config import RateLimit
from ticketsvc.server.metrics import exposition
from ticketsvc.server.metrics.board import Board, Snapshot
from ticketsvc.server.metrics.catalogue import FAMILIES, PREFIX
from ticketsvc.server.metrics.counts import Counts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.support.http import Service

LIST = "/api/tickets"
ONE = "/api/tickets/<uuid:ticket_id>"


def scrape(client: FlaskClient) -> Samples:
    answer = client.get("/metrics")
    assert (answer.status_code, answer.content_type) == (200, exposition.CONTENT_TYPE)
    return read(answer.text)


def risen(before: Samples, after: Samples, name: str, **labels: str) -> float:
    return value(after, name, **labels) - value(before, name, **labels)


# --- what is counted


def test_it_works(client: FlaskClient) -> None:
    file_ticket(client)
    samples = scrape(client)
    assert value(samples, "database_up") == 1
    assert value(samples, "workers") == 1
    assert value(samples, "memory_bytes") > 1_000_000
    assert 0 < value(samples, "start_time_seconds") < 10_000_000_000
    assert value(samples, "build_info") == 1
    assert value(samples, "cpu_seconds_total") > 0


def test_each_metric_has_a_help_and_a_kind(client: FlaskClient) -> None:
    text = client.get("/metrics").text
    for name, family in FAMILIES.items():
        assert f"# HELP {PREFIX}{name} {family.help}\n# TYPE {PREFIX}{name} {family.kind}\n" in text


def test_requests_are_counted_by_route_method_and_status(client: FlaskClient) -> None:
    before = scrape(client)
    ticket = file_ticket(client)
    for path in (URL + ticket["id"], URL + ticket["id"] + "/"):
        client.get(path)
    client.get(f"{URL}01890000-0000-7000-8000-000000000000")
    client.patch(URL + ticket["id"], json={"status": "nonsense"})
    after = scrape(client)
    assert risen(before, after, "http_requests_total", method="GET", route=ONE, status="200") == 2
    assert risen(before, after, "http_requests_total", method="GET", route=ONE, status="404") == 1
    assert risen(before, after, "http_requests_total", method="PATCH", route=ONE, status="400") == 1
    assert risen(before, after, "http_requests_total", method="POST", status="201") == 1
    assert risen(before, after, "http_requests_total", route="/metrics", status="200") == 1


def test_what_callers_make_up_is_one_series(client: FlaskClient) -> None:
    before = scrape(client)
    for path in ("/nothing", "/nothing/else", "/api/tickets/%F0%9F%8E%AB"):
        client.get(path)
    for method in ("PURGE", "BREW"):
        client.open("/livez", method=method)
    after = scrape(client)
    assert risen(before, after, "http_requests_total", route="unmatched", method="GET", status="404") == 3
    assert risen(before, after, "http_requests_total", route="unmatched", method="other", status="405") == 2
    assert "nothing" not in str(after)


def test_a_histogram_counts_each_request_once(client: FlaskClient) -> None:
    before = scrape(client)
    for _ in range(5):
        client.get("/livez")
    after = scrape(client)
    for name in ("count", "bucket"):
        least = {"le": "+Inf"} if name == "bucket" else {}
        assert risen(before, after, f"http_request_duration_seconds_{name}", route="/livez", **least) == 5
    assert risen(before, after, "http_request_duration_seconds_sum", route="/livez") > 0


def test_a_bucket_holds_what_took_as_long_or_less() -> None:
    counts = Counts()
    for seconds in (0.0004, 0.001, 0.0011, 99):
        counts.observe(seconds, "http_request_duration_seconds", "/", "GET")
    samples = read(exposition.write(Snapshot(0, {}, counts.histograms)))
    name = "http_request_duration_seconds"
    found = {least: value(samples, f"{name}_bucket", le=least) for least in ("0.0005", "0.001", "0.0025", "10", "+Inf")}
    assert found == {"0.0005": 1, "0.001": 2, "0.0025": 3, "10": 3, "+Inf": 4}
    assert value(samples, f"{name}_sum") == pytest.approx(99.0025)


def test_label_values_are_escaped() -> None:
    odd = 'a"b\\c\nd'
    text = exposition.write(Snapshot(0, {("triage_fallbacks_total", odd): 1}))
    assert r'{reason="a\"b\\c\nd"} 1' in text
    assert value(read(text), "triage_fallbacks_total") == 1


def test_tickets_by_status(client: FlaskClient) -> None:
    assert value(scrape(client), "tickets") == 0
    ids = [file_ticket(client)["id"] for _ in range(3)]
    client.patch(URL + ids[0], json={"status": "resolved"})
    samples = scrape(client)
    found = {status: value(samples, "tickets", status=status) for status in ("open", "in_progress", "resolved")}
    assert found == {"open": 2, "in_progress": 0, "resolved": 1}


def test_triage_by_call_and_source(client: FlaskClient) -> None:
    before = scrape(client)
    client.post(URL, json=TICKET)
    client.post(f"{URL}classify", json=TICKET)
    file_ticket(client)  # has labels: nothing is suggested
    after = scrape(client)
    for call in ("create", "classify"):
        assert risen(before, after, "triage_duration_seconds_count", call=call, source="offline") == 1
    assert risen(before, after, "triage_duration_seconds_count") == 2


def test_why_the_model_did_not_decide(make_app: Callable[..., Flask]) -> None:
    client = make_app(openai_api_key="x", openai_base_url="http://127.0.0.1:1/v1", openai_timeout=5.0).test_client()
    before = scrape(client)
    for _ in range(8):
        assert client.post(f"{URL}classify", json=TICKET).status_code == 200
    after = scrape(client)
    skipped = risen(before, after, "triage_fallbacks_total", reason="circuit_open")
    assert 0 < skipped < 8
    assert risen(before, after, "triage_fallbacks_total") == 8


def test_database_errors_by_kind(make_app: Callable[..., Flask], database_url: str) -> None:
    client = make_app(lock_timeout=0.05).test_client()
    before = scrape(client)
    with locked_tickets(database_url):
        assert client.get(URL).status_code == 503
    after = scrape(client)
    assert risen(before, after, "database_errors_total", kind="55P03", retried="no") == 1
    assert risen(before, after, "database_errors_total") == 1


def test_the_pool_and_who_waits_for_it(make_app: Callable[..., Flask], database_url: str) -> None:
    app = make_app(pool_size=1, pool_timeout=0.3)
    assert app.test_client().get(URL).status_code == 200
    before = scrape(app.test_client())
    with locked_tickets(database_url) as holder, in_background() as threads:
        slow = threads.submit(app.test_client().get, URL)
        wait_until_blocked(holder)
        during = scrape(app.test_client())  # its own statement waits in vain, and it answers all the same
        assert value(during, "database_up") == 0
        assert not [name for name, _ in during if name == "tickets"]
        assert value(during, "database_pool_connections", state="in_use") == 1
        holder.rollback()
        assert slow.result().status_code == 200
    after = scrape(app.test_client())
    assert value(after, "database_pool_connections_max") == 1
    assert value(after, "database_pool_connections", state="in_use") == 0
    assert risen(before, after, "database_pool_timeouts_total") == 1
    assert risen(before, after, "database_pool_waits_total") >= 1
    assert risen(before, after, "database_errors_total", kind="pool_timeout", retried="no") == 1


def test_it_answers_without_a_database(make_app: Callable[..., Flask]) -> None:
    client = make_app(database_url="postgresql://127.0.0.1:1/x", pool_timeout=0.2).test_client()
    assert value(scrape(client), "database_up") == 0


def test_it_is_never_limited(make_app: Callable[..., Flask]) -> None:
    client = make_app(rate_limit=RateLimit(1, 60)).test_client()
    assert [client.get("/metrics").status_code for _ in range(4)] == [200] * 4


# --- the board


def test_the_dead_keep_their_counts_and_lose_their_gauges(tmp_path: Path) -> None:
    place = Board(tmp_path)
    for pid in (1, 2, 3):
        histogram = [0.5, *[1.0] * 15]
        place.publish(pid, Snapshot(pid, {("cpu_seconds_total",): pid}, {("h", "a"): histogram}, {("workers",): 1}))
    for pid in (1, 3, 3, 4):
        place.bury(pid)
    total = place.total()
    assert total == Snapshot(1, {("cpu_seconds_total",): 6}, {("h", "a"): [1.5, *[3.0] * 15]}, {("workers",): 1})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2", "board.lock", "past"]


def test_a_board_is_private_and_ends_with_its_process() -> None:
    program = (
        "import os; from ticketsvc.server.metrics import board; board.Board.make(); print(os.environ[board.VARIABLE]); "
    )
    program += "print(os.stat(os.environ[board.VARIABLE]).st_mode & 0o777); raise SystemExit('it could not start')"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    directory, mode = done.stdout.splitlines()
    assert int(mode) == 0o700
    assert not Path(directory).exists()


# --- several workers


@pytest.fixture
def two(database_url: str, tmp_path: Path) -> Iterator[Service]:
    """The service with two workers, and nothing counted yet."""
    with serve(database_url, tmp_path / "log", WEB_CONCURRENCY="2") as service:
        wait_until(lambda: value(scraped(service), "workers") == 2)
        yield service


def scraped(service: Service) -> Samples:
    return read(service.call("GET", "/metrics").body.decode())


def workers(service: Service) -> set[int]:
    children = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children").read_text()
    return {int(pid) for pid in children.split()}


def listed(samples: Samples) -> float:
    return value(samples, "http_requests_total", route=LIST, method="GET", status="200")


def fallen(before: Samples, after: Samples) -> list[str]:
    """The names of the counts that are lower now, or gone."""
    counts = {key: old for key, old in before.items() if key[0].endswith(("_total", "_count", "_sum", "_bucket"))}
    return [key[0] for key, old in counts.items() if after.get(key, 0) < old]


def test_workers_add_up(two: Service) -> None:
    with in_background() as threads:
        assert set(threads.map(lambda _: two.call("GET", URL).status, range(200))) == {200}
    wait_until(lambda: listed(scraped(two)) == 200)
    two.raw(b"GARBAGE\r\n\r\n")
    wait_until(lambda: value(scraped(two), "http_unreadable_requests_total", status="400") == 1)
    assert listed(scraped(two)) == 200


def test_nothing_goes_backwards_when_workers_are_replaced(two: Service) -> None:
    for _ in range(50):
        two.call("GET", URL)
    wait_until(lambda: listed(scraped(two)) == 50)
    seen = scraped(two)
    for how in (signal.SIGKILL, signal.SIGTERM):
        old = workers(two)
        os.kill(min(old), how)
        wait_until(partial(_replaced, two, old))
        for _ in range(10):
            now = scraped(two)
            assert fallen(seen, now) == []
            seen = now
    wait_until(lambda: value(scraped(two), "workers") == 2)
    assert listed(scraped(two)) == 50


def _replaced(service: Service, old: set[int]) -> bool:
    return len(workers(service)) == 2 and workers(service) != old


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="the boards are elsewhere")
def test_the_server_leaves_nothing_behind(database_url: str, tmp_path: Path) -> None:
    with serve(database_url, tmp_path / "log") as service:
        wait_until(lambda: boards_of(service))
        made = boards_of(service)
    assert [path for path in made if path.exists()] == []


def boards_of(service: Service) -> list[Path]:
    boards = Path("/dev/shm").glob("ticketsvc-metrics-*")
    return [path for path in boards if any((path / str(pid)).exists() for pid in workers(service))]
