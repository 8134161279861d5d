"""Clients that other people's generators make of the OpenAPI document compile, and use every operation.

Each client is a program in a directory of its language. It creates, lists to the last page, changes, imports and so on,
with an API key, and fails unless it gets the responses and the problem documents with the types of its language.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.conftest import serve
from tests.support.cast import insert_key
from tests.support.openapi_contract import DOCUMENT
from tests.support.packages import CACHE, install, install_npm, needs, run
from tests.support.webhooks import insert_delivery, insert_webhook

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.http import Service

    Make = Callable[[Path], list[str]]

SOURCES = Path(__file__).parent


def generators() -> Path:
    """Return the environment of its own in which tests/clients/requirements.txt is installed."""
    lock = SOURCES / "requirements.txt"
    pip = ["bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    return install("python", lock, [sys.executable, "-m", "venv", "."], [*pip, "-r", str(lock)])


def typescript(folder: Path) -> list[str]:
    """Make the client in TypeScript."""
    (folder / "node_modules").symlink_to(install_npm("typescript", SOURCES / "typescript"))
    run(folder, "node_modules/.bin/openapi-typescript", "openapi.json", "-o", "tickets.d.ts")
    run(folder, "node_modules/.bin/tsc")
    return ["node", "made/client.js"]


def python(folder: Path) -> list[str]:
    """Make the client in Python. mypy takes the place of a compiler."""
    interpreter = str(generators() / "bin" / "python")
    options = ["--path", "openapi.json", "--meta", "none", "--config", "openapi-python-client.yml", "--fail-on-warning"]
    run(folder, interpreter, "-m", "openapi_python_client", "generate", *options)
    check = ["--python-executable", interpreter, "--config-file", os.devnull, "--cache-dir", str(CACHE / "mypy")]
    run(folder, sys.executable, "-m", "mypy", "--strict", "--follow-imports", "silent", *check, "client.py")
    return [interpreter, "client.py"]


def go(folder: Path) -> list[str]:
    """Make the client in Go. The generator is a program in Java, the client needs only the standard library."""
    needs("go", "java")
    (jar,) = generators().glob("lib/*/site-packages/openapi_generator_cli/openapi-generator.jar")
    properties = "--additional-properties=packageName=tickets,withGoMod=false"
    short_lived = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]  # optimizing takes longer than it saves
    generate = ["generate", "-i", "openapi.json", "-g", "go", "-o", "tickets", properties]
    run(folder, "java", *short_lived, "-jar", str(jar), *generate)
    offline = {"GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOCACHE": str(CACHE / "go")}
    run(folder, "go", "build", "-o", "client", ".", **offline)
    return ["./client"]


def successes(service: Service) -> set[str]:
    """Return the names of the operations that have succeeded, by the service's log."""
    lines = [json.loads(line) for line in service.log.read_text().splitlines()]
    return {
        DOCUMENT.at(
            line["method"],
            re.sub(r"<(?:uuid:)?(\w+)>", r"{\1}", line["route"]).replace("{name}", "{page}"),
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
        insert_delivery(database, insert_webhook(database), "failed")
    with serve(own_url, tmp_path / "log", REQUIRE_API_KEY="on") as service:
        run(folder, *command, SERVICE=f"http://127.0.0.1:{service.port}", KEY=key)
        unused = {operation.name for operation in DOCUMENT} - successes(service)
    assert unused == set()
