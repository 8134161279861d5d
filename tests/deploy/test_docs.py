"""The commands in the documentation run against the service and get the responses that the documentation states.

The `sh` blocks of a document run unchanged, in order, in one shell. A curl command must get 2xx, or the status with
which the comment before it begins (`# 412: ...`). A `json` block after it shows a part of the last JSON that it prints,
and a `text` block all that it prints; ids, times, and the numbers in JSON may be different. Blocks of other languages
are not run.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import ROOT
from tests.support.postgres import program_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.http import Service
    from ticketsvc_dev.embedded.cluster import Cluster

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = {
    "README.md",
    "quickstart.md",
    "guide.md",
    "events.md",
    "mcp.md",
    "operations.md",
    "triage.md",
    "webhooks.md",
}
"""Documents with blocks to run. tests/contract/test_import_guide.py runs those of import.md."""
SHOWS_RESPONSES = {"README.md", "quickstart.md", "guide.md", "events.md"}
"""Documents whose `json` and `text` blocks are all responses."""
LANGUAGES = {"sh", "console", "json", "text", "yaml", "dockerfile", "ini", "http", "mermaid"}
LANGUAGES |= {"nginx", "caddyfile", "haproxy"}  # test_proxies.py runs these
LANGUAGES |= {"python"}  # tests/faults/test_mirror.py, tests/clients/test_agents.py and others run these

_BLOCK = re.compile(r"^```(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXPECTED = re.compile(r"^# (\d{3})\b.*", re.MULTILINE)
_CURL = re.compile(r"(?:^|[|(] *|\s)curl -s", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")

CURL = """#!{python}
# Run curl, and record whether the status is the expected one.
import pathlib, re, subprocess, sys

notes, arguments = pathlib.Path("{notes}"), sys.argv[1:]
head, expected = notes / "head", notes / "expected"
if "-D" in arguments:
    at = arguments.index("-D") + 1
    head, arguments[at] = (head, str(head)) if arguments[at] == "-" else (pathlib.Path(arguments[at]), arguments[at])
    printed = sys.argv[at + 1] == "-"
else:
    arguments, printed = [*arguments, "-D", str(head)], False
result = subprocess.run(["{curl}", "--max-time", "60", *arguments])
if printed:
    print(head.read_text(), end="", flush=True)
status = re.findall(r"(?m)^HTTP/\\S+ (\\d+)", head.read_text())[-1]
wanted = expected.read_text().strip() if expected.exists() else "2"
expected.unlink(missing_ok=True)
with (notes / "calls").open("a") as calls:
    calls.write(("right" if status.startswith(wanted) else f"{{status}}: {{arguments}}") + "\\n")
sys.exit(result.returncode)
"""


def blocks(document: Path) -> list[tuple[str, str]]:
    """Return the language and the text of each block."""
    return _BLOCK.findall(document.read_text(encoding="utf-8"))


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A directory with a curl that records statuses in it."""
    curl = tmp_path / "curl"
    curl.write_text(CURL.format(python=sys.executable, notes=tmp_path, curl=shutil.which("curl")))
    curl.chmod(0o755)
    return tmp_path


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_gets_the_stated_response(
    service: Service, postgres: Cluster, database_url: str, notes: Path, tmp_path: Path, name: str
) -> None:
    document = next(path for path in DOCUMENTS if path.name == name)
    scripts = [text for language, text in blocks(document) if language == "sh"]
    script = "".join(f"{{\n{text}}} > {notes}/printed-{number}\n" for number, text in enumerate(scripts))
    commands = _EXPECTED.sub(rf"echo \1 > {notes}/expected", script)
    commands = commands.replace("localhost:3000", f"127.0.0.1:{service.port}")
    (tmp_path / "script").symlink_to(ROOT / "script")
    run = subprocess.run(
        ["sh", "-euc", commands],
        cwd=tmp_path,
        env={
            "PATH": f"{notes}:{Path(sys.executable).parent}:{program_files()}:{os.environ['PATH']}",
            "DATABASE_URL": database_url,
            "RESTORED": postgres.url("restored"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    calls = (notes / "calls").read_text().splitlines()
    assert [call for call in calls if call != "right"] == []
    assert len(calls) >= len(_CURL.findall(script)) > 0
    for number, language, shown in responses(document):
        printed = (notes / f"printed-{number}").read_text()
        if language == "json":
            assert_shown(json.loads(shown), last_json(printed))
        else:
            assert steady(printed) == steady(shown)


def responses(document: Path) -> Iterator[tuple[int, str, str]]:
    """Yield each response that a document shows: the number of the `sh` block before it, its language and its text."""
    number = -1
    for (before, _), (language, text) in pairwise([("", ""), *blocks(document)]):
        number += language == "sh"
        if before == "sh" and language in ("json", "text"):
            yield number, language, text


def last_json(printed: str) -> Any:
    """Return the last of the JSON texts, with whatever between them."""
    decoder, at, found = json.JSONDecoder(), 0, None
    while (start := re.compile(r"[\[{]").search(printed, at)) is not None:
        found, at = decoder.raw_decode(printed, start.start())
    return found


def steady(text: str) -> str:
    """Return a text without ids, times, cursors and confidences."""
    ids = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}|\b[0-9a-f]{8}-\d+\b|\b[0-9a-f]{32}\b|(?<=cursor=)\w+"
    text = re.sub(ids, "ID", text)
    return re.sub(r"20\d\d-\d\d-\d\dT[0-9:.]+Z|\b\d+\.\d+\b(?! )|\r", "", text)


def assert_shown(shown: Any, real: Any) -> None:
    """Check that a response has what a document shows of it; the document may leave members and later items out."""
    if isinstance(shown, dict):
        assert shown.keys() <= real.keys()
        for name, value in shown.items():
            assert_shown(value, real[name])
    elif isinstance(shown, list):
        assert len(shown) <= len(real)
        assert bool(shown) == bool(real)
        for each, value in zip(shown, real, strict=False):
            assert_shown(each, value)
    elif isinstance(shown, (int, float)):  # so that a request more in a document does not change its statistics
        assert isinstance(real, (int, float))
    else:
        assert steady(str(shown)) == steady(str(real))


def test_every_response_follows_its_command() -> None:
    for document in DOCUMENTS:
        if document.name in SHOWS_RESPONSES:
            shown = [language for language, _ in blocks(document) if language in ("json", "text")]
            assert len(shown) == len(list(responses(document))) > 0


def test_every_document_with_commands_runs() -> None:
    assert {path.name for path in DOCUMENTS if any(language == "sh" for language, _ in blocks(path))} == {
        *COMMANDS,
        "import.md",
    }
    assert {language for path in DOCUMENTS for language, _ in blocks(path)} <= LANGUAGES


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_has_a_target(document: Path) -> None:
    for link in _LINK.findall(document.read_text(encoding="utf-8")):
        path, _, heading = link.partition("#")
        if not path.startswith("http"):
            target = document.parent / path if path else document
            assert target.exists(), link
            if target.suffix == ".md" and heading:
                assert heading in headings(target), link


def headings(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as code hosts form them."""
    titles = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
