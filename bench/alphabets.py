"""Searches for two characters among tickets of several alphabets: `python -m bench.alphabets URL [COUNT]`.

With COUNT, fills an empty, migrated database with tickets over two years first. One in ten each is in Chinese, Korean,
Thai and Hindi, the others are in English. Words are made up; they are as long and as frequent as words are.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from time import perf_counter

import psycopg

from ticketsvc.config import Config
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.filters import Filters
from ticketsvc.store import search
from ticketsvc.store.cursor import Cursor
from ticketsvc.store.postgres.database import Database
from ticketsvc.validation.search_words import SearchWords

WORDS = 8_000
_WEIGHTS = list(accumulate(1 / rank for rank in range(2, WORDS + 2)))
THAI_VOWELS, THAI_MARKS = "ะาิีึืุู", "่้๊๋"
HINDI_VOWELS = "ािीुूेैोौ्ं"


def _letters(choose: random.Random, first: int, last: int, most: int) -> str:
    """Return 1 to `most` characters of a range, the first ones of which are frequent."""
    span = last - first + 1
    return "".join(chr(first + int(span * choose.random() ** 2)) for _ in range(choose.randint(1, most)))


def _word(choose: random.Random, alphabet: str) -> str:
    match alphabet:
        case "Chinese":
            return _letters(choose, 0x4E00, 0x57FF, 3)
        case "Korean":
            return _letters(choose, 0xAC00, 0xCFFF, 4) + choose.choice(["을", "이", "는", ""])
        case "Thai":
            consonants = _letters(choose, 0x0E01, 0x0E2E, 3)
            return "".join(c + choose.choice(THAI_VOWELS) + choose.choice(["", *THAI_MARKS]) for c in consonants)
        case "Hindi":
            return "".join(c + choose.choice(["", *HINDI_VOWELS]) for c in _letters(choose, 0x0915, 0x0939, 4))
    return "".join(choose.choice("bcdfghklmnprst") + choose.choice("aeiou") for _ in range(choose.randint(1, 4)))


VOCABULARY = {
    name: sorted((_word(choose, name) for _ in range(WORDS)), key=len)
    for name in ("English", "Chinese", "Korean", "Thai", "Hindi")
    for choose in [random.Random(name)]
}
COPY = "COPY tickets (title, description, created_at, category, priority, status) FROM STDIN"
ALPHABETS = ["English"] * 6 + ["Chinese", "Korean", "Thai", "Hindi"]


def texts(count: int) -> Iterator[tuple[str, str]]:
    """Yield titles and descriptions."""
    choose = random.Random(1)
    for number in range(count):
        name = ALPHABETS[choose.randrange(10)]
        words = choose.choices(VOCABULARY[name], cum_weights=_WEIGHTS, k=choose.randint(12, 80))
        space = "" if name in ("Chinese", "Thai") else " "
        yield f"{space.join(words[:6])} {number}", space.join(words[6:]) + ".\n"


def fill(url: str, count: int) -> None:
    """Insert tickets in order of creation."""
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        rows = texts(count)
        for start in range(0, count, 20_000):
            with connection.cursor().copy(
                "COPY tickets (title, description, created_at, category, priority, status) FROM STDIN"
            ) as copy:
                for number in range(start, min(start + 20_000, count)):
                    created_at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(730) * number / count
                    labels = CATEGORIES[number % 4], PRIORITIES[number // 4 % 4], STATUSES[number // 16 % 4]
                    copy.write_row((*next(rows), created_at, *labels))
        connection.execute("VACUUM ANALYZE tickets, ticket_texts")


def measure(url: str) -> None:
    """Print the times of pages of searches for two characters: frequent ones, rare ones, and two that do not occur."""
    with closing(Database(Config(database_url=url, statement_timeout=120))) as database:
        for name, words in VOCABULARY.items():
            choose, text = random.Random(2), "".join(words)
            starts = [choose.randrange(len(text) - 2) for _ in range(12)]
            searches = [*(text[start : start + 2] for start in starts), text[0] + text[-1]]
            times = sorted(
                (min(_time(database, pair, sort) for _ in range(3)), pair, sort)
                for pair in searches
                for sort in ("newest", "oldest", "updated")
            )
            print(f"{name}: median {times[len(times) // 2][0]:.1f} ms; slowest", *times[-2:], flush=True)


def _time(database: Database, pair: str, sort: str) -> float:
    """Return the milliseconds of a page."""
    started = perf_counter()
    search.find(database, Filters(search=SearchWords((pair,))), 51, Cursor.start(sort))
    return (perf_counter() - started) * 1000


if __name__ == "__main__":
    if len(sys.argv) > 2:
        fill(sys.argv[1], int(sys.argv[2]))
    measure(sys.argv[1])
