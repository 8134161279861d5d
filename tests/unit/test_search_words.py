"""The syntax of a search: words, phrases, exclusions"""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketsvc.api.input.search import MAX_WORDS, parse

WORD = st.text(st.characters(exclude_characters='\0 "', exclude_categories=["Cs"]), min_size=1)
PHRASE = st.text(st.characters(exclude_characters='\0"', exclude_categories=["Cs"]), min_size=1)


def plain(patterns: list[str]) -> list[str]:
    """The texts that patterns look for."""
    assert all(pattern[0] == pattern[-1] == "%" for pattern in patterns)
    return [re.sub(r"\\(.)", r"\1", pattern[1:-1], flags=re.DOTALL) for pattern in patterns]


@pytest.mark.parametrize(
    ("text", "words", "excluded"),
    [
        ("", [], []),
        ("   ", [], []),
        ("invoice", ["invoice"], []),
        (" a  b ", ["a", "b"], []),
        ("a\tb\nc\u00a0d", ["a\tb\nc\u00a0d"], []),
        ('"a b" c', ["a b", "c"], []),
        ('"a  b "', ["a  b "], []),
        ("-a", [], ["a"]),
        ('x -"a b"', ["x"], ["a b"]),
        ('""', [], []),
        ('-""', [], []),
        ('" "', [" "], []),
        ("-", ["-"], []),
        ("-- a", ["--", "a"], []),
        ("--a", [], ["-a"]),
        ("e-mail a- 5-", ["e-mail", "a-", "5-"], []),
        ('"', ['"'], []),
        ('"a b', ['"a', "b"], []),
        ('a" b', ['a"', "b"], []),
        ('-"a b', ["b"], ['"a']),
        ('5" disk', ['5"', "disk"], []),
        ('say"a b"', ['say"a', 'b"'], []),
        ('"a"b c', ['"a"b', "c"], []),
        ('"a "b" c" d', ['a "b', 'c"', "d"], []),
        ('"a""b"', ['a""b'], []),
        ('"-a"', ["-a"], []),
        ("a a -a -a", ["a"], ["a"]),
        ("50% a_b \\", ["50%", "a_b", "\\"], []),
    ],
)
def test_it_reads(text: str, words: list[str], excluded: list[str]) -> None:
    found = parse(text)
    assert (plain(found.patterns), plain(found.excluded)) == (words, excluded)


@given(st.lists(st.tuples(st.booleans(), WORD.filter(lambda word: word[0] != "-") | PHRASE), max_size=MAX_WORDS))
def test_quoted_texts_are_looked_for_as_they_are(given_words: list[tuple[bool, str]]) -> None:
    text = " ".join(f'{"-" if excluded else ""}"{word}"' for excluded, word in given_words)
    found = parse(text)
    for patterns, side in ((found.patterns, False), (found.excluded, True)):
        assert plain(patterns) == list(dict.fromkeys(word for excluded, word in given_words if excluded is side))


@given(st.lists(WORD.filter(lambda word: word[0] != "-"), max_size=MAX_WORDS))
def test_words_are_looked_for_as_they_are(words: list[str]) -> None:
    assert plain(parse(" ".join(words)).patterns) == list(dict.fromkeys(words))


@given(st.text(st.sampled_from('ab"- %\\')))
def test_everything_has_a_meaning(text: str) -> None:
    try:
        found = parse(text)
    except ValueError:
        assert len(text.split(" ")) > MAX_WORDS
        return
    for pattern in found.patterns + found.excluded:
        assert not set("%_") & set(re.sub(r"\\.", "", pattern[1:-1], flags=re.DOTALL))
    assert "".join(plain(found.patterns + found.excluded)) != "" or not text.strip(' "-')


def test_it_rejects_too_many_words() -> None:
    words = " ".join(map(str, range(MAX_WORDS)))
    assert len(parse(words).patterns) == MAX_WORDS
    with pytest.raises(ValueError, match="at most 20 words"):
        parse(words + " -x")


def test_it_rejects_a_nul() -> None:
    with pytest.raises(ValueError, match="NUL"):
        parse("a\0b")


@pytest.mark.parametrize("text", ["-" * 8000, "x" * 8000, "x" + '"-' * 4000])
def test_a_word_may_be_long(text: str) -> None:
    assert plain(parse(text).patterns) == [text]


@pytest.mark.parametrize("text", ['"a ' * 3000, "x " * 4000, '-" ' * 3000])
def test_it_gives_up_early(text: str) -> None:
    with pytest.raises(ValueError, match="words"):
        parse(text)
