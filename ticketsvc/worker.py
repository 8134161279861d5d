"""gunicorn's gevent worker, with answers in JSON to what is not even HTTP, and one packet an answer."""

from __future__ import annotations

from typing import Any

from gunicorn.workers.ggevent import GeventWorker


class JoinedSends:
    """A socket that keeps the head of an answer back until the first bytes of its body go out with it."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._head: bytes | None = None
        self._started = False

    def sendall(self, data: bytes) -> None:
        """gunicorn calls this once with the head, then with each part of the body."""
        if not self._started:
            self._started, self._head = True, data
        elif self._head is not None:
            head, self._head = self._head, None
            self._sock.sendall(head + data)
        else:
            self._sock.sendall(data)

    def flush(self) -> None:
        """Send a head that no body followed."""
        if self._head is not None:
            head, self._head = self._head, None
            self._sock.sendall(head)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn has no types
    """Named by gunicorn.conf.py."""

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> Any:
        """Serve one request."""
        joined = JoinedSends(sock)
        try:
            return super().handle_request(listener_name, req, joined, addr)
        finally:
            joined.flush()
