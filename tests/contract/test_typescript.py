"""A TypeScript client generated from the OpenAPI document type-checks and works."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT
from tests.support import api_docs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.http import Service

SOURCES = ROOT / "tests" / "contract" / "typescript"


@pytest.fixture(scope="module")
def project() -> Path:
    """Return the directory of the client with its packages installed. They are kept for the next run."""
    if shutil.which("npm") is None:
        pytest.skip("needs npm: apt-get install npm")
    folder = ROOT / "var" / "typescript"
    shutil.copytree(SOURCES, folder, dirs_exist_ok=True)
    wanted = (SOURCES / "package.json").read_text()
    installed = folder / "node_modules" / "installed"
    if not installed.exists() or installed.read_text() != wanted:
        command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]
        if subprocess.run(command, cwd=folder, capture_output=True, timeout=300, check=False).returncode:
            pytest.skip("npm cannot install what the test needs: is its registry out of reach?")
        installed.write_text(wanted)
    return folder


def run(project: Path, *command: str, **environment: str) -> None:
    """Run a program in the project. Fails with its output."""
    ran = subprocess.run(
        command, cwd=project, env=os.environ | environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_it_works(service: Service, project: Path) -> None:
    (project / "openapi.json").write_text(json.dumps(api_docs.load()))
    run(project, "node_modules/.bin/openapi-typescript", "openapi.json", "-o", "tickets.d.ts")
    run(project, "node_modules/.bin/tsc")
    run(project, "node", "made/client.js", SERVICE=f"http://127.0.0.1:{service.port}")
