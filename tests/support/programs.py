"""Programs other than the service that tests run: proxies and connection poolers."""

from __future__ import annotations

import socket
import subprocess
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from tests.support.locks import TIMEOUT, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path


@contextmanager
def running(command: Sequence[str], output: Path, is_ready: Callable[[], bool], **options: Any) -> Iterator[None]:
    """Run a program until the block ends, with its output in a file. Fails with the output if it does not get ready."""
    with output.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, **options)
    try:
        wait_until(lambda: process.poll() is not None or is_ready())
        assert process.poll() is None, output.read_text()
        yield
    finally:
        process.terminate()
        process.wait(TIMEOUT)


def listens(port: int) -> bool:
    """Return whether something accepts connections on a port of loopback."""
    with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), TIMEOUT)):
        return True
    return False
