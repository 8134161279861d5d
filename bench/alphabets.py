"""Searches for two characters among tickets of several alphabets, in one session: `python -m bench.alphabets URL COUNT`.

Fills an empty, migrated database with tickets, of which one in ten each is in Chinese, Korean, Thai and Hindi and the
others are in English, over two years. Words are made up; they are as long and as frequent as words are.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import accumulate
from time import perf_counter

import psycopg

from ticketsvc.config import Config
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
            with connection.cursor().copy("COPY tickets (title, description, created_at) FROM STDIN") as copy:
                for number in range(start, min(start + 20_000, count)):
                    day, rest = divmod(number * 730, count)
                    copy.write_row((*next(rows), _day(day, rest / count)))
        connection.execute("VACUUM ANALYZE tickets, ticket_texts")


def _day(day: int, part: float) -> str:
    from datetime import UTC, datetime, timedelta

    return (datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day + part)).isoformat()


def measure(url: str) -> None:
    """Print the time of searches for two characters: common, rare and absent ones."""
    with closing(Database(Config(database_url=url, statement_timeout=120))) as database:
        for name in VOCABULARY:
            text = "".join(VOCABULARY[name])
            choose = random.Random(2)
            pairs = [text[n : n + 2] for n in (choose.randrange(len(text) - 2) for _ in range(12))]
            times = []
            for pair in [*pairs, text[0] + text[-1]]:
                for sort in ("newest", "oldest", "updated"):
                    filters = Filters(search=SearchWords((pair,)))
                    best = 1e9
                    for _ in range(3):
                        started = perf_counter()
                        found = search.find(database, filters, 51, Cursor.start(sort))
                        best = min(best, (perf_counter() - started) * 1000)
                    times.append((best, pair, sort, len(found)))
            times.sort()
            print(f"{name}: median {times[len(times) // 2][0]:.1f} ms, slowest", *times[-3:], flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        fill(sys.argv[1], int(sys.argv[2]))
    measure(sys.argv[1])
