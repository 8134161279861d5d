"""The official clients of the Model Context Protocol, in Python and JavaScript, use every tool, in both of their modes.

Each client is a program that fails unless it negotiates the expected version, finds the tools of its key, and gets the
results, which it also checks against the schemas.
"""

from __future__ import annotations

import json
import re
import secrets
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.conftest import ROOT, serve
from tests.support.cast import insert_key
from tests.support.packages import install, install_npm, run
from ticketsvc.api.mcp.tools import TOOLS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.http import Service

    Make = Callable[[Path], list[str]]
    Agency = tuple[Service, dict[str, str]]

SOURCES = Path(__file__).parent / "agents"


def python(_: Path) -> list[str]:
    """Return the command of the client in Python, which has an environment of its own."""
    lock, uv = SOURCES / "requirements.txt", [sys.executable, "-m", "uv"]
    options = ["--quiet", "--python", "bin/python", "--require-hashes"]
    commands = [*uv, "venv", "--quiet", "--allow-existing", "."], [*uv, "pip", "install", *options, "-r", str(lock)]
    return [str(install("agents-python", lock, *commands) / "bin" / "python"), str(SOURCES / "agent.py")]


def javascript(folder: Path) -> list[str]:
    """Return the command of the client in JavaScript."""
    (folder / "node_modules").symlink_to(install_npm("agents-javascript", SOURCES))
    (folder / "agent.mjs").write_bytes((SOURCES / "agent.mjs").read_bytes())
    return ["node", "agent.mjs"]


@pytest.fixture(scope="module")
def agency(migrated_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agency]:
    """The service under gunicorn with API keys, and the environment of a client."""
    url, keys = migrated_database(), {name: f"tk_{secrets.token_hex()}" for name in ("reader", "writer")}
    with closing(psycopg.connect(url, autocommit=True)) as database:
        for name, scope in (("reader", "read"), ("writer", "write")):
            insert_key(database, name, scope, keys[name])
    with serve(url, tmp_path_factory.mktemp("agents") / "log", REQUIRE_API_KEY="on") as service:
        address = f"http://127.0.0.1:{service.port}/mcp"
        yield service, {"SERVICE": address, "READER": keys["reader"], "WRITER": keys["writer"]}


@pytest.mark.parametrize("make", [python, javascript], ids=lambda make: make.__name__)
def test_an_official_client_uses_every_tool_in_both_modes(make: Make, agency: Agency, tmp_path: Path) -> None:
    service, environment = agency
    example = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "mcp.md").read_text(), re.MULTILINE | re.DOTALL)[0]
    example = example.replace("https://tickets.example/mcp", environment["SERVICE"]).replace(
        "tk_...", environment["READER"]
    )
    (tmp_path / "example.py").write_text(example)
    before = len(service.log.read_text().splitlines())
    run(tmp_path, *make(tmp_path), **environment, EXAMPLE="example.py")
    lines = [json.loads(line) for line in service.log.read_text().splitlines()[before:]]
    lines = [line for line in lines if line.get("route") == "/mcp"]
    assert {line["tool"] for line in lines if "tool" in line} == set(TOOLS)
    assert {line["status"] for line in lines} == {200, 202, 401}
