"""The tables of docs/capacity.md are what their constants and assumptions give."""

from __future__ import annotations

import re
from math import ceil

from tests.conftest import ROOT

PAGE = (ROOT / "docs/capacity.md").read_text()
ROWS = dict(re.findall(r"^\| (.+?) \| (.+) \|$", PAGE, re.MULTILINE))
SECONDS = 30 * 86_400
MONTH, YEAR = 1, 12


def given(name: str) -> float:
    """Return a constant or an assumption."""
    return float(ROWS[name].split(" | ")[0].replace(",", ""))


def needs(tickets: int) -> dict[str, float]:
    """Return what this number of tickets a month needs."""
    average = tickets * given("writes a ticket") / SECONDS
    writes = average * given("peak, times the average")
    reads = writes * given("reads a write")

    def cores(program: str) -> int:
        used = writes * given(f"{program} CPU of a write, ms") + reads * given(f"{program} CPU of a read, ms")
        return max(1, ceil(used / 1000 / given("CPU in use at the peak, share")))

    service, postgres = cores("service"), cores("PostgreSQL")
    disk = tickets * YEAR * given("bytes a ticket") / 1e9
    memory = max(1.0, tickets * given("months in memory") * given("bytes a ticket") / 1e9)
    core, gigabyte = given("price of a core with 4 GB a month"), given("price of a GB of disk a month")
    database = max(postgres, ceil(memory / 4)) * core + disk * gigabyte
    return {
        "writes/s, average": average,
        "writes/s, peak": writes,
        "reads/s, peak": reads,
        "cores of the service": service,
        "cores of PostgreSQL": postgres,
        "memory of the service, MB": service * given("MB a worker"),
        "connections, with one `flask work`": service * given("connections a worker") + 5,
        "disk after a year, GB": disk,
        "write-ahead log a day, GB": tickets / 30 * given("bytes of log a ticket") / 1e9,
        "memory for PostgreSQL, GB": memory,
        "cost a month after a year, one server": service * core + database,
        "cost a month after a year, with a standby": service * core + 2 * database,
    }


def test_the_needs_follow_from_the_constants() -> None:
    columns = [needs(millions * 1_000_000) for millions in (1, 10, 100)]
    expected = {
        name: [f"{column[name]:,.{1 if column[name] < 10 else 0}f}".removesuffix(".0") for column in columns]
        for name in columns[0]
    }
    assert {name: ROWS[name].split(" | ") for name in expected} == expected
