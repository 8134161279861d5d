"""Finds in the text of a mail what its author wrote this time.

`read` blanks the rest: quoted mails, heads of forwarded ones, signatures, greetings, markup, links, logs. Disclaimers
and courtesies have no form of their own: `offline.furniture` knows their words.
Characters are replaced one for one, so that positions stay. The body of a forwarded mail is kept, and a quote if there
is nothing else. Every pattern is bounded and lines are read once: the time is linear in the length of the text.
`mail.txt` has the phrases.
"""

from __future__ import annotations

import html
import re
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_JOINER = "\u0332"  # a combining mark, which does not end a word: stands for what is removed inside one
_TEXT, _QUOTE, _LOG, _FURNITURE = "text", "quote", "log", "furniture"


class Mail(NamedTuple):
    """The text with blanks for all that is not its author's, and whether it has a log, code or a stack trace."""

    text: str
    has_log: bool


def read(text: str) -> Mail:
    """Return the first _ENOUGH characters that the author of a mail wrote, at their positions."""
    plain = _without_entities(_without_markup(text))
    lines = plain.split("\n", _MAX_LINES)[:_MAX_LINES]
    kinds = _kinds(
        [_Line(*pair) if pair[0] else _EMPTY for pair in zip(lines, _lower(plain).split("\n"), strict=False)]
    )
    has_log = _LOG in kinds
    for kept in ({_TEXT}, {_TEXT, _QUOTE}, {_TEXT, _QUOTE, _LOG}):
        left = _without_greetings(_without_noise("\n".join(_kept(lines, kinds, kept))))
        if _LETTER.search(left):
            return Mail(left, has_log)
    return Mail(text, has_log)


_ENOUGH = 4_000
"""Number of characters of the author after which nothing is read: more than the classifiers read words of."""

_MAX_LINES = 1_000
"""Maximum number of lines that are read. What is below them is taken for furniture."""


def _kept(lines: list[str], kinds: list[str], kept: set[str]) -> Iterator[str]:
    """Yield each line with blanks for what is not kept of it."""
    room = _ENOUGH
    for line, kind in zip(lines, kinds, strict=True):
        own = line[:room] if kind in kept else ""
        room -= len(own)
        yield own.ljust(len(line))


def _blanks(text: str) -> str:
    """Return the line breaks of a text, and blanks for all other characters."""
    return _VISIBLE.sub(" ", text)


_VISIBLE = re.compile(r"[^\n\r]")
_LETTER = re.compile(r"[^\W\d_]")

# ---------------------------------------- Characters: markup, entities, links

_MAX_TAGS = 1_000
"""Maximum number of tags that are read. What is behind them is taken for furniture."""

_IS_HTML = re.compile(
    r"<(?:!--|!doctype\b|/?(?:html|body|div|p|br|span|table|td|strong|b|i|em|a|ul|li|font|h[1-6]|blockquote|style|pre)"
    r"(?:\s[^<>]{0,2000})?/?>)",
    re.IGNORECASE,
)
_TAG = re.compile(r"<(?:!--|(/?)([a-zA-Z][a-zA-Z0-9]{0,20})\b([^<>]{0,4000})>|![^<>]{0,200}>)")
_IS_HIDDEN = re.compile(
    r"display\s{0,3}:\s{0,3}none|gmail_quote|gmail_attr|gmail_signature|yahoo_quoted|moz-cite-prefix|moz-signature"
    r"|protonmail_quote|divRplyFwdMsg|appendonsend",
    re.IGNORECASE,
)


def _without_markup(text: str) -> str:
    """Blank tags, comments and what a reader does not see. An inline tag does not end a word."""
    if "<" not in text or not _IS_HTML.search(text):
        return text
    pieces: list[str] = []
    end, hidden, depth = 0, "", 0
    while (found := _TAG.search(text, end)) and len(pieces) < 2 * _MAX_TAGS:
        between = text[end : found.start()]
        pieces.append(_blanks(between) if hidden else between)
        name, end, is_comment = (found[2] or "").lower(), found.end(), found[0] == "<!--"
        if is_comment:
            close = text.find("-->", end)
            end = len(text) if close < 0 else close + 3
        elif hidden:
            depth += (name == hidden) * (-1 if found[1] else 1)
            hidden = hidden if depth else ""
        elif (
            not found[1]
            and name not in _PHRASES["void"]
            and (name in _PHRASES["hidden"] or _IS_HIDDEN.search(found[3] or ""))
        ):
            hidden, depth = name, 1
        size = end - found.start()
        pieces.append(_JOINER * size if is_comment or name in _PHRASES["inline"] else " " * (size - 1) + "\n")
    pieces.append(_blanks(text[end:]) if hidden or found else text[end:])
    seen = "".join(pieces)
    return seen if _LETTER.search(seen) else _TAG.sub(lambda tag: _blanks(tag[0]), text)


_ENTITY = re.compile(r"&(?:[a-zA-Z]{2,10}|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});|[\u00ad\u200b-\u200d\u034f\ufeff]")


def _without_entities(text: str) -> str:
    """Decode entities, and take invisible characters out of words."""
    return _ENTITY.sub(_decode, text) if "&" in text or not text.isascii() else text


def _decode(found: re.Match[str]) -> str:
    character = html.unescape(found[0]) if found[0][0] == "&" else _JOINER
    if len(character) != 1:
        return found[0]
    return character + (_JOINER if character.isalpha() else " ") * (len(found[0]) - 1)


_SUSPECT = re.compile(r"[@_\\]|[./]\w")
_SPACE = re.compile(r"\s")
_NOISE = re.compile(
    r"\W{0,3}(?:\w{2,10}://|www\.|mailto:|[a-z]:[\\/]|[\\/]\w).*"  # links and paths
    r"|.{0,80}\w@\w.*"  # addresses
    r"|\W{0,3}\w{1,60}[^\W_]_\w+\W{0,3}"  # identifiers such as ERR_PAYMENT_DECLINED
    r"|.{0,80}\.(?:pdf|png|jpe?g|gif|docx?|xlsx?|csv|txt|log|zip|json|xml|html?|eml|mp4|exe|dll)\W{0,3}",
    re.IGNORECASE,
)


def _without_noise(text: str) -> str:
    """Blank links, addresses, identifiers, names of files and paths: their words are nobody's."""
    pieces, end = [], 0
    while suspect := _SUSPECT.search(text, end):
        start = max(text.rfind(space, end, suspect.start()) for space in " \n\t") + 1 or end
        space = _SPACE.search(text, suspect.end())
        stop = space.start() if space else len(text)
        word = text[start:stop]
        pieces += [text[end:start], _blanks(word) if _NOISE.fullmatch(word) else word]
        end = stop
    return "".join([*pieces, text[end:]]) if pieces else text


# ---------------------------------------- Phrases


_Phrases = dict[str, list[list[str]]]  # by first word, longest first


def _read_phrases(text: str) -> dict[str, _Phrases]:
    sections: dict[str, _Phrases] = {}
    for line in text.splitlines():
        if line.startswith("["):
            phrases = sections.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("//"):
            for phrase in map(str.split, line.split(", ")):
                phrases.setdefault(phrase[0], []).append(phrase)
                phrases[phrase[0]].sort(key=len, reverse=True)
    return sections


_PHRASES = _read_phrases(Path(__file__).with_suffix(".txt").read_text(encoding="utf-8"))
_FIRST_OF_LINE = frozenset(
    word for name in ("closing", "phone", "forwarded", "original", "head", "contact") for word in _PHRASES[name]
)
_ACCENTS = str.maketrans(
    "àáâãäåçèéêëìíîïñòóôõöøùúûüýÿßąćęłńóśźżœæ’", "aaaaaaceeeeiiiinoooooouuuuyysacelnoszzoa'"
)  # one character each, so that positions stay
_WORD = re.compile(r"[^\W_]+")


def _lower(text: str) -> str:
    """Return the text in lower case, if its length stays."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else text


def _plain(text: str) -> str:
    """Return a text in lower case without accents. Costs more than all else on a long text, so it gets the parts."""
    return text if text.isascii() else text.translate(_ACCENTS)


def _words(text: str) -> list[str]:
    return _WORD.findall(_plain(text))


def _begin(words: list[str], section: str) -> int:
    """Return the number of words at the beginning that are a phrase of a section."""
    phrases = _PHRASES[section].get(words[0], ()) if words else ()
    return next((len(phrase) for phrase in phrases if words[: len(phrase)] == phrase), 0)


# ---------------------------------------- Lines: quotes, heads, signatures, logs

_FACT = re.compile(r"@|\b\d{1,2}[:.h]\d\d\b|\b(?:19|20)\d\d\b|\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b")
_ADDRESS_THEN_COLON = re.compile(r"@[^\s@<>]{1,80}>?\W{0,3}(?:\w{1,20}\s?){0,4}:$")
_SENTENCE_WORDS = 6
_LOG_LINE = re.compile(
    r"\s{0,40}(?:at [\w.$<>]{2,200}\(|File \"[^\"\n]{1,300}\", line \d|Caused by: |\.\.\. \d+ more|Traceback \(most)"
    r"|(?:[\w$]{1,60}\.){0,12}[A-Za-z]{2,60}(?:Error|Exception)(?::|\s*$)"
    r"|\W{0,3}\d{4}-\d\d-\d\d[T ]\d\d:\d\d[^\n]{0,60}\b(?:INFO|WARN(?:ING)?|ERROR|DEBUG|FATAL|TRACE|CRITICAL)\b"
    r"|\[?(?:INFO|WARN(?:ING)?|ERROR|DEBUG|FATAL|TRACE)\]?[ :]\s{0,20}[\[\w.$]{3,80}[\].:]\s"
    r"|(?:GET|POST|PUT|PATCH|DELETE) /\S{0,300} HTTP"
    r"|\s{0,40}\"[\w.-]{1,60}\"\s?:\s|\s{0,40}[{}\[\]]{1,3},?\s*$"
)
_FENCE = re.compile(r"\s{0,3}(?:```|~~~)")
_QUOTED = re.compile(r"\s{0,3}>")
_RULE = re.compile(r"(?:--|—|_{10,}|={10,})$")


class _Line:
    """A line as written, stripped and in lower case. `may_begin`: some phrase begins with its first word."""

    __slots__ = ("ends_with_colon", "is_quoted", "lower", "may_begin", "raw", "text")

    def __init__(self, raw: str, lower: str) -> None:
        self.raw, self.lower = raw, lower
        self.text = raw.strip()
        first = _WORD.search(lower[:80])
        self.may_begin = first is not None and _plain(first[0]) in _FIRST_OF_LINE
        self.ends_with_colon = self.text[-1:] == ":"
        self.is_quoted = self.text[:1] == ">" and _QUOTED.match(raw) is not None

    @property
    def words(self) -> list[str]:
        return _words(self.lower[:320])

    @property
    def is_head(self) -> bool:
        if not self.may_begin:
            return False
        name, _, value = self.lower.partition(":")
        words = _words(name[:40])
        return bool(value.strip(" *")) and words in _PHRASES["head"].get(words[0] if words else "", ())

    @property
    def is_closing(self) -> bool:
        """Return whether the line is "Best regards" and at most three capitalized words, as names are."""
        words, used = self.words, 0
        if len(words) > 10 or self.text[-1] in "?:":
            return False
        while used < len(words) and (size := _begin(words[used:], "closing")):
            used += size
        rest = _WORD.findall(self.text)[used:]
        return used > 0 and words[:used] not in (["and"], ["und"]) and len(rest) <= 3 and all(map(str.istitle, rest))

    @property
    def is_sentence(self) -> bool:
        is_long = len(self.words) >= _SENTENCE_WORDS and self.text.rstrip(")\"'”“ ").endswith((".", "!", "?", "…"))
        return is_long or self.words[:1] == ["ps"] or self.words[:2] == ["p", "s"]


_EMPTY = _Line("", "")


def _kinds(lines: list[_Line]) -> list[str]:
    """Return what each line is."""
    kinds: list[str] = []
    room = _ENOUGH
    state, is_forwarded = _TEXT, bool(lines and ":" in lines[0].text[:8] and _begin(lines[0].words, "forward"))
    while (index := len(kinds)) < len(lines) and room > 0:
        line, size, kind = lines[index], 1, state
        if not line.text:
            pass
        elif _FENCE.match(line.raw):
            size, kind = _fenced(lines, index), _LOG
        elif line.is_quoted:
            kind = _QUOTE if _is_quote(lines, index) else state
        elif line.may_begin and len(line.text) < 120 and _is_marker(line, "forwarded"):
            kind, state, is_forwarded = _FURNITURE, _TEXT, True
        elif state != _QUOTE and (head := _head(lines, index)):
            state = _TEXT if is_forwarded or not _has_text(lines, kinds) else _QUOTE
            size, kind, is_forwarded = head, _FURNITURE, False
        elif line.may_begin and len(line.text) < 120 and _is_marker(line, "original"):
            kind = state = _QUOTE
        elif any(each.ends_with_colon for each in lines[index : index + 3]) and (
            attribution := _attribution(lines, index)
        ):
            size, kind = attribution, _QUOTE
            below = next((each for each in lines[index + size :] if each.text), None)
            state = state if below and below.is_quoted else _QUOTE
        elif state != _QUOTE:
            is_below_log = kinds[-1:] == [_LOG] and line.raw[0] in " \t"
            kind, state = (_LOG, state) if is_below_log else _single(line, index, state)
        kinds += [kind] * size
        room -= len(line.text) if kind == _TEXT else 0
    return kinds[: len(lines)] + [_FURNITURE] * (len(lines) - len(kinds))


def _single(line: _Line, index: int, state: str) -> tuple[str, str]:
    """Return the kind of a line that is no quote, and the state after it."""
    if _LOG_LINE.match(line.raw):
        return _LOG, state
    if index and len(line.text) < 80:
        if _RULE.match(line.text):
            return _FURNITURE, _FURNITURE if line.text in ("--", "—") else state
        if line.may_begin and line.text[-1] not in ".!?" and _begin(line.words, "phone"):
            return _FURNITURE, state
        if line.may_begin and line.is_closing:
            return _FURNITURE, _FURNITURE
    if state == _FURNITURE and line.is_sentence and not _begin(line.words, "contact"):
        return _TEXT, _TEXT
    return state, state


def _fenced(lines: list[_Line], index: int) -> int:
    """Return the number of lines from a code fence to the one that closes it, or to the end."""
    closing = (number for number in range(index + 1, len(lines)) if _FENCE.match(lines[number].raw))
    return next(closing, len(lines)) - index + 1


def _is_quote(lines: list[_Line], index: int) -> bool:
    """Return whether a line that begins with ">" is a quote. A single one within a text is not ("> 100 EUR")."""
    before, after = lines[index - 1] if index else None, lines[index + 1] if index + 1 < len(lines) else None
    if before is None or after is None or not before.text or not after.text:
        return True
    return before.is_quoted or after.is_quoted or before.ends_with_colon


def _is_marker(line: _Line, section: str) -> bool:
    """Return whether a line is a marker such as "---- Original message ----", with a name or time behind at most."""
    size = _begin(line.words, section)
    return size > 0 and (line.text[0] in "-_=*>#" or line.ends_with_colon) and len(line.words) - size <= 8


def _head(lines: list[_Line], index: int) -> int:
    """Return the number of lines of the head of a mail: at least three, with an address or a time."""
    size = next((n for n in range(12) if index + n >= len(lines) or not lines[index + n].is_head), 12)
    return size if size >= 3 and any(_FACT.search(line.text) for line in lines[index : index + size]) else 0


def _has_text(lines: list[_Line], kinds: list[str]) -> bool:
    """Return whether there is text below the title."""
    return any(kind == _TEXT and line.text for line, kind in zip(lines[1:], kinds[1:], strict=False))


def _attribution(lines: list[_Line], index: int) -> int:
    """Return the number of lines, up to three, that say who wrote at what time what is quoted below, or 0.

    They hold a date or an address, then a verb such as "wrote" or an address at the end, and end with a colon.
    """
    if not _FACT.search(lines[index].text[:320]):
        return 0
    joined = ""
    for size, line in enumerate(lines[index : index + 3], 1):
        joined = f"{joined} {line.text}"
        if not line.text or len(joined) > 320 or (line.text[-1] in ".!?" and size < 3 and "<" not in line.text):
            return 0
        if line.ends_with_colon:
            words = _words(_lower(joined))
            is_said = not _PHRASES["wrote"].keys().isdisjoint(words)
            is_quoted = index + size < len(lines) and lines[index + size].is_quoted
            is_dated = _FACT.search(joined.replace("@", " ")) is not None
            return size if (is_said and (is_dated or is_quoted)) or _ADDRESS_THEN_COLON.search(joined) else 0
    return 0


# ---------------------------------------- Greetings

_SENTENCE_START = re.compile(r"(?:\A|[.!?\n])[^\w.!?\n]*([^\W_]+)")
_GREETING = re.compile(r"(?:[\w'’.&-]{1,40}[ /]{0,2}){1,7}(?:[,!:]|$)", re.MULTILINE)
_OPENING = 4  # sentences among which a greeting is looked for: a title, and the first of a text


def _without_greetings(text: str) -> str:
    pieces, end = [], 0
    for found in islice(_SENTENCE_START.finditer(text), _OPENING):
        start = found.start(1)
        if _begin(_words(_lower(text[start : start + 80])), "greeting") and (greeting := _GREETING.match(text, start)):
            pieces += [text[end:start], _blanks(greeting[0])[:-1] + "."]  # what follows is another sentence
            end = greeting.end()
    return "".join([*pieces, text[end:]])
