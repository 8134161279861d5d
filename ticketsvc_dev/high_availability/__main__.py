"""The command line of `script/high-availability`. The table goes to standard output, progress to standard error."""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import psycopg

from ticketsvc_dev.high_availability import promises
from ticketsvc_dev.high_availability.cluster import BIN, Cluster, patroni_program, pause
from ticketsvc_dev.high_availability.programs import Failure, Programs, free_ports, say, wait_until
from ticketsvc_dev.high_availability.promises import Result

ROOT = Path(__file__).parents[2]
PACKAGES = {"etcd": "etcd-server", "haproxy": "haproxy", "pgbouncer": "pgbouncer"}
LIMIT_SECONDS = 1200
"""The time after which everything is stopped."""


def main() -> None:
    """Set up the cluster, run the cases, print the table and stop everything. The status is 1 if a promise fails."""
    options = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGALRM, lambda *_: sys.exit(f"Stopped after {LIMIT_SECONDS} s."))
    signal.alarm(LIMIT_SECONDS)
    _check_packages()
    with tempfile.TemporaryDirectory(prefix="tickets-ha-", ignore_cleanup_errors=True) as temporary:
        programs = Programs(Path(temporary))
        try:
            cluster = Cluster(programs, patroni_program(programs.folder, options.venv))
            try:
                results = _run(cluster, programs)
            finally:
                say("Stopping ...")
                programs.stop()
                cluster.stop_servers()
        except Failure as failure:
            logs = shutil.copytree(temporary, f"{temporary}-logs", ignore=lambda _, names: _no_logs(names))
            raise SystemExit(f"{failure}\nThe logs are in {logs}.") from None
    _print(results)
    if not all(result.holds for result in results):
        raise SystemExit("A promise does not hold.")


def _run(cluster: Cluster, programs: Programs) -> list[Result]:
    say("Starting etcd and two PostgreSQL servers under Patroni ...")
    cluster.start()
    leader = cluster.leader()
    assert leader
    with closing(psycopg.connect(leader.url("postgres"), autocommit=True)) as connection:
        connection.execute("CREATE DATABASE tickets")
    flask = [sys.executable, "-m", "flask", "--app", "app"]
    _finish(programs.start("migrate", [*flask, "migrate"], {"DATABASE_URL": cluster.url}, ROOT, is_service=True))
    programs.start("work", [*flask, "work"], {"DATABASE_URL": cluster.url}, ROOT, is_service=True)
    direct = _serve(programs, "service", cluster.url)
    through = _serve(programs, "service-pgbouncer", cluster.start_pgbouncer())

    def kill_leader() -> None:
        killed = cluster.leader()
        assert killed
        killed.kill()
        wait_until(lambda: cluster.leader() not in (None, killed), "the standby is the leader")
        time.sleep(promises.STEADY_SECONDS)
        cluster.start_node(killed)
        cluster.wait_until_whole()

    def switch_over() -> None:
        cluster.switch_over()
        cluster.wait_until_whole()

    def kill_standby() -> None:
        killed = cluster.standby()
        assert killed
        killed.kill()
        time.sleep(30)
        cluster.start_node(killed)
        cluster.wait_until_whole()

    def kill_standby_strictly() -> None:
        cluster.set_strict(True)
        time.sleep(10)  # until Patroni has read it
        kill_standby()
        cluster.set_strict(False)

    def hang_patroni() -> None:
        hung = cluster.leader()
        assert hung
        pause(hung.patroni, True)
        wait_until(lambda: cluster.leader() not in (None, hung), "the standby is the leader")
        time.sleep(10)
        pause(hung.patroni, False)
        cluster.wait_until_whole()

    several = "several hosts in DATABASE_URL"
    cases = [
        (f"planned switchover, {several}", direct, switch_over),
        (f"leader killed, {several}", direct, kill_leader),
        ("planned switchover, PgBouncer and HAProxy", through, switch_over),
        ("leader killed, PgBouncer and HAProxy", through, kill_leader),
        ("standby killed for 30 s", direct, kill_standby),
        ("standby killed for 30 s, synchronous_mode_strict", direct, kill_standby_strictly),
        (f"Patroni of the leader hangs, {several}", direct, hang_patroni),
    ]
    results = []
    for case, port, disturb in cases:
        results.append(promises.run(case, port, cluster.url, disturb))
        say(
            "    " + ", ".join(f"{name}: {cell}" for name, cell in zip(promises.HEADER, results[-1].cells, strict=True))
        )
        programs.check()
    return results


def _serve(programs: Programs, name: str, database_url: str) -> int:
    [port] = free_ports(1)
    environment = {"DATABASE_URL": database_url, "PORT": str(port), "HOST": "127.0.0.1", "LOG_LEVEL": "WARNING"}
    programs.start(name, [sys.executable, "-m", "gunicorn", "app:app"], environment, ROOT, is_service=True)

    def is_ready() -> bool:
        with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200

    wait_until(is_ready, f"{name} is ready")
    return port


def _finish(process: subprocess.Popen[bytes]) -> None:
    if process.wait(120):
        raise Failure("flask migrate has failed.")


def _check_packages() -> None:
    path = f"{BIN}:/usr/local/bin:/usr/bin:/usr/local/sbin:/usr/sbin"
    missing = [package for program, package in PACKAGES.items() if not shutil.which(program, path=path)]
    if not (BIN / "postgres").exists():
        missing.append("postgresql-15")
    if missing:
        raise SystemExit(f"These Debian packages are needed: apt-get install {' '.join(missing)}")


def _no_logs(names: list[str]) -> list[str]:
    return [name for name in names if not name.endswith(".log")]


def _print(results: list[Result]) -> None:
    rows = [promises.HEADER, ["---"] * len(promises.HEADER), *[result.cells for result in results]]
    print("\n".join(f"| {' | '.join(row)} |" for row in rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="script/high-availability",
        description="Sets up PostgreSQL with Patroni on loopback in a temporary folder, kills its servers while the"
        " service writes, and reports what was lost. Takes about six minutes and listens on loopback only.",
    )
    parser.add_argument("--venv", type=Path, help="a virtual environment that has Patroni, or gets it and is kept")
    return parser


if __name__ == "__main__":
    main()
