"""Masters of gunicorn that are copies (forks) of a process that has imported what a master does.

A new interpreter needs more CPU time for its imports than most tests for the rest. The workers import the service
themselves, as always: only after gevent's patches.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import Future
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

ROOT = Path(__file__).parents[2]
LOG = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


class Master:
    """A running master, with those methods of subprocess.Popen that tests use."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.ended: Future[int] = Future()

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs."""
        return self.ended.result() if self.ended.done() else None

    def wait(self, timeout: float) -> int:
        """Return the exit status once it has ended. Raises TimeoutError after `timeout` seconds."""
        return self.ended.result(timeout)

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if not self.ended.done():
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it without its doing."""
        self.send_signal(signal.SIGKILL)


class Starter:
    """The process whose copies are masters."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", __name__]
        environment = {"PATH": os.environ["PATH"]}
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._started: SimpleQueue[Master] = SimpleQueue()
        Thread(target=self._read, daemon=True).start()

    def start(self, environment: dict[str, str], log: Path) -> Master:
        """Start a master with an environment; its output goes into a file."""
        assert self._process.stdin
        print(json.dumps([environment, str(log)]), file=self._process.stdin, flush=True)
        return self._started.get()

    def _read(self) -> None:
        """Read which masters have started ("PID") and ended ("PID STATUS")."""
        assert self._process.stdout
        running: dict[int, Master] = {}
        for line in self._process.stdout:
            pid, *status = map(int, line.split())
            if status:
                running.pop(pid).ended.set_result(*status)
            else:
                running[pid] = Master(pid)
                self._started.put(running[pid])


@cache
def starter() -> Starter:
    """Return the process that starts masters; it ends with this one."""
    return Starter()


def main() -> None:
    """Import what a master does, then start one for each line of standard input."""
    from importlib import metadata

    import flask  # noqa: F401
    import gunicorn.app.wsgiapp

    import ticketsvc.server.worker  # noqa: F401
    from ticketsvc.triage.offline.classifier import OfflineClassifier

    def report_ended(*_: object) -> None:
        while any(ended := _ended_child()):
            print(*ended, flush=True)

    OfflineClassifier()  # reads the lexicon
    # gevent's patches look for plugins 25 times in each worker, and each time read the files of all installed packages.
    metadata.entry_points = metadata.entry_points().select
    assert "psycopg" not in sys.modules, "it decides at import how it waits"
    signal.signal(signal.SIGCHLD, report_ended)
    for line in sys.stdin:
        environment, log = json.loads(line)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # no end is reported before its start
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
            for path, flags, descriptors in (os.devnull, os.O_RDONLY, [0]), (log, LOG, [1, 2]):
                opened = os.open(path, flags)
                for descriptor in descriptors:
                    os.dup2(opened, descriptor)
                os.close(opened)
            os.environ.clear()
            os.environ.update(environment)
            sys.argv = ["gunicorn", "app:app"]
            gunicorn.app.wsgiapp.run(prog="gunicorn")
        print(pid, flush=True)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})


def _ended_child() -> tuple[int, int] | tuple[()]:
    """Return the process id and the exit status of a child that has ended, if one has."""
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return ()
    return (pid, os.waitstatus_to_exitcode(status)) if pid else ()


if __name__ == "__main__":
    main()
