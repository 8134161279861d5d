"""The syntax of a search: words, phrases, exclusions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketsvc.validation.search_words import MAX_LENGTH, MAX_WORD_LENGTH, MAX_WORDS, SearchWords, parse

SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""All characters with the property White_Space."""
WORD = st.text(st.characters(exclude_characters='\0"' + SPACE, exclude_categories=["Cs"]), min_size=1, max_size=20)
PHRASE = st.text(st.characters(exclude_characters='\0"', exclude_categories=["Cs"]), min_size=1, max_size=20)


def words_of(text: str) -> SearchWords:
    """Return the words of a search, also if it has none."""
    return parse(text) or SearchWords()


@pytest.mark.parametrize(
    ("text", "words", "excluded"),
    [
        ("", [], []),
        ("   ", [], []),
        ("invoice", ["invoice"], []),
        (" a  b ", ["a", "b"], []),
        ("a\tb\nc\u00a0d\u3000e\x1cf", ["a", "b", "c", "d", "e\x1cf"], []),
        ('-"a\u3000b"\u00a0"c\td"\n-\u2003', ["c\td", "-"], ["a\u3000b"]),
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
def test_search_is_split_into_words(text: str, words: list[str], excluded: list[str]) -> None:
    assert words_of(text) == (tuple(words), tuple(excluded))
    assert (parse(text) is None) == (words == excluded == [])


@given(st.lists(st.tuples(st.booleans(), WORD.filter(lambda word: word[0] != "-") | PHRASE), max_size=MAX_WORDS))
def test_quoted_texts_are_literal(given_words: list[tuple[bool, str]]) -> None:
    text = " ".join(f'{"-" if excluded else ""}"{word}"' for excluded, word in given_words)
    for found, side in zip(words_of(text), (False, True), strict=True):
        assert list(found) == list(dict.fromkeys(word for excluded, word in given_words if excluded is side))


@given(st.lists(WORD.filter(lambda word: word[0] != "-"), max_size=MAX_WORDS))
def test_words_are_literal(words: list[str]) -> None:
    assert list(words_of(" ".join(words)).include) == list(dict.fromkeys(words))


@pytest.mark.parametrize("space", SPACE)
def test_any_white_space_separates_words(space: str) -> None:
    assert words_of(f'{space}a{space}{space}-"b{space}c"{space}d"e{space}-{space}') == (
        ("a", 'd"e', "-"),
        (f"b{space}c",),
    )


@given(st.text(st.sampled_from('ab"- %\\')))
def test_every_text_is_words_or_too_many(text: str) -> None:
    try:
        found = words_of(text)
    except ValueError:
        assert len(text.split(" ")) > MAX_WORDS
        return
    assert "".join(found.include + found.exclude) != "" or not text.strip(' "-')


def test_too_many_words_are_rejected() -> None:
    words = " ".join(map(str, range(MAX_WORDS)))
    assert len(words_of(words).include) == MAX_WORDS
    with pytest.raises(ValueError, match="at most 20 words"):
        parse(words + " -x")


def test_nul_is_rejected() -> None:
    with pytest.raises(ValueError, match="NUL"):
        parse("a\0b")


@pytest.mark.parametrize("word", ["-" * MAX_WORD_LENGTH, "字" * MAX_WORD_LENGTH])
def test_the_length_of_a_word_is_limited(word: str) -> None:
    assert words_of(word).include == (word,)
    for longer in (word + "-", f'"{word}x"', f'"{word} "'):
        with pytest.raises(ValueError, match="at most 200 characters in a word"):
            parse(f"a {longer}")


@pytest.mark.parametrize("text", ["x", "x ", '-"', " "])
def test_the_length_of_a_search_is_limited(text: str) -> None:
    with pytest.raises(ValueError, match="at most 500 characters, not 501"):
        parse((text * (MAX_LENGTH + 1))[: MAX_LENGTH + 1])
