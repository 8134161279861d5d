"""Texts are folded as Unicode defines it, the same in every locale."""

from __future__ import annotations

import unicodedata
from contextlib import closing
from functools import cache
from typing import TYPE_CHECKING
from unicodedata import category, normalize

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import case_folding
from tests.support.searches import SPACES, fold
from ticketsvc.filters import Filters
from ticketsvc.store.filter_parameters import filter_parameters
from ticketsvc.validation.search_words import SearchWords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.tickets import Connection

pytestmark = pytest.mark.skipif(
    unicodedata.unidata_version != case_folding.UNICODE, reason="this Python has another version of Unicode"
)


@cache
def assigned() -> list[str]:
    """Return all characters. Also processes that run none of these tests import this module."""
    return [chr(code) for code in range(1, 0x110000) if category(chr(code)) not in ("Cn", "Co", "Cs")]


@cache
def marks() -> list[str]:
    return [character for character in assigned() if unicodedata.combining(character)]


@cache
def letters() -> list[str]:
    """Return the characters that are folded to others."""
    return [character for character in assigned() if fold(character) != character]


def sql_fold(database: Connection, texts: list[str]) -> list[str]:
    """Return search_fold() of each text."""
    rows = database.execute(
        "SELECT search_fold(x) FROM unnest(%s::text[]) WITH ORDINALITY AS x (x, n) ORDER BY n", [texts]
    )
    return [str(row[0]) for row in rows]


def test_fold_case_is_generated() -> None:
    assert case_folding.FILE.read_text() == case_folding.generate(), "run python -m tests.support.case_folding"


def test_every_character_is_folded_as_python_does(database: Connection) -> None:
    for start in range(0, len(assigned()), 64):
        texts = ["".join(f"x{c}{c}y" for c in assigned()[start : start + 64])]
        assert sql_fold(database, texts) == [fold(text) for text in texts]
    assert sql_fold(database, letters()) == [fold(letter) for letter in letters()]


def test_marks_compose_with_capitals_as_with_small_letters(database: Connection) -> None:
    capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    for mark in marks():
        texts = [letter + mark for letter in capitals]
        assert sql_fold(database, texts) == [fold(text) for text in texts]


def test_white_space_of_any_length_becomes_one_space(database: Connection) -> None:
    for base in ("a", "ä"):
        texts = [f"{base}{first}{second}b" for first in SPACES for second in ["", *SPACES]]
        assert set(sql_fold(database, texts)) == {f"{base} b"}


CHARACTERS = st.deferred(
    lambda: st.sampled_from(letters()) | st.sampled_from(marks()) | st.sampled_from("aAei\u00df\u017f\u0345")
)
TEXTS = st.lists(st.lists(CHARACTERS, max_size=6).map("".join), min_size=30, max_size=60)


@pytest.fixture(scope="module")
def folding(migrated_database: Callable[[], str]) -> Iterator[Connection]:
    with closing(psycopg.connect(migrated_database(), autocommit=True)) as connection:
        yield connection


@given(TEXTS)
def test_folding_is_idempotent_and_the_same_for_equivalent_texts(folding: Connection, texts: list[str]) -> None:
    folded = sql_fold(folding, texts)
    assert folded == [fold(text) for text in texts]
    for form in ("NFC", "NFD"):
        assert sql_fold(folding, [normalize(form, text) for text in texts]) == folded
    assert sql_fold(folding, folded) == folded


def test_pairs_are_looked_up_only_for_words_that_have_some(database: Connection) -> None:
    """Otherwise the whole index would be read. What the plan takes for ASCII is decided in Python."""
    words = [
        *assigned()[127::40],
        *SPACES,
        *letters(),
        *(f"{letter}\u0323" for letter in letters()),
        *("a" + c + "-" for c in letters() + SPACES),
    ]
    for start in range(0, len(words), 1000):
        part = words[start : start + 1000]
        planned = [filter_parameters(Filters(search=SearchWords((word,))))["index_words"] for word in part]
        for word, indexed, folded in zip(part, planned, sql_fold(database, part), strict=True):
            assert not indexed or not folded.isascii(), f"{word!r} {indexed}"
