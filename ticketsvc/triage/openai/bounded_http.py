"""HTTP requests with a total deadline, a limit on the bytes read, and no redirects.

A timeout of httpx2 bounds the wait for the next byte, not for the response: a server that sends one byte a second never
reaches it. Nor does it cover name resolution. So a request runs in a thread of its own (a greenlet under gevent), and
the thread that waits for it gives up at the deadline and shuts the connection down, which ends the request's thread.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import httpx2

if TYPE_CHECKING:
    import ssl

Result = TypeVar("Result")


class ResponseTooLarge(Exception):
    """The response has more bytes than the client reads."""


class EncodedResponse(Exception):
    """The response is compressed although the request ruled that out (RFC 9110, section 12.5.3).

    A few compressed kilobytes can expand to gigabytes, so a limit on the bytes read would not protect memory.
    """


class BoundedClient(httpx2.Client):
    """An HTTP client for one exchange. Uses the proxies of the environment.

    Besides httpx2's errors a request raises ResponseTooLarge and EncodedResponse.
    """

    def __init__(self, *, byte_limit: int) -> None:
        super().__init__(
            verify=_ssl_context(),
            follow_redirects=False,  # another server must not get the key and the ticket
            headers={"Accept-Encoding": "identity"},
            event_hooks={"request": [self._watch], "response": [self._limit]},
        )
        self._byte_limit = byte_limit
        self._sockets: list[socket.socket] = []
        self._is_cut_off = False

    def cut_off(self) -> None:
        """Shut down all connections, now and as soon as they are made. Can be called from any thread."""
        self._is_cut_off = True
        with suppress(IndexError):  # no socket, or another thread took the last one
            while True:
                with self._sockets.pop() as connection, suppress(OSError):  # the peer may have closed it
                    connection.shutdown(socket.SHUT_RDWR)

    def _watch(self, request: httpx2.Request) -> None:
        request.extensions["trace"] = self._trace

    def _trace(self, event: str, information: dict[str, Any]) -> None:
        """Keep a duplicate of each new socket, since TLS detaches the original. Called by httpcore2's `trace`."""
        if event.endswith(".connect_tcp.complete"):
            self._sockets.append(information["return_value"].get_extra_info("socket").dup())
            if self._is_cut_off:
                self.cut_off()

    def _limit(self, response: httpx2.Response) -> None:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise EncodedResponse
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = _LimitedStream(response.stream, self._byte_limit)


@cache
def _ssl_context() -> ssl.SSLContext:
    """Return the context of all clients. Reading the authorities' certificates takes 50 ms."""
    return httpx2.create_ssl_context()


class _LimitedStream(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, byte_limit: int) -> None:
        self._stream = stream
        self._byte_limit = byte_limit

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._stream:
            size += len(chunk)
            if size > self._byte_limit:
                raise ResponseTooLarge
            yield chunk

    def close(self) -> None:
        self._stream.close()


def run_within(seconds: float, work: Callable[[], Result]) -> Result:
    """Run `work` in a thread of its own and return its result, or raise what it raises.

    Raises TimeoutError after `seconds`. The thread then goes on, so `work` must be made to end.
    """
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001  # raised in the waiting thread
            future.set_exception(error)

    threading.Thread(target=run, name="bounded-http", daemon=True).start()
    return future.result(timeout=seconds)
