"""docs/reliability.md names only tests that exist, and every test of this directory."""

from __future__ import annotations

import re
from pathlib import Path

from tests.conftest import ROOT

TESTS = ROOT / "tests"
NAMED = set(re.findall(r"`((?:\w+/)*\w+\.py::\w+)`", (ROOT / "docs" / "reliability.md").read_text()))


def names_in(path: Path) -> set[str]:
    names = re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE)
    return {f"{path.relative_to(TESTS)}::{name}" for name in names}


def test_every_named_test_exists() -> None:
    assert NAMED - {name for path in TESTS.rglob("test_*.py") for name in names_in(path)} == set()


def test_every_fault_test_is_named() -> None:
    here = {name for path in TESTS.glob("faults/test_*.py") if path != Path(__file__) for name in names_in(path)}
    assert here - NAMED == set()


def test_every_promise_has_a_test() -> None:
    promises = re.findall(
        r"^\| I(\d+) \|.*`faults/test_promises\.py::test_(\d+)_",
        (ROOT / "docs" / "reliability.md").read_text(),
        re.MULTILINE,
    )
    assert promises == [(str(number), str(number)) for number in range(1, 12)]
