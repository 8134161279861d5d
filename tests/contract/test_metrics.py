"""GET /metrics: what is counted, that the counts of workers add up, and that no count ever decreases."""

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
from tests.support.metrics import BOUNDS, CONTENT_TYPE, FAMILIES, PREFIX, Samples, read, sample_labels, value
from tests.support.tickets import TICKET, URL, file_ticket
from ticketsvc import __version__
from ticketsvc.config import RateLimit
from ticketsvc.server import metrics
from ticketsvc.store.postgres import errors
from ticketsvc.triage.learning import classifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.support.http import Service

LIST = "/api/tickets"
ONE = "/api/tickets/<uuid:ticket_id>"


def scrape(client: FlaskClient) -> Samples:
    response = client.get("/metrics")
    assert (response.status_code, response.content_type) == (200, CONTENT_TYPE)
    return read(response.text)


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
    assert value(samples, "build_info", version=__version__) == 1
    assert value(samples, "cpu_seconds_total") > 0


def test_each_metric_has_its_help_type_and_labels(client: FlaskClient) -> None:
    file_ticket(client)
    text = client.get("/metrics").text
    for name, family in FAMILIES.items():
        assert f"# HELP {PREFIX}{name} {family.help}\n# TYPE {PREFIX}{name} {family.kind}\n" in text
    assert text.count("# TYPE") == len(FAMILIES)
    labels = sample_labels()
    for name, given in read(text):
        assert {label for label, _ in given} == labels[PREFIX + name], name


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


def test_unknown_routes_and_methods_share_one_series(client: FlaskClient) -> None:
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


def test_a_bucket_counts_durations_up_to_its_bound(client: FlaskClient) -> None:
    before = scrape(client)
    for seconds in (0.0004, 0.001, 0.0011, 99):
        metrics.TRIAGE_DURATION.labels("bounds", "test").observe(seconds)
    after = scrape(client)
    name = "triage_duration_seconds"
    found = [risen(before, after, f"{name}_bucket", call="bounds", le=bound) for bound in (*BOUNDS, "+Inf")]
    assert found == [1, 2, *[3] * 12, 4]
    assert risen(before, after, f"{name}_sum", call="bounds") == pytest.approx(99.0025)
    assert {dict(labels)["le"] for found, labels in after if found.endswith("_bucket")} == {*BOUNDS, "+Inf"}


def test_label_values_are_escaped(client: FlaskClient) -> None:
    metrics.TRIAGE_FALLBACKS.labels('a"b\\c\nd').inc()
    text = client.get("/metrics").text
    assert r'{reason="a\"b\\c\nd"} 1' in text
    assert value(read(text), "triage_fallbacks_total", reason=r"a\"b\\c\nd") == 1


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


def test_fallbacks_by_reason(make_app: Callable[..., Flask]) -> None:
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


def test_the_pool_and_requests_that_wait_for_it(make_app: Callable[..., Flask], database_url: str) -> None:
    app = make_app(pool_size=1, pool_timeout=0.3)
    assert app.test_client().get(URL).status_code == 200
    before = scrape(app.test_client())
    with locked_tickets(database_url) as holder, in_background() as threads:
        slow = threads.submit(app.test_client().get, URL)
        wait_until_blocked(holder)
        during = scrape(app.test_client())  # its own statement waits in vain; it responds all the same
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


def test_it_works_without_a_database(make_app: Callable[..., Flask]) -> None:
    client = make_app(database_url="postgresql://127.0.0.1:1/x", pool_timeout=0.2).test_client()
    assert value(scrape(client), "database_up") == 0


def test_it_is_never_limited(make_app: Callable[..., Flask]) -> None:
    client = make_app(rate_limit=RateLimit(1, 60)).test_client()
    assert [client.get("/metrics").status_code for _ in range(4)] == [200] * 4


# --- the files of the workers


def test_the_directory_is_private_and_deleted_at_exit() -> None:
    program = (
        "import os; from ticketsvc.server import metrics_files as files; files.create_directory();"
        "print(os.environ[files.DIRECTORY]); print(os.stat(os.environ[files.DIRECTORY]).st_mode & 0o777);"
        "raise SystemExit('it could not start')"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    directory, mode = done.stdout.splitlines()
    assert int(mode) == 0o700
    assert not Path(directory).exists()


def test_a_fork_does_not_delete_the_directory() -> None:
    program = (
        "import os; from ticketsvc.server import metrics_files as files; files.create_directory();"
        "pid = os.fork();\n"
        "if pid: os.waitpid(pid, 0); print(os.path.isdir(os.environ[files.DIRECTORY]))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


# --- several workers


@pytest.fixture
def two(database_url: str, tmp_path: Path) -> Iterator[Service]:
    """The service with two workers that have counted nothing yet."""
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
    """Return the names of the counts that are lower now, or gone."""
    counts = {key: old for key, old in before.items() if key[0].endswith(("_total", "_count", "_sum", "_bucket"))}
    return [key[0] for key, old in counts.items() if after.get(key, 0) < old]


def test_series_that_are_known_begin_at_zero(two: Service) -> None:
    """rate() sees no rise when a series appears with its first event."""
    samples = scraped(two)
    for name, labels in (
        ("http_unreadable_requests_total", [{"status": status} for status in ("400", "414", "431", "500", "501")]),
        ("database_errors_total", [{"kind": kind, "retried": "no"} for kind in errors.KINDS]),
        ("database_errors_total", [{"kind": kind, "retried": "yes"} for kind in errors.RETRIED_KINDS]),
        ("triage_fallbacks_total", [{"reason": classifier.NO_EXAMPLES}]),
    ):
        assert [samples[name, frozenset(series.items())] for series in labels] == [0] * len(labels)
    two.raw(b"GARBAGE\r\n\r\n")
    wait_until(lambda: value(scraped(two), "http_unreadable_requests_total", status="400") == 1)


def test_workers_add_up(two: Service) -> None:
    with in_background() as threads:
        assert set(threads.map(lambda _: two.call("GET", URL).status, range(200))) == {200}
    wait_until(lambda: listed(scraped(two)) == 200)
    two.raw(b"GARBAGE\r\n\r\n")
    wait_until(lambda: value(scraped(two), "http_unreadable_requests_total", status="400") == 1)
    assert listed(scraped(two)) == 200


def test_no_count_decreases_when_workers_are_replaced(two: Service) -> None:
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


def test_replaced_workers_leave_no_files_and_lose_no_counts(database_url: str, tmp_path: Path) -> None:
    settings = {"WEB_CONCURRENCY": "1", "MAX_REQUESTS": "10"}
    with serve(database_url, tmp_path / "log", **settings) as service:
        directory = metrics_directory(service)
        files, pids = {path.name for path in directory.iterdir()}, workers(service)
        sent = 0
        while len(pids) < 3:
            assert service.call("GET", URL).status == 200
            sent += 1
            pids |= workers(service)
        wait_until(lambda: value(scraped(service), "workers") == 1)
        assert {path.name for path in directory.iterdir()} == files
        assert listed(scraped(service)) == sent


def test_the_files_of_a_worker_are_allocated_at_its_start(two: Service) -> None:
    found = {path: path.stat() for path in metrics_directory(two).iterdir()}
    assert len(found) == 2 * 3
    assert [path for path, status in found.items() if status.st_blocks * 512 < status.st_size] == []


def test_the_server_deletes_its_directory(database_url: str, tmp_path: Path) -> None:
    with serve(database_url, tmp_path / "log") as service:
        directory = metrics_directory(service)
        assert directory.is_dir()
    assert not directory.exists()


def metrics_directory(service: Service) -> Path:
    """Return the directory of the files that a worker has mapped."""
    maps = Path(f"/proc/{min(workers(service))}/maps").read_text().splitlines()
    (directory,) = {Path(line.split()[-1]).parent for line in maps if "/ticketsvc-metrics-" in line}
    return directory
