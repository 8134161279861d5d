"""Clients that other people's generators make of the OpenAPI document compile, and use every operation.

Each client is a program in a directory of its language. It creates, lists to the last page, changes, imports and so on,
with an API key, and fails unless it gets the responses and the problem documents with the types of its language.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.conftest import ROOT, serve
from tests.support.cast import insert_key
from tests.support.openapi_contract import DOCUMENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.http import Service

    Make = Callable[[Path], list[str]]

SOURCES = Path(__file__).parent
CACHE = ROOT / "var" / "clients"
"""What is installed stays here for the next run."""
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


def generators() -> Path:
    """Return the directory of the programs of tests/clients/requirements.txt, in an environment of their own."""
    lock = SOURCES / "requirements.txt"
    pip = ["bin/pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(lock)]
    return install("python", lock, [sys.executable, "-m", "venv", "."], pip) / "bin"


def typescript(folder: Path) -> list[str]:
    """Make the client in TypeScript."""
    needs("npm")
    lock = SOURCES / "typescript" / "package-lock.json"
    copy = ["cp", str(lock), str(lock.with_name("package.json")), "."]
    npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    (folder / "node_modules").symlink_to(install("typescript", lock, copy, npm) / "node_modules")
    run(folder, "node_modules/.bin/openapi-typescript", "openapi.json", "-o", "tickets.d.ts")
    run(folder, "node_modules/.bin/tsc")
    return ["node", "made/client.js"]


def python(folder: Path) -> list[str]:
    """Make the client in Python. mypy takes the place of a compiler."""
    programs = generators()
    options = ["--meta", "none", "--config", "openapi-python-client.yml", "--fail-on-warning"]
    run(folder, str(programs / "openapi-python-client"), "generate", "--path", "openapi.json", *options)
    check = ["--python-executable", str(programs / "python"), "--config-file", os.devnull, "--cache-dir", os.devnull]
    run(folder, sys.executable, "-m", "mypy", "--strict", "--follow-imports", "silent", *check, "client.py")
    return [str(programs / "python"), "client.py"]


def go(folder: Path) -> list[str]:
    """Make the client in Go. The generator is a program in Java, the client needs only the standard library."""
    needs("go", "java")
    options = [
        "-i",
        "openapi.json",
        "-g",
        "go",
        "-o",
        "tickets",
        "--additional-properties=packageName=tickets,withGoMod=false",
    ]
    parts = [
        "--global-property",
        "models,apis,supportingFiles,modelDocs=false,apiDocs=false,modelTests=false,apiTests=false",
    ]
    run(folder, str(generators() / "openapi-generator-cli"), "generate", *options, *parts)
    offline = {"GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOCACHE": str(CACHE / "go")}
    run(folder, "go", "build", "-o", "client", ".", **offline)
    return ["./client"]


def successes(service: Service) -> set[str]:
    """Return the names of the operations that have succeeded, by the service's log."""
    lines = [json.loads(line) for line in service.log.read_text().splitlines()]
    return {
        DOCUMENT.at(
            line["method"], line["route"].replace("<uuid:ticket_id>", "{ticket_id}").replace("<name>", "{page}")
        ).name
        for line in lines
        if line.get("status", 500) < 300
    }


@pytest.mark.parametrize("make", [typescript, python, go], ids=lambda make: make.__name__)
def test_a_generated_client_uses_every_operation(make: Make, own_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "client"
    shutil.copytree(SOURCES / make.__name__, folder)
    (folder / "openapi.json").write_text(json.dumps(DOCUMENT.raw))
    command, key = make(folder), f"tk_{secrets.token_hex()}"
    with closing(psycopg.connect(own_url, autocommit=True)) as database:
        insert_key(database, "client", "admin", key)
    with serve(own_url, tmp_path / "log", REQUIRE_API_KEY="on") as service:
        run(folder, *command, SERVICE=f"http://127.0.0.1:{service.port}", KEY=key)
        unused = {operation.name for operation in DOCUMENT} - successes(service)
    assert unused == set()
