"""The tests that `script/test --quick` leaves out: tests/slow_tests.txt, from the durations of a run of all tests.

    script/test --junit-xml=/tmp/all.xml tests
    python -m tests.support.slow_tests /tmp/all.xml

Without set-up, which the next test would do (pyproject.toml). A parametrized test counts as slow by its total over the
square root of its cases: many quick cases may take a while.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree as ET

LIST = Path(__file__).parents[1] / "slow_tests.txt"
SECONDS = 0.4


def slow(report: Path) -> list[str]:
    """Return the names of the slow tests in a report of pytest, without the parameters of their cases."""
    durations = defaultdict(list)
    for case in ET.parse(report).iter("testcase"):
        file = case.attrib["classname"].replace(".", "/") + ".py"
        durations[f"{file}::{case.attrib['name'].partition('[')[0]}"].append(float(case.attrib["time"]))
    return sorted(name for name, taken in durations.items() if sum(taken) / len(taken) ** 0.5 >= SECONDS)


if __name__ == "__main__":
    LIST.write_text("".join(f"{name}\n" for name in slow(Path(sys.argv[1]))))
