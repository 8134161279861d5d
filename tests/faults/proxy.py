"""A bad network between the service and PostgreSQL: it delays, splits, drops and resets."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tests.support.locks import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RESET = struct.pack("ii", 1, 0)  # SO_LINGER of zero seconds: closing sends RST


class Proxy:
    """Pass bytes between TCP on loopback and PostgreSQL's socket; its attributes may be changed at any time."""

    def __init__(self, server: Path, port: int) -> None:
        self.port = port
        self.delay = 0.0
        """Seconds by which each piece of data is delayed, in both directions."""
        self.piece = 65_536
        """The most bytes that are passed at once."""
        self.passes_requests = True
        """False holds back what the service sends."""
        self.passes_responses = True
        """False holds back what PostgreSQL sends."""
        self._server = server
        self._open: set[asyncio.StreamWriter] = set()
        self._loop: asyncio.AbstractEventLoop
        self._over: asyncio.Event

    def reset(self) -> None:
        """Abort all connections with RST, as a failing network does."""
        asyncio.run_coroutine_threadsafe(self._reset(), self._loop).result(TIMEOUT)

    async def _reset(self) -> None:
        for writer in list(self._open):
            sock = writer.get_extra_info("socket")
            with suppress(OSError):  # closed by then
                if sock.family == socket.AF_INET:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):  # PostgreSQL may be down: then the service finds the connection closed
            responses, requests = await asyncio.open_unix_connection(self._server)
            self._open |= {writer, requests}
            await asyncio.gather(
                self._pass(reader, requests, "passes_requests"), self._pass(responses, writer, "passes_responses")
            )
            self._open -= {writer, requests}
        writer.transport.abort()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, switch: str) -> None:
        with suppress(OSError):
            while data := await source.read(self.piece):
                await asyncio.sleep(self.delay)
                while not getattr(self, switch):
                    await asyncio.sleep(0.01)
                sink.write(data)
                await sink.drain()
        sink.close()

    async def _run(self, listener: socket.socket, ready: threading.Event) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, sock=listener)
        ready.set()
        await self._over.wait()
        server.close()
        await self._reset()


@contextmanager
def proxy(server: Path) -> Iterator[Proxy]:
    """Run a proxy in front of the PostgreSQL that listens on this Unix socket."""
    listener, ready = socket.create_server(("127.0.0.1", 0)), threading.Event()
    made = Proxy(server, listener.getsockname()[1])
    thread = threading.Thread(target=lambda: asyncio.run(made._run(listener, ready)))
    thread.start()
    assert ready.wait(TIMEOUT)
    try:
        yield made
    finally:
        made._loop.call_soon_threadsafe(made._over.set)
        thread.join(TIMEOUT)
