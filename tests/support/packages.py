"""Packages of other registries and environments that tests run programs of. They stay installed for the next run."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ticketsvc-tests"
"""Has a directory for each set of packages, also for other checkouts: installing takes longer than the tests."""
TIMEOUT = 600
"""Seconds. It only guards against hanging."""


def run(folder: Path, *command: str, **environment: str) -> str:
    """Run a program in a directory. Returns its output, with which it fails."""
    ran = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def install(name: str, lock: Path, *commands: list[str]) -> Path:
    """Return the directory below CACHE in which the commands have installed what a file locks. Skips if they cannot."""
    folder = CACHE / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "installed").open("a+") as stamp:
        fcntl.flock(stamp, fcntl.LOCK_EX)  # tests run in several processes
        stamp.seek(0)
        if stamp.read() != (wanted := lock.read_text()):
            for command in commands:
                ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT, check=False)
                if ran.returncode:
                    pytest.skip(f"{command[0]} cannot install what the test needs: {ran.stderr[-300:]}")
            stamp.truncate(0)
            stamp.write(wanted)
    return folder


def needs(*programs: str) -> None:
    """Skip the test unless these programs are installed."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}: .ci/run installs it")


def install_npm(name: str, project: Path) -> Path:
    """Return the directory node_modules with what the lock file of a project names. Skips without npm or network."""
    needs("npm")
    copy = ["cp", str(project / "package.json"), str(project / "package-lock.json"), "."]
    npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    return install(name, project / "package-lock.json", copy, npm) / "node_modules"
