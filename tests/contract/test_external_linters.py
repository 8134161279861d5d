"""Judges that others wrote: schemathesis over the whole API, squawk over the migrations"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT, serve

if TYPE_CHECKING:
    from tests.support.http import Service

EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES") or "10"
"""How many calls of each operation schemathesis makes up in each of its phases; .ci/run asks for more."""
PROGRAMS = Path(sys.executable).parent
MIGRATIONS = sorted((ROOT / "migrations").glob("*.sql"))

EXCUSED = {
    "require-lock-timeout": "ticketsvc/migrations/session.py sets it for every migration",
    "require-statement-timeout": "an index of many tickets takes as long as it takes; waits for locks are bounded",
    "prefer-robust-stmts": "yoyo runs each migration in a transaction: what fails leaves nothing behind",
}
EXCUSED_IN = {
    "0001_tickets": {
        "prefer-bigint-over-int": "the version of a ticket: 2,147,483,647 changes are enough",
        "require-concurrent-index-creation": "the table is made in the same migration",
    },
    "0002_triage": {
        "prefer-bigint-over-int": "a bucket is one of 2^18",
        "constraint-missing-not-valid": "the columns are new: every row has NULL there",
    },
    "0003_triage_examples": {
        "require-concurrent-index-creation": "hardly any ticket enters the index: half a second for a million",
    },
    "0004_search": {
        "prefer-bigint-over-int": "weeks since 1970",
    },
    "0005_statistics": {
        "prefer-bigint-over-int": "numbers of tickets, which are far fewer",
    },
    "0006_trust": {
        "prefer-bigint-over-int": "the version of a ticket, the calls in a window",
        "require-concurrent-index-creation": "the table is made in the same migration",
    },
}


def test_schemathesis_finds_nothing(service: Service, tmp_path: Path) -> None:
    judge(service, tmp_path)


def test_schemathesis_finds_nothing_where_keys_are_asked_for(
    database_url: str, cast: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    with serve(database_url, tmp_path / "log", REQUIRE_API_KEY="on", RATE_LIMIT="1000000/60") as guarded:
        judge(guarded, tmp_path, "--header", f"Authorization: {cast['admin']['Authorization']}")


def judge(service: Service, folder: Path, *options: str) -> None:
    """Let schemathesis look at a service; fail with its report unless all is well."""
    command = [f"{PROGRAMS}/schemathesis", "--config-file", f"{ROOT}/tests/support/schemathesis.toml", "run"]
    bounds = ["--max-examples", EXAMPLES, "--continue-on-failure", "--no-color", "--seed", "1"]
    judged = subprocess.run(
        [*command, f"http://127.0.0.1:{service.port}/openapi.json", *bounds, *options],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert re.search(r"(\d+) generated, \1 passed", judged.stdout), judged.stdout


@pytest.mark.parametrize("migration", MIGRATIONS, ids=lambda path: path.stem)
def test_squawk_finds_nothing_else(migration: Path) -> None:
    command = [f"{PROGRAMS}/squawk", "--reporter", "json", "--pg-version", "15.0"]
    judged = subprocess.run([*command, migration], capture_output=True, text=True, check=False)
    found = {fault["rule_name"] for fault in json.loads(judged.stdout)}
    assert found - EXCUSED.keys() == EXCUSED_IN.get(migration.stem, {}).keys()
