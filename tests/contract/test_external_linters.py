"""External linters: schemathesis for the API, Redocly and Spectral for its description, squawk for the migrations."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, serve
from tests.support import api_docs
from tests.support.packages import install_npm

EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES") or ("10" if os.environ.get("FAULTS") == "all" else "3")
"""Requests that schemathesis generates per operation and phase, besides those of its phase of coverage."""
PROGRAMS = Path(sys.executable).parent
MIGRATIONS = sorted((ROOT / "migrations").glob("*.sql"))

EXCUSED = {
    "require-lock-timeout": "ticketsvc/migrations/session.py sets it for every migration",
    "require-statement-timeout": "creating an index may take long; waits for locks are bounded",
    "prefer-robust-stmts": "yoyo runs each migration in a transaction: a failed one leaves nothing behind",
}
EXCUSED_IN = {
    "0001_tickets": {
        "prefer-bigint-over-int": "the version of a ticket: 2,147,483,647 changes are enough",
        "require-concurrent-index-creation": "the table is made in the same migration",
    },
    "0002_triage": {
        "prefer-bigint-over-int": "a bucket is one of 2^16",
        "constraint-missing-not-valid": "the columns are new: every row has NULL there",
    },
    "0003_triage_examples": {
        "require-concurrent-index-creation": "few tickets enter the index: half a second per million",
    },
    "0004_search": {
        "prefer-bigint-over-int": "weeks since 1970",
    },
    "0005_statistics": {
        "prefer-bigint-over-int": "numbers of tickets, which are far fewer",
    },
    "0006_trust": {
        "prefer-bigint-over-int": "the version of a ticket, the requests in a window",
        "require-concurrent-index-creation": "the table is made in the same migration",
    },
    "0008_training_authors": {
        "prefer-bigint-over-int": "a bucket is one of 2^16",
    },
    "0010_people": {
        "ban-drop-constraint": "the trigger tickets_valid checks the same; the previous release checks what it writes",
        "require-concurrent-index-creation": "the table is made in the same migration",
    },
    "0011_comments": {
        "prefer-bigint-over-int": "the version of a ticket",
        "require-concurrent-index-creation": "the table is made in the same migration",
    },
    "0012_pending_training": {
        "prefer-bigint-over-int": "a bucket is one of 2^16, a sign is 1 or -1",
    },
    "0013_events": {
        "prefer-bigint-over-int": "generations: one for each restore",
        "require-concurrent-index-creation": "the table is made in the same migration",
    },
    "0014_webhooks": {
        "prefer-bigint-over-int": "numbers of attempts, a status, a duration of seconds",
        "require-concurrent-index-creation": "the table is made in the same migration",
    },
    "0016_similar": {
        "prefer-bigint-over-int": "a stem is one of 2^20, and tickets are far fewer",
    },
    "0017_signs": {
        "require-concurrent-index-creation": "the table is made in the same migration",
    },
    "0007_names": {
        "renaming-table": "sql/compatibility.sql has the old names",
        "renaming-column": "sql/compatibility.sql has the old names",
        "renaming-object": "sql/compatibility.sql has the old names that the previous release uses",
        "ban-drop-function": "the definitions create them again, with other parameters, in the same transaction",
    },
    "0015_durations": {
        "prefer-bigint-over-int": "numbers of tickets, which are far fewer",
        "prefer-bigint-over-smallint": "one of 865 buckets",
    },
}


EXCUSED_IN_DOCUMENT = {
    "no-path-trailing-slash": "the old backend's paths, which clients use, end with one",
    "path-keys-no-trailing-slash": "the same",
    "info-contact": "an operator of the service is the contact",
    "oas3-operation-security-defined": "Spectral does not know that bearer keys have scopes since OpenAPI 3.1",
}
LINTERS = Path(__file__).parent / "linters"


@pytest.mark.parametrize(
    ("command", "problems", "rule"),
    [
        (["redocly", "lint", "--format", "json"], "problems", "ruleId"),
        (["spectral", "lint", "--format", "json", "--ruleset", "spectral.yml"], "", "code"),
    ],
    ids=["redocly", "spectral"],
)
def test_linters_of_the_document_find_only_excused_problems(
    command: list[str], problems: str, rule: str, tmp_path: Path
) -> None:
    (tmp_path / "node_modules").symlink_to(install_npm("linters", LINTERS))
    (tmp_path / "spectral.yml").write_text("extends: ['spectral:oas']")
    (tmp_path / "openapi.json").write_text(json.dumps(api_docs.load()))
    command = [f"node_modules/.bin/{command[0]}", *command[1:], "openapi.json"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    found = json.loads(result.stdout)
    codes = {problem[rule] for problem in (found[problems] if problems else found)}
    assert codes, result.stderr
    assert codes <= EXCUSED_IN_DOCUMENT.keys()


def test_schemathesis_finds_nothing(database_url: str, cast: dict[str, dict[str, str]], tmp_path: Path) -> None:
    """With keys required: schemathesis then also tries each operation without one. A key changes nothing else."""
    command = [f"{PROGRAMS}/schemathesis", "--config-file", f"{ROOT}/tests/support/schemathesis.toml", "run"]
    options = ["--max-examples", EXAMPLES, "--continue-on-failure", "--no-color", "--seed", "1"]
    options += ["--header", f"Authorization: {cast['admin']['Authorization']}"]
    with serve(database_url, tmp_path / "log", REQUIRE_API_KEY="on", RATE_LIMIT="1000000/60") as service:
        result = subprocess.run(
            [*command, f"http://127.0.0.1:{service.port}/openapi.json", *options],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.search(r"(\d+) generated, \1 passed", result.stdout), result.stdout


@pytest.mark.parametrize("migration", MIGRATIONS, ids=lambda path: path.stem)
def test_squawk_finds_only_excused_problems(migration: Path) -> None:
    command = [f"{PROGRAMS}/squawk", "--reporter", "json", "--pg-version", "15.0"]
    result = subprocess.run([*command, migration], capture_output=True, text=True, check=False)
    found = {problem["rule_name"] for problem in json.loads(result.stdout)}
    assert found - EXCUSED.keys() == EXCUSED_IN.get(migration.stem, {}).keys()
