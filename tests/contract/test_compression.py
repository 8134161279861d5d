"""Compressed responses: which ones, for which Accept-Encoding, and what their headers say."""

from __future__ import annotations

import gzip
import zlib
from itertools import groupby
from threading import Barrier, Thread, get_ident
from time import sleep
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from tests.support.tickets import TICKET, URL, file_ticket
from ticketsvc.api.output import compression
from ticketsvc.api.output.export_stream import ExportStream
from ticketsvc.files.stall_watchdog import StallWatchdog
from ticketsvc.store.exports import Part

if TYPE_CHECKING:
    from collections.abc import Generator

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.http import Service

GZIP = {"Accept-Encoding": "gzip"}
COMPRESSED = [
    URL,
    f"{URL}export/",
    f"{URL}export/?format=csv",
    "/openapi.json",
    "/metrics",
    "/",
    "/docs/errors",
]


@pytest.fixture
def tickets(client: FlaskClient) -> FlaskClient:
    for _ in range(20):
        file_ticket(client)
    return client


def get(client: FlaskClient, path: str, headers: dict[str, str] | None = None) -> TestResponse:
    """Return a response after its end: an export keeps a database connection until then."""
    response = client.get(path, headers=headers)
    assert response.data
    return response


@pytest.mark.parametrize("path", COMPRESSED)
def test_gzip_is_used_if_the_client_accepts_it(tickets: FlaskClient, path: str) -> None:
    plain, packed = get(tickets, path), get(tickets, path, GZIP)
    assert (plain.headers.get("Content-Encoding"), packed.headers["Content-Encoding"]) == (None, "gzip")
    for response in (plain, packed):
        assert "Accept-Encoding" in response.headers["Vary"].split(", ")
    if path != "/metrics":  # each request counts
        assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data) / 2
    assert packed.headers.get("Content-Length", str(len(packed.data))) == str(len(packed.data))


@pytest.mark.parametrize("path", COMPRESSED)
def test_head_has_the_headers_of_get(tickets: FlaskClient, path: str) -> None:
    whole, head = get(tickets, path, GZIP), tickets.head(path, headers=GZIP)
    assert head.data == b""
    for name in ("Content-Encoding", "Vary", "ETag", "Content-Type"):
        assert head.headers.get(name) == whole.headers.get(name)
    if path != "/metrics":
        assert head.headers.get("Content-Length") == whole.headers.get("Content-Length")


def test_the_history_is_compressed(tickets: FlaskClient) -> None:
    path = URL + file_ticket(tickets)["id"]
    for number in range(20):
        tickets.patch(path, json={"title": f"Title {number}"})
    packed = tickets.get(f"{path}/history", headers=GZIP)
    assert gzip.decompress(packed.data) == tickets.get(f"{path}/history").data


@pytest.mark.parametrize(
    "field", ["gzip, deflate, br, zstd", "x-gzip", "*", "br;q=1, gzip;q=0.1", "GZIP", "identity;q=0.5, gzip"]
)
def test_other_ways_to_accept_gzip(tickets: FlaskClient, field: str) -> None:
    assert tickets.get(URL, headers={"Accept-Encoding": field}).headers["Content-Encoding"] == "gzip"


@pytest.mark.parametrize(
    "field",
    [
        *("", "identity", "br", "gzip;q=0", "gzip;q=0.0, *", "*;q=0", "gzip;q=0.5, identity;q=1", "identity;q=0"),
        *("gzip;q=x", "gzip," * 8_000),
    ],
)
def test_ways_not_to_accept_gzip(tickets: FlaskClient, field: str) -> None:
    response = tickets.get(URL, headers={"Accept-Encoding": field})
    assert (response.status_code, response.headers.get("Content-Encoding")) == (200, None)
    assert response.headers["Vary"] == "Accept-Encoding"
    assert len(response.get_json()) == 20


@pytest.mark.parametrize(("field", "coding"), [("gzip", None), ("gzip, identity;q=0", "gzip"), ("gzip, *;q=0", "gzip")])
def test_small_responses_are_compressed_only_on_request(client: FlaskClient, field: str, coding: str | None) -> None:
    response = client.get(URL, headers={"Accept-Encoding": field})
    assert response.headers.get("Content-Encoding") == coding
    assert (gzip.decompress(response.data) if coding else response.data) == b"[]\n"


def test_what_repeats_the_request_is_never_compressed(client: FlaskClient) -> None:
    """A single ticket, a suggestion and an error could otherwise give away a secret by their lengths."""
    large = {**TICKET, "description": "x " * 5_000}
    created = client.post(URL, json=large, headers=GZIP)
    path = created.headers["Location"]
    responses = [
        created,
        client.get(path, headers=GZIP),
        client.patch(path, json={"title": "New"}, headers=GZIP),
        client.post(f"{URL}classify", json=large, headers={"Accept-Encoding": "gzip, identity;q=0"}),
        client.get(f"{URL}?{'&'.join(f'x{number}=1' for number in range(90))}", headers=GZIP),
        client.get(f"{URL}stats/", headers=GZIP),
    ]
    assert [response.headers.get("Content-Encoding") for response in responses] == [None] * 6
    assert len(responses[4].data) > compression.MIN_BYTES


# --- ETags of compressed files


@pytest.mark.parametrize("path", ["/openapi.json", "/", "/docs/errors"])
def test_a_compressed_file_has_another_etag(client: FlaskClient, path: str) -> None:
    plain, packed = client.get(path).headers["ETag"], client.get(path, headers=GZIP).headers["ETag"]
    assert packed == f'{plain[:-1]}-gzip"'
    for tag, known in ((packed, 304), (f"W/{packed}", 304), (plain, 200)):
        response = client.get(path, headers={**GZIP, "If-None-Match": tag})
        assert (response.status_code, response.headers["ETag"]) == (known, packed)
        assert response.headers["Vary"] == "Accept-Encoding"
        assert ("Content-Encoding" in response.headers) == (known == 200)
    assert client.get(path, headers={"If-None-Match": packed}).status_code == 200


def test_a_file_is_compressed_once(client: FlaskClient) -> None:
    client.get("/openapi.json", headers=GZIP)
    hits = compression.compressed_once.cache_info().hits
    assert client.get("/openapi.json", headers=GZIP).status_code == 200
    assert compression.compressed_once.cache_info().hits == hits + 1


def test_small_files_of_the_console_are_not_compressed(client: FlaskClient) -> None:
    page = client.get("/").text
    icon = page.partition('rel="icon" href="')[2].partition('"')[0]
    response = client.get(f"/{icon.lstrip('/')}", headers=GZIP)
    assert (response.status_code, response.headers.get("Content-Encoding")) == (200, None)
    assert len(response.data) <= compression.MIN_BYTES


# --- streams


def test_other_greenlets_run_while_a_page_is_compressed(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("ticketsvc.api.output.compression.time.sleep", pauses.append)
    data = b"0123456789abcdef" * 250_000
    assert gzip.decompress(compression.compressed(data)) == data
    assert pauses == [0] * (len(data) // compression.PIECE_BYTES)


def test_one_large_page_is_compressed_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[int] = []
    start = Barrier(4)

    def pause(seconds: float) -> None:
        turns.append(get_ident())
        sleep(0.001)  # the other threads would get their turn

    def work() -> None:
        start.wait()
        compression.compressed(bytes(20 * compression.PIECE_BYTES))

    monkeypatch.setattr("ticketsvc.api.output.compression.time", SimpleNamespace(sleep=pause))
    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(turns) == 4 * 19
    assert len([*groupby(turns)]) == 4


def test_each_part_of_an_export_can_be_read_at_once() -> None:
    def parts() -> Generator[Part, None, None]:
        for number in range(3):
            yield Part(b"line %d\n" % number, 1)

    stream = ExportStream(parts(), StallWatchdog({}, 1.0, 1.0), is_compressed=True)
    reader = zlib.decompressobj(31)
    received = [reader.decompress(part) for part in stream]
    assert received == [b"line 0\n", b"line 1\n", b"line 2\n", b""]
    assert reader.eof


def test_an_export_is_compressed_under_gunicorn(service: Service) -> None:
    line = b'{"title": "Large", "description": "' + b"x" * 50_000 + b'"}\n'
    service.call("POST", f"{URL}import", line * 100, {"Content-Type": "application/x-ndjson"})
    response = service.call("GET", f"{URL}export", headers=GZIP)
    assert (response.headers["Content-Encoding"], response.headers["Transfer-Encoding"]) == ("gzip", "chunked")
    assert gzip.decompress(response.body) == service.call("GET", f"{URL}export").body
    page = service.call("GET", f"{URL}?limit=70", headers=GZIP)
    assert gzip.decompress(page.body) == service.call("GET", f"{URL}?limit=70").body
