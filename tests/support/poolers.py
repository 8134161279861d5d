"""PgBouncer in front of the tests' PostgreSQL, with the configurations of docs/proxies.md.

TEST_PGBOUNCER names a PgBouncer other than the installed one: Debian 12 has 1.18, which cannot share sessions between
clients with prepared statements.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from configparser import ConfigParser
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.conftest import ROOT, free_port
from tests.support import programs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ticketsvc_dev.embedded.cluster import Cluster

_BLOCK = re.compile(r"^```(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PASSWORD = "secret"


def documented(language: str, containing: str) -> str:
    """Return the only block of docs/proxies.md in a language that contains a text."""
    blocks = _BLOCK.findall((ROOT / "docs" / "proxies.md").read_text())
    [found] = [text for name, text in blocks if name == language and containing in text]
    return str(found)


def program(is_current: bool) -> str:
    """Return the path of a PgBouncer before 1.21, or of 1.21 or newer; skip the test if there is none."""
    for path in filter(None, (os.environ.get("TEST_PGBOUNCER"), shutil.which("pgbouncer", path="/usr/sbin:/usr/bin"))):
        version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
        found = re.search(r"PgBouncer (\d+)\.(\d+)", version)
        if found and ((int(found[1]), int(found[2])) >= (1, 21)) == is_current:
            return path
    pytest.skip(f"no PgBouncer {'1.21 or newer' if is_current else 'before 1.21'} is installed")


@contextmanager
def pgbouncer(cluster: Cluster, url: str, path: str, configuration: str, **settings: object) -> Iterator[str]:
    """Run a PgBouncer with a documented configuration, changed by `settings`, and yield the URL through it."""
    port, role, name = free_port(), conninfo_to_dict(url)["user"], conninfo_to_dict(url)["dbname"]
    parser = ConfigParser(interpolation=None)
    parser.read_string(configuration)
    parser["databases"] = {"tickets": f"host={cluster.socket_directory} port=5432 dbname={name}"}
    with tempfile.TemporaryDirectory(prefix="pgbouncer-") as temporary:
        directory = Path(temporary)
        directory.chmod(0o755)
        (directory / "users").write_text(f'"{role}" "{PASSWORD}"\n')
        changed = {"listen_port": port, "auth_file": directory / "users", "unix_socket_dir": "", **settings}
        parser["pgbouncer"].update({key: str(value) for key, value in changed.items()})
        with (directory / "ini").open("w") as file:
            parser.write(file)
        account = cluster.account  # neither runs as root
        owner = {"user": account.user, "group": account.group} if account else {}
        through = f"postgresql://{role}:{PASSWORD}@127.0.0.1:{port}/tickets"
        command = [path, str(directory / "ini")]
        with programs.running(command, directory / "log", lambda: _accepts(through), **owner):
            yield through


def _accepts(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True
