"""The scripts are plain sh, and the lock files that they install match what they were compiled from."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT
from ticketsvc import __version__

if TYPE_CHECKING:
    from pathlib import Path

SCRIPTS = sorted(path.name for path in (ROOT / "script").iterdir())
SHELLS = [shell for shell in ("sh", "dash", "bash") if shutil.which(shell)]
LOCK_FILES = sorted(path.name for path in ROOT.glob("requirements*.txt"))


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("script", SCRIPTS)
def test_script_has_valid_syntax(script: str, shell: str) -> None:
    assert subprocess.run([shell, "-n", ROOT / "script" / script], check=False).returncode == 0


@pytest.mark.parametrize("script", [script for script in SCRIPTS if script != "environment"])
def test_script_is_executable(script: str) -> None:
    path = ROOT / "script" / script
    assert path.stat().st_mode & 0o111
    assert path.read_text().startswith("#!/bin/sh\n")


def test_excluded_paths_exist() -> None:
    """A path that pytest is to ignore but that does not exist is not reported by pytest."""
    paths = re.findall(r"\btests/[\w/.]+", (ROOT / "script" / "test").read_text())
    assert len(paths) > 10
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", LOCK_FILES)
def test_lock_file_matches_its_source(name: str) -> None:
    locked = (ROOT / name).read_text()
    direct = (ROOT / name).with_suffix(".in").read_text()
    pins = [re.sub(r"\[.*\]", "", line) for line in direct.splitlines() if "==" in line]
    assert pins
    assert [pin for pin in pins if not re.search(rf"^{re.escape(pin)} ", locked, re.MULTILINE)] == [], "run script/lock"


@pytest.mark.parametrize("name", LOCK_FILES)
def test_lock_file_has_hashes_and_no_index(name: str) -> None:
    packages = re.split(r"^(?=\S)", re.sub(r"^ *#.*\n", "", (ROOT / name).read_text(), flags=re.MULTILINE), flags=re.M)
    assert len(packages) > 1
    assert [each for each in packages if each and not re.match(r"[\w.-]+==\S+ .*--hash=sha256:", each, re.DOTALL)] == []


def test_production_dependencies_have_reasons() -> None:
    """In requirements.in a comment precedes each group of packages."""
    groups = (ROOT / "requirements.in").read_text().strip().split("\n\n")[1:]
    assert len(groups) > 3
    assert [group for group in groups if not group.startswith("# ")] == []


PROGRAMS = r"(?:flask|gunicorn|pip|pip-audit|pytest|ruff|mypy|codespell|uv)"


@pytest.mark.parametrize("script", SCRIPTS)
def test_script_works_in_a_folder_that_was_moved(script: str) -> None:
    """The programs in .venv/bin name the Python of the folder that they were installed in; `python -m` does not."""
    text = (ROOT / "script" / script).read_text()
    assert re.findall(rf"^(?:[^#\n]*[;&|{{] *)?(?:exec +)?{PROGRAMS} .*", text, re.MULTILINE) == []


def test_commands_run_from_any_directory(tmp_path: Path, database_url: str) -> None:
    (tmp_path / "flask.py").write_text("raise SystemExit('not this one')")
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": database_url}
    for arguments, expected in (["--version"], f"Ticket service {__version__}\n"), (["migrate"], "is up to date.\n"):
        command = [str(ROOT / "script" / "flask"), *arguments]
        printed = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        assert printed.stdout.endswith(expected)


def test_flask_alone_lists_the_commands(tmp_path: Path, database_url: str) -> None:
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": database_url}
    run = subprocess.run(
        [ROOT / "script" / "flask"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert "\n  tickets  " in run.stdout + run.stderr


def test_server_prints_an_address_that_browsers_understand(database_url: str) -> None:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as free:
            port = str(free.getsockname()[1])
    except OSError:
        pytest.skip("no IPv6 here")
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": database_url, "HOST": "::1", "PORT": port}
    with subprocess.Popen([ROOT / "script" / "server"], env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        console = next(line.split()[1] for line in server.stdout if "Console" in line)
        server.terminate()
    assert console == f"http://[::1]:{port}/"


def test_server_refuses_a_port_that_is_taken(database_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        environment = {"PATH": os.environ["PATH"], "DATABASE_URL": database_url, "PORT": port}
        run = subprocess.run(
            [ROOT / "script" / "server"], env=environment, capture_output=True, text=True, check=False, timeout=300
        )
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.splitlines()[-1] == (
        f"Cannot listen on port {port} of 127.0.0.1: Address already in use."
        " Choose another port, such as PORT=3001 script/server."
    )


@pytest.mark.slow
def test_failed_installation_says_what_to_do(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "script", tmp_path / "script")
    for name in LOCK_FILES:
        shutil.copy(ROOT / name, tmp_path)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHON": sys.executable,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_CACHE_DIR": "1",
        "PIP_INDEX_URL": "http://127.0.0.1:9/",
    }
    run = subprocess.run(
        [tmp_path / "script" / "flask", "version"], env=environment, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout) == (1, "")
    assert "The packages could not be installed (pip's log is .venv/install.log): ERROR: " in run.stderr
    assert run.stderr.splitlines()[-1].startswith("They come from PyPI: is the internet reachable?")


def test_old_python_is_refused_with_its_version(tmp_path: Path) -> None:
    old = tmp_path / "python"
    old.write_text('#!/bin/sh\n[ "$1" != -V ] || echo Python 3.9.2\n[ "$1" = -V ]\n')
    old.chmod(0o755)
    environment = {"PATH": os.environ["PATH"], "PYTHON": str(old)}
    run = subprocess.run([ROOT / "script" / "flask"], env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr == (
        f"Python 3.11 or newer is needed; {old} is Python 3.9.2."
        " Set PYTHON to one that is, such as PYTHON=python3.12.\n"
    )
