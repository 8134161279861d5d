"""The scripts are plain sh: they run where there is no bash."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.conftest import ROOT

SCRIPTS = sorted(path.name for path in (ROOT / "script").iterdir())
SHELLS = [shell for shell in ("sh", "dash", "bash") if shutil.which(shell)]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("script", SCRIPTS)
def test_it_can_be_read(script: str, shell: str) -> None:
    assert subprocess.run([shell, "-n", ROOT / "script" / script], check=False).returncode == 0


@pytest.mark.parametrize("script", [script for script in SCRIPTS if script != "environment"])
def test_it_can_be_started(script: str) -> None:
    path = ROOT / "script" / script
    assert path.stat().st_mode & 0o111
    assert path.read_text().startswith("#!/bin/sh\n")
