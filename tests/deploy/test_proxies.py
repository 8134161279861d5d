"""Reverse proxies with the configurations of docs/proxies.md, in front of the service under gunicorn."""

from __future__ import annotations

import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.conftest import free_port, serve
from tests.support import metrics, programs
from tests.support.every_route import STEPS, failures
from tests.support.locks import wait_until
from tests.support.poolers import documented
from tests.support.streams import Stream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.http import Service
    from ticketsvc_dev.embedded.cluster import Cluster


class Proxy(NamedTuple):
    """A program, its documented configuration, how it is made complete for the test, and how it is started."""

    program: str
    block: tuple[str, str]
    head: str
    replacements: dict[str, str]
    command: tuple[str, ...]


PROXIES = [
    Proxy(
        "nginx",
        ("nginx", "upstream"),
        "daemon off; user root; pid {folder}/pid; error_log stderr; events {{}}\nhttp {{ access_log off;\n"
        "client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;\n"
        "uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;\n",
        {"listen 80;": "listen 127.0.0.1:{port};", r"\Z": "}}\n"},
        ("-c", "{file}", "-p", "{folder}"),
    ),
    Proxy(
        "caddy",
        ("caddyfile", "reverse_proxy"),
        "{{\n\tadmin off\n\tauto_https off\n}}\n",
        {"^tickets.example": "http://127.0.0.1:{port}"},
        ("run", "--adapter", "caddyfile", "--config", "{file}"),
    ),
    Proxy("haproxy", ("haproxy", "frontend"), "", {"bind :80": "bind 127.0.0.1:{port}"}, ("-db", "-f", "{file}")),
]


@contextmanager
def running(proxy: Proxy, folder: Path, replacements: dict[str, str]) -> Iterator[int]:
    """Run a proxy with the documented configuration on a free port, and yield the port."""
    path = shutil.which(proxy.program, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if path is None:
        pytest.skip(f"{proxy.program} is not installed")
    port = free_port()
    places = {"port": str(port), "folder": str(folder), "file": str(folder / "configuration")}
    text = documented(*proxy.block)
    for pattern, replacement in {**proxy.replacements, **replacements}.items():
        assert re.search(pattern, text, re.MULTILINE), pattern
        text = re.sub(pattern, replacement.format(**places), text, flags=re.MULTILINE)
    (folder / "configuration").write_text(proxy.head.format(**places) + text)
    command = [path, *(argument.format(**places) for argument in proxy.command)]
    environment = {"HOME": str(folder), "PATH": "/usr/bin"}
    with programs.running(command, folder / "output", lambda: programs.listens(port), env=environment):
        yield port


@pytest.mark.parametrize("proxy", PROXIES, ids=lambda proxy: proxy.program)
def test_every_route_works_behind_a_proxy(service: Service, tmp_path: Path, proxy: Proxy) -> None:
    with running(proxy, tmp_path, {r"127.0.0.1:3000\b": f"127.0.0.1:{service.port}"}) as port:
        behind = replace(service, port=port)
        wait_until(lambda: behind.call("GET", "/readyz").status == 200)
        failed, done = failures(behind, clients=4)
        assert failed == []
        assert done == 4 * STEPS


@pytest.mark.parametrize("proxy", PROXIES, ids=lambda proxy: proxy.program)
def test_events_pass_at_once_and_clients_that_leave_are_noticed(service: Service, tmp_path: Path, proxy: Proxy) -> None:
    """If the proxy collected the stream, the event would not arrive: the stream does not end."""
    with running(proxy, tmp_path, {r"127.0.0.1:3000\b": f"127.0.0.1:{service.port}"}) as port:
        behind = replace(service, port=port)
        wait_until(lambda: behind.call("GET", "/readyz").status == 200)
        with Stream(behind, Accept_Encoding="gzip").start() as stream, ThreadPoolExecutor(1) as pool:
            poll = pool.submit(behind.call, "GET", f"/api/events/?after={stream.position}&wait=25")
            wait_until(lambda: listeners(service) == 2)
            ticket = service.call("POST", "/api/tickets/", {"title": "New", "description": "x" * 5_000}).json["id"]
            (polled,) = poll.result().json
            assert [stream.event()["ticket_id"], polled["ticket_id"]] == [ticket, ticket]
            with Stream(behind, Last_Event_ID=stream.position).start() as again:
                assert again.event() == polled
        wait_until(lambda: listeners(service) == 0)


def listeners(service: Service) -> float:
    return metrics.value(metrics.read(service.call("GET", "/metrics").body.decode()), "event_listeners")


@pytest.mark.parametrize("proxy", PROXIES, ids=lambda proxy: proxy.program)
def test_large_files_pass_and_large_bodies_do_not(service: Service, tmp_path: Path, proxy: Proxy) -> None:
    line = json.dumps({"title": "Large", "description": "x" * 50_000}).encode() + b"\n"
    with running(proxy, tmp_path, {r"127.0.0.1:3000\b": f"127.0.0.1:{service.port}"}) as port:
        behind = replace(service, port=port)
        wait_until(lambda: behind.call("GET", "/readyz").status == 200)
        imported = behind.call("POST", "/api/tickets/import", line * 100, {"Content-Type": "application/x-ndjson"})
        assert (imported.status, imported.json) == (200, {"imported": 100, "ignored": []})
        assert behind.call("GET", "/api/tickets/export").body.count(b'"Large"') == 100
        assert behind.call("POST", "/api/tickets/", line * 40).status == 413


@pytest.mark.parametrize("proxy", PROXIES, ids=lambda proxy: proxy.program)
def test_a_client_cannot_choose_the_address_that_is_limited(own_url: str, tmp_path: Path, proxy: Proxy) -> None:
    with (
        serve(own_url, tmp_path / "log", RATE_LIMIT="3/86400") as service,
        running(proxy, tmp_path, {r"127.0.0.1:3000\b": f"127.0.0.1:{service.port}"}) as port,
    ):
        behind = replace(service, port=port)
        wait_until(lambda: behind.call("GET", "/readyz").status == 200)
        headers = [{"X-Forwarded-For": f"203.0.113.{number}"} for number in range(4)]
        statuses = [behind.call("GET", "/api/tickets/", headers=header).status for header in headers]
        assert statuses == [200, 200, 200, 429]


@pytest.mark.parametrize(
    ("proxy", "compressing", "tags"),
    [
        (PROXIES[0], {"listen 80;": "listen 127.0.0.1:{port}; gzip on; gzip_types application/json;"}, ('W/"1"',)),
        (PROXIES[1], {"^\thandle @bulk": "\tencode gzip\n\thandle @bulk"}, ('"1-gzip"', '"1"')),  # older ones keep it
    ],
    ids=["nginx", "caddy"],
)
def test_a_tag_that_a_compressing_proxy_changed_can_be_sent_back(
    service: Service, tmp_path: Path, proxy: Proxy, compressing: dict[str, str], tags: tuple[str, ...]
) -> None:
    upstream = {r"127.0.0.1:3000\b": f"127.0.0.1:{service.port}"}
    with running(proxy._replace(replacements={**proxy.replacements, **compressing}), tmp_path, upstream) as port:
        behind = replace(service, port=port)
        wait_until(lambda: behind.call("GET", "/readyz").status == 200)
        large = {"title": "Large", "description": "x" * 10_000}
        path = behind.call("POST", "/api/tickets/", large).headers["Location"]
        gzip = {"Accept-Encoding": "gzip"}
        read = behind.call("GET", path, headers=gzip)
        tag = read.headers["ETag"]
        assert read.headers["Content-Encoding"] == "gzip"
        assert tag in tags
        assert behind.call("GET", path, headers={**gzip, "If-None-Match": tag}).status == 304
        assert behind.call("PATCH", path, {"priority": "low"}, {"If-Match": tag}).status == 200
        assert behind.call("PATCH", path, {"priority": "high"}, {"If-Match": tag}).status == 412
        assert behind.call("GET", "/api/tickets/", headers=gzip).headers["Content-Encoding"] == "gzip"


def test_every_route_works_with_a_proxy_in_front_of_postgres(postgres: Cluster, own_url: str, tmp_path: Path) -> None:
    proxy = Proxy(
        "haproxy", ("haproxy", "listen postgres"), "", {"127.0.0.1:6432": "127.0.0.1:{port}"}, PROXIES[2].command
    )
    server = f"unix@{postgres.socket_directory}/.s.PGSQL.5432"
    with running(proxy, tmp_path, {"10.0.0.2:5432": server}) as port:
        name = conninfo_to_dict(own_url)["dbname"]
        with serve(f"postgresql://postgres@127.0.0.1:{port}/{name}", tmp_path / "log") as service:
            failed, done = failures(service, clients=4)
    assert failed == []
    assert done == 4 * STEPS
