"""Runs this service, an earlier commit of it and the rival stacks in bench/peers side by side.

The servers are entries of bench/peers/servers.json or have the same form; each gets PORT and DATABASE_URL.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from ticketsvc.enums import CATEGORIES, PRIORITIES

ROOT = Path(__file__).parents[1]
LOAD = ROOT / "bench" / "load"
PEERS = ROOT / "bench" / "peers"
PROGRAMS = Path(sys.executable).parent

IDLE = 0.1
"""Seconds of CPU in one second below which Postgres counts as idle: a service without requests polls for events."""

Server = dict[str, Any]


def our_server(options: str = "", **environment: object) -> Server:
    """Return this service as a server, with options for gunicorn's command line and settings for its environment."""
    return _service(ROOT, PROGRAMS, "ours", options, environment)


def baseline_server(revision: str) -> Server:
    """Return an earlier commit of this service as a server, with its own database and virtual environment.

    The commit is checked out once, below PEERS_HOME. Raises subprocess.CalledProcessError for an unknown revision.
    """
    commit = subprocess.run(
        ["git", "rev-parse", "--short", f"{revision}^{{commit}}"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()
    folder = Path(os.environ["PEERS_HOME"]) / f"baseline-{commit}"
    if not folder.exists():
        say(f"checking out {commit}")
        subprocess.run(["git", "worktree", "prune"], cwd=ROOT, check=True)
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", str(folder), commit], cwd=ROOT, check=True)
    install = ". script/environment; install_requirements requirements.txt requirements-embedded.txt"
    subprocess.run(["sh", "-euc", install], cwd=folder, check=True, stdout=sys.stderr)
    return _service(folder, folder / ".venv" / "bin", f"baseline_{commit}", "", {})


def _service(folder: Path, programs: Path, database: str, options: str, environment: dict[str, object]) -> Server:
    migrate = f"PORT= {shlex.quote(str(programs / 'flask'))} migrate"  # the harness sets PORT=0 here
    return {
        "cwd": str(folder),
        "db": database,
        "schema": f"{migrate} && {{psql}} -q -v ON_ERROR_STOP=1 -f {shlex.quote(str(LOAD / 'max_uuid.sql'))}",
        "command": f"{shlex.quote(str(programs / 'gunicorn'))} app:app {options}",
        "ready": "/readyz",
        "env": {name: str(value) for name, value in environment.items()},
    }


class Harness:
    """The module bench.py of the harness with its running Postgres and tables of `rows` tickets."""

    def __init__(self, rows: int, baseline: str | None = None) -> None:
        self.module: Any = _import(PEERS)
        self.rows = rows
        self.known: dict[str, Server] = {
            "ours": our_server(),
            **({"baseline": baseline_server(baseline)} if baseline else {}),
            **json.loads((PEERS / "servers.json").read_text()),
        }
        self.postgres_pid: int = self.module.postgres().get_pid()

    def prepare(self, names: list[str], reload: bool = False) -> None:
        """Build the named servers and load a table of exactly `rows` tickets for each."""
        if unknown := [name for name in names if name not in self.known]:
            raise SystemExit(f"There is no server {', '.join(unknown)}. There are {', '.join(self.known)}.")
        if peers := [name for name in names if name not in ("ours", "baseline")]:
            say(f"building {', '.join(peers)}, where that is not done yet")
            command = ["./run.sh", "load", "--rows", str(self.rows), "--only", ",".join(peers)]
            environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
            subprocess.run(command, cwd=PEERS, env=environment, check=True, stdout=sys.stderr)
        for name in {self.known[name].get("db", name): name for name in reversed(names)}.values():
            self._load(name, reload and name == "ours")

    def _load(self, name: str, reload: bool) -> None:
        server = self.known[name]
        self.module.load({name: server}, self.rows, force=reload)
        if (found := self._count(name)) != self.rows:
            say(f"{name} has {found:,} tickets, not {self.rows:,}: loading it again")
            self.module.load({name: server}, self.rows, force=True)
        if name == "ours":
            self.migrate()

    def _count(self, name: str) -> int:
        with self.connect(name, self.known[name]) as connection:
            if connection.execute("SELECT to_regclass('tickets')").fetchone()[0] is None:
                return 0
            return int(connection.execute("SELECT count(*) FROM tickets").fetchone()[0])

    def migrate(self) -> None:
        """Apply the migrations that are newer than the database of this service."""
        server = self.known["ours"]
        url = self.url("ours", server)
        command = self.module.expand(server["schema"], psql=f"{self.module.BIN / 'psql'} {shlex.quote(url)}")
        done = subprocess.run(
            command, shell=True, cwd=ROOT, env=os.environ | {"DATABASE_URL": url}, stdout=sys.stderr, check=False
        )
        if done.returncode:
            raise SystemExit(
                "The migrations cannot be applied to the benchmark database. Create it again with --reload."
            )

    def url(self, name: str, server: Server) -> str:
        """Return the URL of a server's database."""
        return str(self.module.url(self.module.db_name(name, server, self.rows)))

    def connect(self, name: str, server: Server) -> Any:
        """Return an autocommit connection to a server's database."""
        return self.module.connect(self.module.db_name(name, server, self.rows))

    @contextmanager
    def started(self, name: str, server: Server) -> Iterator[Any]:
        """Run a server, idle at first. Afterwards stop it and wait until its database sessions have ended."""
        running = self.module.Running(name, server, self.rows)
        try:
            self.wait_until_idle()
            yield running
        finally:
            running.stop()
            self.module.settle(self.module.db_name(name, server, self.rows))

    def wait_until_idle(self) -> None:
        """Wait until Postgres has done what follows earlier writes: events, similar tickets, vacuuming.

        Exits with an error message if that takes an hour.
        """
        used, announced = self.cpu(self.postgres_pid), False
        for _ in range(3600):
            time.sleep(1)
            before, used = used, self.cpu(self.postgres_pid)
            if used - before < IDLE:
                return
            if not announced:
                say("waiting until Postgres has caught up with earlier writes")
                announced = True
        raise SystemExit("Postgres does not become idle. Find out from pg_stat_activity what it does.")

    @contextmanager
    def restored(self, name: str, server: Server) -> Iterator[None]:
        """Afterwards delete the tickets that were added, which have the highest IDs, and vacuum the table."""
        with self.connect(name, server) as connection:
            last = connection.execute("SELECT max(id) FROM tickets").fetchone()[0]
        try:
            yield
        finally:
            with self.connect(name, server) as connection:
                connection.execute("DELETE FROM tickets WHERE id > %s", (last,))
                connection.execute("VACUUM tickets")
                connection.execute("CHECKPOINT")

    def write_ids(self, name: str, server: Server) -> Path:
        """Write a file with the IDs of existing tickets, one per line, in random order."""
        path = Path(self.module.HOME) / f"ids-{self.module.db_name(name, server, self.rows)}.txt"
        with self.connect(name, server) as connection:
            ids = connection.execute("SELECT id::text FROM tickets ORDER BY random() LIMIT 20000").fetchall()
        path.write_text("".join(f"{row[0]}\n" for row in ids))
        return path

    def check(self, running: Any, server: Server) -> None:
        """Run the contract check of the harness. Exits with an error message if it fails.

        The check expects classify to match keywords and to return two members. For this service, any valid suggestion
        is replaced by the expected one.
        """
        call = running.call

        def call_ours(method: str, path: str, body: object = None) -> tuple[int, Any]:
            status, content = call(method, path, body)
            if path == "/api/tickets/classify/" and _is_suggestion(content):
                content = {"category": "billing", "priority": "critical"}
            return status, content

        if server["cwd"] != "{here}/floor" and "ready" in server:
            running.call = call_ours
        self.module.check(running)
        running.call = call

    def cpu(self, pid: int) -> float:
        """Return the CPU seconds used by a process and its descendants."""
        return float(self.module.tree_cpu(pid))


def get(connection: HTTPConnection, path: str) -> tuple[bytes, Any]:
    """Send a GET request and return the body and the headers. Exits with an error unless the status is 200."""
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise SystemExit(f"GET {path} failed with {response.status}: {body[:300]!r}")
    return body, response.headers


def say(text: str) -> None:
    """Print a progress message to standard error. Only results go to standard output."""
    print(text, file=sys.stderr, flush=True)


def _is_suggestion(content: Any) -> bool:
    return isinstance(content, dict) and content.get("category") in CATEGORIES and content.get("priority") in PRIORITIES


def _import(folder: Path) -> Any:
    script = folder / "bench.py"
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing. On Debian: apt install wrk")
    home = Path(os.environ.setdefault("PEERS_HOME", str(Path(tempfile.gettempdir()) / "ticket-peers")))
    home.mkdir(parents=True, exist_ok=True)
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
    sys.path.append(str(folder))
    spec = importlib.util.spec_from_file_location("peers_bench", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
