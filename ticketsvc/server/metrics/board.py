"""Where workers put their counts together: a directory with a file for each, and one for those that have ended.

A worker replaces its file every second and before it answers a scrape, so two scrapes never see a count go backwards.
A killed worker loses what it counted since. The master adds an ended worker's counts to the past.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ticketsvc.server.metrics.counts import Key

VARIABLE = "TICKETSVC_METRICS_DIRECTORY"
"""Set by gunicorn's master for its workers, not by people."""

_PAST = "past"
_MEMORY = Path("/dev/shm")  # noqa: S108  # no disk is touched there; the directory made in it is private


@dataclass
class Snapshot:
    """What processes counted until a moment; `gauges` are as of now, and end with their process.

    `started` is when the first of them began, in seconds since 1970.
    """

    started: float
    counters: dict[Key, float] = field(default_factory=dict)
    histograms: dict[Key, list[float]] = field(default_factory=dict)
    gauges: dict[Key, float] = field(default_factory=dict)

    def add(self, other: Snapshot) -> None:
        """Take another process's counts in."""
        self.started = min(self.started, other.started)
        for ours, theirs in ((self.counters, other.counters), (self.gauges, other.gauges)):
            for key, value in theirs.items():
                ours[key] = ours.get(key, 0) + value
        for key, histogram in other.histograms.items():
            known = self.histograms.get(key)
            self.histograms[key] = [a + b for a, b in zip(known, histogram, strict=True)] if known else histogram


class Board:
    """The directory; `current()` finds it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @classmethod
    def make(cls) -> Board:
        """Make the directory, and let the processes that this one starts find it. It ends with this process."""
        directory = tempfile.mkdtemp(prefix="ticketsvc-metrics-", dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None)
        os.environ[VARIABLE] = directory
        atexit.register(_remove, directory, os.getpid())
        return cls(Path(directory))

    def publish(self, pid: int, snapshot: Snapshot) -> None:
        """Put up what a process has counted until now. Raises OSError."""
        self._write(str(pid), snapshot)

    def bury(self, pid: int) -> None:
        """Keep an ended worker's counts, and forget its gauges. Raises OSError."""
        ended = self._directory / str(pid)
        with self._locked(fcntl.LOCK_EX):
            if ended.exists():
                past = self._sum([_PAST, ended.name])
                past.gauges = {}
                self._write(_PAST, past)
                ended.unlink()

    def total(self) -> Snapshot:
        """The counts of all workers, living and ended, and the gauges of the living. Raises OSError."""
        with self._locked(fcntl.LOCK_SH):
            return self._sum([path.name for path in self._directory.iterdir() if path.suffix == ""])

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        with (self._directory / "board.lock").open("w") as lock:
            fcntl.flock(lock, how)
            yield

    def _sum(self, names: list[str]) -> Snapshot:
        total = Snapshot(float("inf"))
        for name in names:
            path = self._directory / name
            if path.exists():
                total.add(_read(path))
        return total

    def _write(self, name: str, snapshot: Snapshot) -> None:
        members = {
            kind: [[list(key), value] for key, value in found.items()] if isinstance(found, dict) else found
            for kind, found in vars(snapshot).items()
        }
        unfinished = self._directory / f"{name}.part"
        unfinished.write_text(json.dumps(members))
        unfinished.replace(self._directory / name)


def current() -> Board | None:
    """The board of the server that started this process; None: there is none, as in a command."""
    directory = os.environ.get(VARIABLE)
    return Board(Path(directory)) if directory else None


def _remove(directory: str, maker: int) -> None:
    """Workers are forks and inherit what is to be done at the end; this is the master's."""
    if os.getpid() == maker:
        shutil.rmtree(directory, ignore_errors=True)


def _read(path: Path) -> Snapshot:
    members = json.loads(path.read_text())
    started = members.pop("started")
    return Snapshot(started, **{kind: {tuple(key): value for key, value in rows} for kind, rows in members.items()})
