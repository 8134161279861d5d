"""Programs that are started in a folder, and stopped by the numbers of their processes."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any


class Failure(Exception):
    """The cluster or the service did not do what it should. The message says what, for people."""


def say(text: str) -> None:
    """Report progress."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


def wait_until(condition: Callable[[], object], what: str, seconds: float = 90.0) -> None:
    """Poll until a condition holds. Raises Failure with `what` after so many seconds; an OSError means not yet."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(OSError):
            if condition():
                return
        time.sleep(0.2)
    raise Failure(f"Within {seconds:.0f} s this was not so: {what}.")


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that nothing listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def children(pid: int) -> list[int]:
    """Return the processes that a process has started and that still run."""
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def kill(*pids: int) -> None:
    """End processes at once, as a power failure does."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


class Programs:
    """The programs that run. Those of PostgreSQL refuse to run as root: then they run as the user postgres."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._account: dict[str, Any] = {}
        if os.geteuid() == 0:
            entry = pwd.getpwnam("postgres")
            self._account = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
            os.chown(folder, entry.pw_uid, entry.pw_gid)

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        is_service: bool = False,
    ) -> subprocess.Popen[bytes]:
        """Start a program, with its output in a file of the folder."""
        account = {} if is_service else self._account
        variables = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **(environment or {})}
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603  # the commands are in these modules
                command,
                cwd=cwd or self.folder,
                env=variables,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **account,
            )
        self._running[name] = process
        return process

    def check(self) -> None:
        """Raise Failure with the end of its log if a program has ended by itself."""
        for name, process in self._running.items():
            if process.poll() not in (None, 0, -signal.SIGKILL):
                end = (self.folder / f"{name}.log").read_text(errors="replace")[-1500:]
                raise Failure(f"{name} has ended with status {process.returncode}:\n{end}")

    def stop(self) -> None:
        """Stop all programs, the last one first. Those that do not end within 20 seconds are killed."""
        for process in reversed(self._running.values()):
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    kill(*children(process.pid), process.pid)
                    process.wait(10)
