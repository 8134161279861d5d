"""Parts of SQL statements that several files share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from ticketsvc.store.postgres import fragments
from ticketsvc.store.postgres.queries import SQL

if TYPE_CHECKING:
    from pathlib import Path

MARK = re.compile(r"/\* (\w+): ")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory with fragments."""
    (tmp_path / "window.sql").write_text("-- Condition.\n-- $1 since\n-- $2 before\nt.at >= $1\n    AND t.at < $2\n")
    (tmp_path / "all.sql").write_text("-- Condition.\n-- $1 name\nt.name = $1 AND /* include: window */ true\n")
    (tmp_path / "after.sql").write_text("-- $1 id\nt.id > $1")
    (tmp_path / "after_last.sql").write_text("-- $1 id\nt.id < $1")
    (tmp_path / "after_big.sql").write_text("-- $1 size\nt.size > $1")
    (tmp_path / "undocumented.sql").write_text("t.at >= $1")
    (tmp_path / "unused.sql").write_text("-- $1 a\n-- $2 b\nt.at >= $1")
    return tmp_path


def test_fragment_replaces_its_stand_in(folder: Path) -> None:
    text = "-- Returns x.\n-- $1 limit\nSELECT 1 WHERE (/* include: window */ true) LIMIT $1"
    assert fragments.expand("x", text, folder) == (
        "SELECT 1 WHERE (t.at >= $2\n    AND t.at < $3) LIMIT $1",
        ["limit", "since", "before"],
    )


def test_parameters_are_matched_by_name(folder: Path) -> None:
    text = "-- $1 before\n-- $2 name\nSELECT $1, $2 WHERE /* include: all */ true AND /* include: window */ true"
    assert fragments.expand("x", text, folder) == (
        "SELECT $1, $2 WHERE t.name = $2 AND t.at >= $3\n    AND t.at < $1 AND t.at >= $3\n    AND t.at < $1",
        ["before", "name", "since"],
    )


def test_ten_parameters_keep_their_numbers(folder: Path) -> None:
    header = "".join(f"-- ${n} p{n}\n" for n in range(1, 11))
    text = header + "SELECT " + ", ".join(f"${n}" for n in range(10, 0, -1)) + " WHERE /* include: after */ true"
    statement, names = fragments.expand("x", text, folder)
    assert statement == "SELECT $10, $9, $8, $7, $6, $5, $4, $3, $2, $1 WHERE t.id > $11"
    assert names == [*(f"p{n}" for n in range(1, 11)), "id"]


def test_variant_replaces_words_and_fragments(folder: Path) -> None:
    text = "SELECT (/* last: a.b */ c.d, 1) WHERE /* include: after */ true ORDER BY 1 /* last: DESC */ ASC"
    assert fragments.expand("x", text, folder, "last") == ("SELECT (a.b, 1) WHERE t.id < $1 ORDER BY 1 DESC", ["id"])
    assert "t.id > $1" in fragments.expand("x", text, folder)[0]


def test_a_file_can_have_several_variants_at_once(folder: Path) -> None:
    text = "SELECT 1 WHERE /* include: after */ true ORDER BY 1 /* oldest: ASC */ DESC"
    statement, names = fragments.expand("x", text, folder, "oldest big")
    assert (statement, names) == ("SELECT 1 WHERE t.size > $1 ORDER BY 1 ASC", ["size"])
    with pytest.raises(ValueError, match="x has nothing that differs for small"):
        fragments.expand("x", text, folder, "oldest small")


@pytest.mark.parametrize(
    ("text", "variant", "message"),
    [
        ("SELECT /* include: absent */ true", "", "x includes absent, but there is no file"),
        ("SELECT /* include: undocumented */ true", "", r"undocumented documents the parameters {} and uses \[1\]"),
        ("SELECT /* include: unused */ true", "", r"unused documents the parameters {'a': 1, 'b': 2} and uses \[1\]"),
        ("SELECT /* include: */ true", "", "is not `/\\* include: name"),
        ("SELECT /*include: window*/ true", "", "is not `/\\* include: name"),
        ("SELECT 1 ORDER BY 1 /* frist: DESC */ ASC", "first", "x has nothing that differs for first"),
    ],
)
def test_mistake_in_a_file_is_an_error(folder: Path, text: str, variant: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fragments.expand("x", text, folder, variant)


def test_files_mark_nothing_but_includes_and_variants() -> None:
    marks = {mark for path in SQL.rglob("*.sql") for mark in MARK.findall(path.read_text())}
    assert marks == {"attributes", "include", "oldest", "response", "updated", "urgent"}


def test_each_fragment_is_included() -> None:
    included = {name for path in SQL.rglob("*.sql") for name in re.findall(r"/\* include: (\w+) \*/", path.read_text())}
    variants = {
        f"{name}_{variant}"
        for name in included
        for variant in ("updated", "urgent", "pairs", "comments", "attributes", "unassigned", "search", "scan")
    }
    names = {path.stem for path in (SQL / "fragments").iterdir()}
    assert included <= names <= included | variants
