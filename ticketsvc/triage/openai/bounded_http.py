"""HTTP calls that end: a hard deadline, a cap on the bytes taken, no redirects.

A read timeout bounds the wait for the next byte, not for the answer: a server that sends one byte a second
never meets it. Nor does it cover name resolution. So the work runs in a thread of its own (a greenlet once
gevent has patched the standard library), and the caller waits no longer than the deadline, then cuts the
connection, which ends the work.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from concurrent.futures import Future
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import httpx2

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

Result = TypeVar("Result")


class ResponseTooLarge(Exception):
    """The server sent more bytes than the client takes."""


class EncodedResponse(Exception):
    """The server compressed its answer though it was asked not to (RFC 9110, section 12.5.3).

    A few compressed kilobytes can unpack to gigabytes, so the cap on bytes would mean nothing.
    """


class BoundedClient(httpx2.Client):
    """An HTTP client for one exchange, which takes at most `byte_limit` bytes of body and can be cut off.

    Making one takes about 0.1 ms. Proxies are those of the environment. Besides httpx2's errors a request
    raises ResponseTooLarge and EncodedResponse.
    """

    def __init__(self, *, byte_limit: int) -> None:
        super().__init__(
            verify=_ssl_context(),
            follow_redirects=False,  # the key and the body are for this server only
            headers={"Accept-Encoding": "identity"},
            event_hooks={"request": [self._watch], "response": [self._limit]},
        )
        self._byte_limit = byte_limit
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._is_cut_off = False

    def cut_off(self) -> None:
        """End what is under way and refuse what comes, from any thread, at any time, any number of times."""
        with self._lock:
            self._is_cut_off = True
            sockets, self._sockets = self._sockets, []
        for connection in sockets:
            _shut_down(connection)

    def _watch(self, request: httpx2.Request) -> None:
        request.extensions["trace"] = self._trace

    def _trace(self, event: str, information: dict[str, Any]) -> None:
        """Keep a handle of each new connection. The events are those of httpcore's `trace` extension.

        The handle is a duplicate: shutting it down wakes whoever reads or shakes hands on the connection,
        and as it is ours alone its number cannot meanwhile have become that of another connection.
        """
        if not event.endswith(".connect_tcp.complete"):
            return
        original = information["return_value"].get_extra_info("socket")
        with self._lock:
            self._sockets.append(socket.socket(fileno=os.dup(original.fileno())))
        if self._is_cut_off:
            self.cut_off()

    def _limit(self, response: httpx2.Response) -> None:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise EncodedResponse
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = _LimitedStream(response.stream, self._byte_limit)


@cache
def _ssl_context() -> ssl.SSLContext:
    """One for all clients: reading the certificates of the authorities takes 50 ms."""
    return httpx2.create_ssl_context()


class _LimitedStream(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, byte_limit: int) -> None:
        self._stream = stream
        self._bytes_left = byte_limit

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._stream:
            self._bytes_left -= len(chunk)
            if self._bytes_left < 0:
                raise ResponseTooLarge
            yield chunk

    def close(self) -> None:
        self._stream.close()


def run_within(seconds: float, work: Callable[[], Result]) -> Result:
    """Run `work` in a thread of its own and give its result, or raise what it raises.

    Raises TimeoutError after `seconds`; the work then goes on unheard, so the caller should make it end.
    """
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again where the result is waited for
            future.set_exception(error)

    threading.Thread(target=run, name="bounded-http", daemon=True).start()
    return future.result(timeout=seconds)


def _shut_down(connection: socket.socket) -> None:
    with connection, contextlib.suppress(OSError):  # the peer may have closed it before
        connection.shutdown(socket.SHUT_RDWR)
