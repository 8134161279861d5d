"""A bad network between the service and PostgreSQL: it delays, trickles, falls silent, resets."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RESET = struct.pack("ii", 1, 0)  # SO_LINGER for no time: closing sends RST


class Proxy:
    """Passes bytes between TCP on loopback and PostgreSQL's socket; its attributes may be changed at any time."""

    def __init__(self, server: Path, port: int) -> None:
        self.port = port
        self.delay = 0.0
        """Seconds that each piece of data is held up, in both directions."""
        self.piece = 65_536
        """Bytes that are passed at once."""
        self.takes_requests = True
        """Off: what the service sends goes nowhere, until it is on again."""
        self.passes_answers = True
        """Off: what PostgreSQL answers goes nowhere, until it is on again."""
        self._server = server
        self._open: set[asyncio.StreamWriter] = set()
        self._loop: asyncio.AbstractEventLoop
        self._over: asyncio.Event

    def reset(self) -> None:
        """End all connections as a failing network does, without a farewell."""
        asyncio.run_coroutine_threadsafe(self._reset(), self._loop).result(10)

    async def _reset(self) -> None:
        for writer in list(self._open):
            sock = writer.get_extra_info("socket")
            with suppress(OSError):  # closed by then
                if sock.family == socket.AF_INET:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):  # PostgreSQL may be away: then the service finds the connection closed
            answers, requests = await asyncio.open_unix_connection(self._server)
            self._open |= {writer, requests}
            await asyncio.gather(
                self._pass(reader, requests, "takes_requests"), self._pass(answers, writer, "passes_answers")
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
    """A proxy in front of the PostgreSQL that listens on this Unix socket."""
    listener, ready = socket.create_server(("127.0.0.1", 0)), threading.Event()
    made = Proxy(server, listener.getsockname()[1])
    thread = threading.Thread(target=lambda: asyncio.run(made._run(listener, ready)))
    thread.start()
    ready.wait(20)
    try:
        yield made
    finally:
        made._loop.call_soon_threadsafe(made._over.set)
        thread.join(20)
