"""One attempt of a delivery: a signed request (Standard Webhooks 1.0.0) to a checked address, within limits.

Blocking sockets, because each attempt has a thread. h11 parses the response: unlike http.client it knows responses 1xx.
"""

from __future__ import annotations

import hmac
import json
import socket
import ssl
import time
from base64 import b64decode, b64encode
from collections.abc import Iterable
from contextlib import suppress
from email.utils import parsedate_to_datetime
from functools import cache
from urllib.parse import urlsplit

import h11

from ticketsvc import __version__
from ticketsvc.store.webhooks import Claimed, Result
from ticketsvc.webhooks import addresses

TOTAL_SECONDS = 15.0
"""The time that an attempt may take in all: finding the address, connecting, sending, and reading the response."""
CONNECT_SECONDS = 5.0
"""Of it, the time until the next address of the host is tried."""
RESPONSE_BYTES = 65_536
"""The part of a response that is read."""
MAX_RETRY_AFTER = 6 * 3600
"""Seconds. A receiver cannot ask for a longer pause, which is the longest there is anyway."""

_GONE = 410


class _AddressRefused(OSError):
    """No address of the host is public."""


def send(delivery: Claimed, allow_private: bool) -> Result:
    """Attempt a delivery whose event is not gone."""
    started = time.monotonic()
    status, retry_after, error = None, None, None
    try:
        status, retry_after = _post(delivery, allow_private, started + TOTAL_SECONDS)
    except (OSError, h11.ProtocolError) as raised:
        error = _reason(raised)
    if status is not None and not 200 <= status < 300:
        error = f"The status is {status}."
    milliseconds = round((time.monotonic() - started) * 1000)
    return Result(status, error, milliseconds, retry_after if error else None, is_gone=status == _GONE)


def headers(delivery: Claimed, body: bytes, timestamp: int) -> dict[str, str]:
    """Return the header fields by which receivers verify a delivery: one signature for each valid secret."""
    signed = f"{delivery.id}.{timestamp}.".encode() + body
    keys = [b64decode(secret) for secret in (delivery.secret, delivery.previous_secret) if secret]
    signatures = [b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys]
    return {
        "webhook-id": delivery.id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def _post(delivery: Claimed, allow_private: bool, deadline: float) -> tuple[int, int | None]:
    """Send the request and return the status and Retry-After of the response, in seconds.

    Raises OSError and h11.ProtocolError if there is no response.
    """
    url = urlsplit(delivery.url)
    body = json.dumps(json.loads(delivery.body or ""), separators=(",", ":")).encode()
    fields = {
        "Host": url.netloc,
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "User-Agent": f"ticketsvc/{__version__}",
        "Accept": "*/*",
        "Connection": "close",
        **headers(delivery, body, int(time.time())),
    }
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    request = h11.Request(method="POST", target=target, headers=list(fields.items()))
    host, port = url.hostname or "", url.port or {"http": 80, "https": 443}[url.scheme]
    with _connect(host, port, allow_private, deadline) as connection:
        if url.scheme == "https":
            connection.settimeout(_remaining(deadline))
            with _tls().wrap_socket(connection, server_hostname=host) as encrypted:
                return _exchange(encrypted, request, body, deadline)
        return _exchange(connection, request, body, deadline)


def _connect(host: str, port: int, allow_private: bool, deadline: float) -> socket.socket:
    """Connect to one of the addresses that the host has now, and to none that is not public."""
    endpoints = [found for found in addresses.resolve(host, port) if allow_private or found.is_public]
    error: OSError = _AddressRefused()
    for endpoint in endpoints:
        seconds = min(CONNECT_SECONDS, _remaining(deadline))
        connection = socket.socket(endpoint.family, endpoint.type, endpoint.protocol)
        connection.settimeout(seconds)
        try:
            connection.connect(endpoint.address)
        except OSError as raised:
            connection.close()
            error = raised
        else:
            return connection
    raise error


def _exchange(connection: socket.socket, request: h11.Request, body: bytes, deadline: float) -> tuple[int, int | None]:
    """Send a request and read the response up to the limits. Once its head has arrived, its end does not matter."""
    protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=RESPONSE_BYTES)
    parts: Iterable[h11.Event] = (request, h11.Data(data=body), h11.EndOfMessage())
    with suppress(BrokenPipeError, ConnectionResetError):  # a receiver may respond before it has read everything
        _send(connection, b"".join(protocol.send(part) or b"" for part in parts), deadline)
    response: h11.Response | None = None
    received = 0
    try:
        while not isinstance(event := protocol.next_event(), (h11.EndOfMessage, h11.ConnectionClosed)):
            if isinstance(event, h11.Response):
                response = event
            elif event is h11.NEED_DATA:
                if received >= RESPONSE_BYTES:
                    break
                connection.settimeout(_remaining(deadline))
                chunk = connection.recv(8192)
                received += len(chunk)
                protocol.receive_data(chunk)
    except (OSError, h11.ProtocolError):
        if response is None:
            raise
    if response is None:
        raise h11.RemoteProtocolError("the connection ended, or 64 kB had arrived, before the response began")
    return response.status_code, _retry_after(response)


def _send(connection: socket.socket, data: bytes, deadline: float) -> None:
    """Send everything. `sendall` would wait up to the timeout for each part if the connection is encrypted."""
    rest = memoryview(data)
    while rest:
        connection.settimeout(_remaining(deadline))
        rest = rest[connection.send(rest) :]


def _remaining(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _retry_after(response: h11.Response) -> int | None:
    """Return how many seconds the receiver wants to be left alone (RFC 9110 section 10.2.3), within limits."""
    text = next((value.decode("latin-1") for name, value in response.headers if name == b"retry-after"), "")
    if text.isascii() and text.isdigit():
        seconds = int(text[:10])
    else:
        try:
            seconds = round(parsedate_to_datetime(text).timestamp() - time.time())
        except (ValueError, OverflowError):
            return None
    return max(0, min(seconds, MAX_RETRY_AFTER))


def _reason(error: Exception) -> str:
    """Return what failed, as a sentence without anything that the receiver wrote."""
    match error:
        case _AddressRefused():
            return "The host has no public address, and WEBHOOK_ALLOW_PRIVATE is off."
        case socket.gaierror():
            return "The host name has no address."
        case TimeoutError():
            return f"There was no response within {TOTAL_SECONDS:g} seconds."
        case ssl.SSLCertVerificationError():
            return f"The certificate is not valid: {error.verify_message}."
        case ssl.SSLError():
            return "The connection could not be encrypted."
        case h11.ProtocolError():
            return "There was no valid HTTP response."
        case OSError(strerror=str(reason)):
            return f"The connection failed: {reason}."
        case _:
            return "The connection failed."
