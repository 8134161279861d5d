"""Two PostgreSQL servers under Patroni, with one etcd, on loopback. In production they are on machines of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psycopg

from ticketsvc_dev.high_availability.programs import Failure, Programs, children, free_ports, kill, say, wait_until

PATRONI = ("patroni[etcd3]==4.1.5", "psycopg[binary]>=3.2,<4")
"""The packages of the temporary virtual environment. They are no requirements of the service."""
BIN = Path("/usr/lib/postgresql/15/bin")
PASSWORD = "loopback"  # noqa: S105  # nobody else reaches these servers
TTL, LOOP_WAIT, RETRY_TIMEOUT = 20, 5, 5
"""Patroni's times in seconds. A leader that is gone is replaced after TTL, at least LOOP_WAIT + 2 * RETRY_TIMEOUT."""

HAPROXY = """\
global
    maxconn 500
defaults
    mode tcp
    timeout connect 3s
    timeout client 1h
    timeout server 1h
listen primary
    bind 127.0.0.1:{port}
    option httpchk OPTIONS /primary
    http-check expect status 200
    default-server inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
{servers}
"""
PGBOUNCER = """\
[databases]
tickets = host=127.0.0.1 port={haproxy} dbname=tickets
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = session
default_pool_size = 60
max_client_conn = 500
server_login_retry = 1
"""


def patroni_program(folder: Path, existing: Path | None) -> Path:
    """Return Patroni's program, after installing it into a virtual environment in `folder` unless there is one."""
    place = existing or folder / "venv"
    if not (place / "bin/patroni").exists():
        say(f"Installing {' '.join(PATRONI)} from PyPI into {place} ...")
        for command in (
            ["/usr/bin/python3", "-m", "venv", str(place)],  # that of Debian: every user can run it
            [str(place / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", *PATRONI],
        ):
            if subprocess.run(command, check=False).returncode:  # noqa: S603  # fixed words
                raise Failure("Patroni could not be installed: are PyPI and Debian's package python3-venv there?")
    return place / "bin/patroni"


@dataclass
class Node:
    """A PostgreSQL server with its Patroni."""

    name: str
    port: int
    rest_port: int
    folder: Path
    patroni: subprocess.Popen[bytes] | None = None

    @property
    def postmaster(self) -> int | None:
        """The process of the server, if it runs."""
        try:
            return int((self.folder / "data/postmaster.pid").read_text().split()[0])
        except (OSError, IndexError):
            return None

    def url(self, database: str) -> str:
        """Return the URL of a database on this server, whatever its role."""
        return f"postgresql://postgres:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def kill(self) -> None:
        """End Patroni, the server and all of its sessions at once, as a machine does that loses its power."""
        assert self.patroni is not None
        postmaster = self.postmaster
        kill(self.patroni.pid, *([postmaster, *children(postmaster)] if postmaster else []))
        self.patroni.wait(10)


class Cluster:
    """The nodes and etcd. Every program that runs is in `programs`."""

    def __init__(self, programs: Programs, patroni: Path) -> None:
        self.programs = programs
        self._patroni = patroni
        self._etcd, self._etcd_peers, *ports = free_ports(6)
        self.nodes = [
            Node(f"node{number}", ports[2 * number - 2], ports[2 * number - 1], programs.folder / f"node{number}")
            for number in (1, 2)
        ]

    @property
    def url(self) -> str:
        """The URL of the service: several hosts, of which libpq takes the one that can be written to."""
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)
        return f"postgresql://postgres:{PASSWORD}@{hosts}/tickets?target_session_attrs=read-write"

    def start(self) -> None:
        """Start etcd and both nodes, and wait until there are a leader and a synchronous standby."""
        client, peers = (f"http://127.0.0.1:{port}" for port in (self._etcd, self._etcd_peers))
        command = ["etcd", "--name", "etcd", "--data-dir", str(self.programs.folder / "etcd")]
        command += ["--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peers]
        command += ["--initial-advertise-peer-urls", peers, "--initial-cluster", f"etcd={peers}"]
        self.programs.start("etcd", command)
        for node in self.nodes:
            self.start_node(node)
            wait_until(self.leader, "there is a leader")
        self.wait_until_whole()

    def start_node(self, node: Node) -> None:
        """Start the Patroni of a node, which starts the server."""
        file = self.programs.folder / f"{node.name}.yml"
        file.write_text(json.dumps(self._configuration(node), indent=2))  # JSON is YAML
        node.patroni = self.programs.start(node.name, [self._patroni, file])

    def wait_until_whole(self) -> None:
        """Wait until there are a leader and a synchronous standby that has caught up."""
        self.programs.check()
        wait_until(self._is_whole, "there are a leader and a synchronous standby", 120)

    def leader(self) -> Node | None:
        """Return the node that takes writes, if there is one."""
        return next((node for node in self.nodes if self._status(node, "primary") == 200), None)

    def standby(self) -> Node | None:
        """Return the synchronous standby, if there is one."""
        return next((node for node in self.nodes if self._status(node, "sync") == 200), None)

    def switch_over(self) -> None:
        """Ask for the planned change of the leader, as `patronictl switchover` does."""
        leader, standby = self.leader(), self.standby()
        assert leader
        assert standby
        self._request(leader, "POST", "switchover", {"leader": leader.name, "candidate": standby.name})

    def set_strict(self, is_strict: bool) -> None:
        """Let writes wait as long as there is no synchronous standby (`synchronous_mode_strict`), or not."""
        leader = self.leader()
        assert leader
        self._request(leader, "PATCH", "config", {"synchronous_mode_strict": is_strict})

    def stop_servers(self) -> None:
        """End servers that Patroni has left behind because it was killed."""
        for node in self.nodes:
            if postmaster := node.postmaster:
                kill(postmaster, *children(postmaster))

    def start_pgbouncer(self) -> str:
        """Start HAProxy, which follows the leader, and PgBouncer in front of it; return the URL through both."""
        haproxy, pgbouncer = free_ports(2)
        servers = "".join(
            f"    server {node.name} 127.0.0.1:{node.port} check port {node.rest_port}\n" for node in self.nodes
        )
        folder = self.programs.folder
        (folder / "haproxy.cfg").write_text(HAPROXY.format(port=haproxy, servers=servers))
        (folder / "users").write_text(f'"postgres" "{PASSWORD}"\n')
        (folder / "pgbouncer.ini").write_text(PGBOUNCER.format(haproxy=haproxy, port=pgbouncer, users=folder / "users"))
        path = {"PATH": f"{os.environ['PATH']}:/usr/sbin"}
        self.programs.start("haproxy", ["haproxy", "-db", "-f", folder / "haproxy.cfg"], path)
        self.programs.start("pgbouncer", ["pgbouncer", folder / "pgbouncer.ini"], path)
        return f"postgresql://postgres:{PASSWORD}@127.0.0.1:{pgbouncer}/tickets"

    def _is_whole(self) -> bool:
        """Return whether Patroni and the leader itself say that the other node is the synchronous standby."""
        leader, standby = self.leader(), self.standby()
        if leader is None or standby in (None, leader):
            return False
        with suppress(psycopg.OperationalError), closing(psycopg.connect(leader.url("postgres"))) as connection:
            return connection.execute("SELECT FROM pg_stat_replication WHERE sync_state = 'sync'").rowcount > 0
        return False

    def _status(self, node: Node, path: str) -> int:
        try:
            return self._request(node, "GET", path)
        except OSError:
            return 0

    def _request(self, node: Node, method: str, path: str, body: dict[str, Any] | None = None) -> int:
        seconds = 2 if method == "GET" else 60  # a Patroni that hangs has no role
        with closing(HTTPConnection("127.0.0.1", node.rest_port, timeout=seconds)) as connection:
            connection.request(method, f"/{path}", json.dumps(body) if body is not None else None)
            response = connection.getresponse()
            text = response.read().decode()
        if method != "GET" and response.status >= 300:
            raise Failure(f"{method} {path}: the Patroni of {node.name} responds {response.status}: {text}")
        return response.status

    def _configuration(self, node: Node) -> dict[str, Any]:
        node.folder.mkdir(exist_ok=True)
        if os.geteuid() == 0:
            owner = self.programs.folder.stat()
            os.chown(node.folder, owner.st_uid, owner.st_gid)
        login = {"username": "postgres", "password": PASSWORD}
        return {
            "scope": "tickets",
            "name": node.name,
            "restapi": {
                "listen": f"127.0.0.1:{node.rest_port}",
                "connect_address": f"127.0.0.1:{node.rest_port}",
            },
            "etcd3": {"host": f"127.0.0.1:{self._etcd}"},
            "bootstrap": {
                "dcs": {
                    "ttl": TTL,
                    "loop_wait": LOOP_WAIT,
                    "retry_timeout": RETRY_TIMEOUT,
                    "synchronous_mode": True,
                    "postgresql": {"use_pg_rewind": True, "parameters": {"wal_keep_size": "256MB"}},
                },
                "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "data-checksums"],
            },
            "postgresql": {
                "listen": f"127.0.0.1:{node.port}",
                "connect_address": f"127.0.0.1:{node.port}",
                "data_dir": str(node.folder / "data"),
                "bin_dir": str(BIN),
                "pgpass": str(node.folder / "pgpass"),
                "authentication": {"superuser": login, "replication": login, "rewind": login},
                "pg_hba": [
                    "local all all trust",
                    "host all all 127.0.0.1/32 scram-sha-256",
                    "host replication all 127.0.0.1/32 scram-sha-256",
                ],
                "parameters": {"unix_socket_directories": str(node.folder), "max_connections": 100},
            },
        }


def pause(process: subprocess.Popen[bytes] | None, is_paused: bool) -> None:
    """Stop a process so that it hangs, or let it go on."""
    assert process is not None
    process.send_signal(signal.SIGSTOP if is_paused else signal.SIGCONT)
