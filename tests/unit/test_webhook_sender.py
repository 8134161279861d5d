"""One attempt of a delivery: the addresses it connects to, and the time and bytes that a receiver may take."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from contextlib import closing, contextmanager, suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest

from ticketsvc.store.webhooks import Claimed, Result
from ticketsvc.webhooks import addresses, sender

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Behaviour = Callable[[socket.socket], object]

HEAD = b"HTTP/1.1 200 OK\r\n"
NONE = b"Content-Length: 0\r\n\r\n"


def delivery(url: str, body: str = '{"id":"1"}') -> Claimed:
    return Claimed("msg_1", "w", 1, url, "c2VjcmV0", None, body)


@contextmanager
def receiver(behave: Behaviour, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Accept one connection on a port of loopback, and let `behave` do what it likes with it."""

    def accept() -> None:
        with suppress(OSError), closing(listener.accept()[0]) as plain:
            if tls is None:
                behave(plain)
            else:
                with tls.wrap_socket(plain, server_side=True) as encrypted:
                    behave(encrypted)

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listener.getsockname()[1]


def read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data or len(data.partition(b"\r\n\r\n")[2]) < 8:
        data += connection.recv(65_536)
    return data


def responding(*parts: bytes) -> Behaviour:
    def respond(connection: socket.socket) -> None:
        read_request(connection)
        for part in parts:
            connection.sendall(part)

    return respond


def dripping(start: bytes) -> Behaviour:
    def drip(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(start)
        while True:
            connection.sendall(b"x")
            time.sleep(0.01)

    return drip


def hang(connection: socket.socket) -> None:
    while connection.recv(65_536):
        pass


def refuse_early(connection: socket.socket) -> None:
    connection.recv(100)
    connection.sendall(b"HTTP/1.1 413 Too Large\r\nConnection: close\r\n" + NONE)
    connection.shutdown(socket.SHUT_WR)
    hang(connection)


def send_to(behave: Behaviour, body: str = '{"id":"1"}') -> Result:
    with receiver(behave) as port:
        return sender.send(delivery(f"http://127.0.0.1:{port}/", body), allow_private=True)


LATE = "There was no response within 0.5 seconds."
INVALID = "There was no valid HTTP response."


@pytest.mark.parametrize(
    ("behave", "status", "error"),
    [
        pytest.param(responding(HEAD + NONE), 200, None, id="at once"),
        pytest.param(responding(HEAD[:9], HEAD[9:], NONE), 200, None, id="in parts"),
        pytest.param(responding(b"HTTP/1.0 204 No Content\r\n\r\n"), 204, None, id="1.0"),
        pytest.param(
            responding(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\nA: b\r\n\r\n", HEAD + NONE), 200, None, id="1xx"
        ),
        pytest.param(responding(b"HTTP/1.1 302 x\r\nLocation: /\r\n" + NONE), 302, "The status is 302.", id="redirect"),
        pytest.param(hang, None, LATE, id="hangs"),
        pytest.param(dripping(b""), None, LATE, id="drips what is not HTTP"),
        pytest.param(dripping(HEAD + b"A: "), None, LATE, id="drips its head"),
        pytest.param(dripping(HEAD + b"Content-Length: 9999999\r\n\r\n"), 200, None, id="drips its body"),
        pytest.param(responding(HEAD + b"A: b\r\n" * 20_000), None, INVALID, id="endless head"),
        pytest.param(responding(b"HTTP/1.1 103 x\r\nA: b\r\n\r\n" * 9_000), None, INVALID, id="endless 103"),
        pytest.param(responding(HEAD + b"\r\n" + b"x" * 10_000_000), 200, None, id="endless body"),
        pytest.param(responding(b"SSH-2.0-OpenSSH\r\n\r\n"), None, INVALID, id="not HTTP"),
        pytest.param(responding(), None, INVALID, id="closes"),
        pytest.param(responding(HEAD + b"Content-Length: 9\r\n\r\nx"), 200, None, id="ends early"),
    ],
)
def test_a_response_is_read_within_limits(
    monkeypatch: pytest.MonkeyPatch, behave: Behaviour, status: int | None, error: str | None
) -> None:
    monkeypatch.setattr(sender, "TOTAL_SECONDS", 0.5)
    result = send_to(behave)
    assert (result.status, result.error) == (status, error)
    assert result.duration_ms < 10_000


def test_a_response_before_the_end_of_the_request_counts() -> None:
    result = send_to(refuse_early, f'{{"x":"{"y" * 20_000_000}"}}')
    assert (result.status, result.error) == (413, "The status is 413.")


def test_a_receiver_that_stops_reading_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "TOTAL_SECONDS", 1.0)
    has_ended = threading.Event()
    with receiver(lambda _: has_ended.wait(60)) as port:
        result = sender.send(delivery(f"http://127.0.0.1:{port}/", f'{{"x":"{"y" * 20_000_000}"}}'), True)
        has_ended.set()
    assert (result.status, result.error) == (None, "There was no response within 1 seconds.")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120), ("9" * 30, 6 * 3600), ("Fri, 01 Jan 2100 00:00:00 GMT", 6 * 3600), ("soon", None), ("-1", None)],
)
def test_retry_after_is_kept_within_limits(value: str, seconds: int | None) -> None:
    result = send_to(responding(f"HTTP/1.1 503 x\r\nRetry-After: {value}\r\n".encode() + NONE))
    assert (result.status, result.retry_after) == (503, seconds)


def test_a_connection_that_is_refused_has_a_reason() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as closed:
        port = closed.getsockname()[1]
    result = sender.send(delivery(f"http://127.0.0.1:{port}/"), allow_private=True)
    assert result.error == "The connection failed: Connection refused."


# --- addresses

PUBLIC = ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
NOT_PUBLIC = [
    *("0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.0.0.8", "192.0.0.9"),
    *("192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "203.0.113.1", "224.0.0.1", "240.0.0.1"),
    "255.255.255.255",
    *(
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
    ),
    *("2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1", "fe80::1", "fec0::1", "ff02::1"),
]


@pytest.mark.parametrize("address", [*PUBLIC, *NOT_PUBLIC])
def test_only_addresses_on_the_internet_are_public(address: str) -> None:
    assert addresses.is_public(ip_address(address)) == (address in PUBLIC)


@pytest.mark.parametrize("found", [["127.0.0.1"], ["10.0.0.1", "::1"], ["fe80::1%1"], ["::ffff:127.0.0.1"]])
def test_a_name_is_resolved_once_and_never_connected_to_a_private_address(
    monkeypatch: pytest.MonkeyPatch, found: list[str]
) -> None:
    asked: list[Any] = []

    def resolve(host: str, port: int, **_: object) -> list[Any]:
        asked.append((host, port))
        if len(asked) > 1:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("1.1.1.1", port))]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "socket", None)
    result = sender.send(delivery("https://rebinding.example/x"), allow_private=False)
    assert result.error == "The host has no public address, and WEBHOOK_ALLOW_PRIVATE is off."
    assert asked == [("rebinding.example", 443)]


def test_a_public_address_is_chosen_among_others(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [("10.0.0.1", 80), ("1.1.1.1", 80), ("127.0.0.1", 80)]
    endpoints = [addresses.Endpoint(socket.AF_INET, socket.SOCK_STREAM, 6, address) for address in found]
    monkeypatch.setattr(addresses, "resolve", lambda *_: endpoints)
    connected: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: connected.append(address))
    sender._connect("mixed.example", 80, False, time.monotonic() + 1).close()
    assert connected == [("1.1.1.1", 80)]


def test_a_name_without_an_address_has_a_reason() -> None:
    for host in ("nothing.invalid", "a..b", f"{'x' * 64}.example"):
        assert sender.send(delivery(f"https://{host}/"), allow_private=True).error == "The host name has no address."


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_the_certificate_must_be_valid_for_the_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=x", "-days", "2"]
    subprocess.run(
        [*command, "-addext", "subjectAltName=DNS:receiver.example"], cwd=tmp_path, check=True, capture_output=True
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    names: list[str] = []
    server.sni_callback = lambda _, name, __: names.append(name)
    real, requests = socket.getaddrinfo, []
    monkeypatch.setattr(socket, "getaddrinfo", lambda _, port, **more: real("127.0.0.1", port, **more))

    def respond(connection: socket.socket) -> None:
        requests.append(read_request(connection))
        connection.sendall(HEAD + NONE)

    def send(name: str) -> str | None:
        with receiver(respond, server) as port:
            return sender.send(delivery(f"https://{name}:{port}/x?y=z"), allow_private=True).error

    assert "certificate is not valid" in str(send("receiver.example")), "its issuer is unknown"
    trusting = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    monkeypatch.setattr(sender, "_tls", lambda: trusting)
    assert send("receiver.example") is None
    assert "certificate is not valid" in str(send("other.example"))
    assert names == ["receiver.example", "receiver.example", "other.example"]
    (request,) = requests
    assert request.startswith(b"POST /x?y=z HTTP/1.1\r\nHost: receiver.example:")


def test_an_encrypted_connection_to_a_receiver_without_tls_has_a_reason() -> None:
    with receiver(lambda connection: connection.sendall(HEAD + NONE)) as port:
        result = sender.send(delivery(f"https://127.0.0.1:{port}/"), allow_private=True)
    assert result.error == "The connection could not be encrypted."
