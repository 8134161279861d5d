"""Invalid bodies and values."""

from __future__ import annotations

VALID = b'{"title": "a", "description": "b"}'


def with_member(value: bytes) -> bytes:
    """Return a valid body with an additional member that no route knows."""
    return VALID[:-1] + b', "x": ' + value + b"}"


MALFORMED = {
    "empty": b"",
    "blank": b" \n",
    "null": b"null",
    "number": b"1",
    "string": b'"text"',
    "true": b"true",
    "array": b"[]",
    "array of objects": b"[" + VALID + b"]",
    "two objects": VALID + VALID,
    "text after the object": VALID + b" x",
    "cut off": VALID[:-1],
    "trailing comma": VALID[:-1] + b",}",
    "single quotes": VALID.replace(b'"', b"'"),
    "no quotes": b"{title: 1}",
    "comment": VALID + b"// c",
    "form": b"title=a&description=b",
    "NaN": with_member(b"NaN"),
    "Infinity": with_member(b"Infinity"),
    "-Infinity": with_member(b"-Infinity"),
    "1e400": with_member(b"1e400"),
    "-1e400": with_member(b"-1e400"),
    "10**400": with_member(b"1" + b"0" * 400),
    "5000 digits": with_member(b"9" * 5000),
    "5000 digits, negative": with_member(b"-" + b"9" * 5000),
    "leading zero": with_member(b"01"),
    "hexadecimal": with_member(b"0x10"),
    "bare fraction": with_member(b".5"),
    "arrays 100,000 deep": with_member(b"[" * 100_000 + b"]" * 100_000),
    "arrays 100,000 deep, not closed": b"[" * 100_000,
    "objects 40,000 deep": with_member(b'{"x":' * 40_000 + b"1" + b"}" * 40_000),
    "control character in a string": with_member(b'"\n"'),
    "NUL byte in a string": with_member(b'"\0"'),
    "NUL byte after the object": VALID + b"\0",
    "bad escape": with_member(rb'"\x41"'),
    "short escape": with_member(rb'"\u12"'),
    "bad UTF-8": with_member(b'"\xff"'),
    "cut off UTF-8": with_member(b'"\xe2\x82"'),
    "overlong UTF-8": with_member(b'"\xc0\x80"'),
    "surrogates in UTF-8": with_member(b'"\xed\xa0\x80"'),
    "Latin-1": with_member('"ü"'.encode("latin-1")),
    "UTF-16": VALID.decode().encode("utf-16"),
    "UTF-16 without a mark": VALID.decode().encode("utf-16-le"),
    "UTF-32": VALID.decode().encode("utf-32"),
    "two byte order marks": b"\xef\xbb\xbf\xef\xbb\xbf" + VALID,
    "byte order mark alone": b"\xef\xbb\xbf",
}

NOT_TEXT = {
    "null": None,
    "empty": "",
    "a space": " ",
    "white space": " \t\r\n",
    "Unicode spaces": "\u00a0\u2003\u3000\u2028\u2029\u1680\u205f",
    "number": 1,
    "fraction": 1.5,
    "zero": 0,
    "true": True,
    "false": False,
    "array": ["text"],
    "empty array": [],
    "object": {"text": "text"},
    "NUL": "a\0b",
    "only NUL": "\0",
    "high surrogate": "a\ud800",
    "low surrogate": "\udc00a",
    "surrogates in the wrong order": "\udc00\ud800",
}

NOT_A_CHOICE = [
    "urgent",
    "high ",
    " high",
    "high,low",
    "hıgh",
    "ｈｉｇｈ",
    "\0",
    "\ud800",
    1,
    0,
    True,
    False,
    [],
    ["high"],
    {},
]

# The parsers are tested with all of these (tests/unit/test_bodies.py), each route with three.
MALFORMED_SAMPLE = {name: MALFORMED[name] for name in ("array", "cut off", "bad UTF-8")}
NOT_TEXT_SAMPLE = {name: NOT_TEXT[name] for name in ("null", "Unicode spaces", "high surrogate")}
NOT_A_CHOICE_SAMPLE = ["urgent", 1, ["high"]]
