"""Programs that run to their end; commands of `flask` in processes that start in milliseconds.

A new interpreter needs more than a second of CPU time to import the service, which most commands use for a hundredth of
that. Here a command is a copy (fork) of a process that has imported it: it has arguments, an environment, streams
and an exit status of its own. Tests with a terminal start `python -m flask` itself.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import flask.cli

import ticketsvc.application  # noqa: F401 -- for the copies
from ticketsvc.triage.offline.classifier import OfflineClassifier

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext

ROOT = Path(__file__).parents[2]
TIMEOUT = 300.0
"""Seconds. It only guards against hanging."""

OfflineClassifier()  # reads the lexicon, also for the copies


def run(*command: str, **environ: str) -> tuple[int, str]:
    """Run a Python module to its end. Return its exit status and everything it printed."""
    environment = {"PATH": os.environ["PATH"], **environ}
    if command[0] == "flask":
        done = run_flask(*command[1:], environment=environment, is_merged=True)
    else:
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT,
            check=False,
        )
    return done.returncode, done.stdout.decode()


def run_flask(
    *arguments: str, environment: dict[str, str], stdin: bytes = b"", is_merged: bool = False
) -> subprocess.CompletedProcess[bytes]:
    """Run a command of `flask` to its end; merged, errors are in its output. It may read 64 KB, the size of a pipe."""
    with tempfile.TemporaryDirectory(prefix="command-") as temporary:
        streams = [Path(temporary) / name for name in ("stdout", "stdout" if is_merged else "stderr")]
        process = _starter().Process(target=_main, args=(arguments, environment, stdin, list(map(str, streams))))
        process.start()
        process.join(TIMEOUT)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(arguments, TIMEOUT)
        output, errors = (path.read_bytes() for path in streams)
        return subprocess.CompletedProcess(arguments, process.exitcode, output, b"" if is_merged else errors)


@cache
def _starter() -> ForkServerContext:
    """Return the context of the process that has imported this module, and of which commands are copies."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _main(arguments: tuple[str, ...], environment: dict[str, str], stdin: bytes, streams: list[str]) -> None:
    """Be the process `flask`: take over its arguments, environment and streams, and end as an interpreter does."""
    reader, writer = os.pipe()
    os.write(writer, stdin)
    os.close(writer)
    opened = [reader, *(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT) for path in streams)]
    for descriptor, source in enumerate(opened):
        os.dup2(source, descriptor)
        os.close(source)
    sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False, buffering=1, errors="backslashreplace")  # noqa: SIM115
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["flask", *arguments]
    try:
        flask.cli.main()
    finally:
        atexit._run_exitfuncs()
