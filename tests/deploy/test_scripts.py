"""The scripts are plain sh, and the lock files that they install match what they were compiled from."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tests.conftest import ROOT

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
