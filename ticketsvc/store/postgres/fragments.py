"""SQL that several files share, and files that serve several sort orders.

Both are comments in front of a stand-in, so that every file is valid SQL as it is and runs in psql:

    WHERE /* include: facets */ true        `true` is replaced with sql/fragments/facets.sql
    ORDER BY t.id /* oldest: ASC */ DESC    `DESC` is replaced with `ASC` in the variant `oldest`

A stand-in is one word. A fragment has a header like a query's; its parameters are those of the same name in the file
that includes it, or are added to them. If there is a fragment facets_oldest.sql, the variant `oldest` includes that. A
file can have several variants at once: `oldest pairs`. Its fragments have the same.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_PARAMETER = re.compile(r"^-- \$(\d+) (\w+)", re.MULTILINE)
_PLACEHOLDER = re.compile(r"\$(\d+)")
_INCLUDE = re.compile(r"/\* include: (\w+) \*/ [^\s,()]+")
_VARIANT = r"/\* {}: (.*?) \*/ [^\s,()]+"
_MARK = re.compile(r"/\*\s*include.*")


def statement(text: str) -> str:
    """Return the text of an SQL file without its header and other comment lines."""
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))


def parameters(name: str, text: str) -> dict[str, int]:
    """Return the numbers of the parameters by name. Raises ValueError unless the header documents those in use."""
    documented = {parameter: int(number) for number, parameter in _PARAMETER.findall(text)}
    used = {int(number) for number in _PLACEHOLDER.findall(statement(text))}
    if sorted(documented.values()) != sorted(used) or used != set(range(1, len(used) + 1)):
        raise ValueError(f"{name} documents the parameters {documented} and uses {sorted(used)}.")
    return documented


@cache
def _read(folder: Path, name: str) -> tuple[str, dict[int, str]] | None:
    """Return the statement of a fragment and the names of its parameters by number, or None if there is no such file.

    Raises ValueError for a header that does not match the statement.
    """
    path = folder / f"{name}.sql"
    if not path.exists():
        return None
    text = path.read_text()
    return statement(text), {number: parameter for parameter, number in parameters(name, text).items()}


def expand(name: str, text: str, folder: Path, variant: str = "") -> tuple[str, list[str]]:
    """Return the statement of an SQL file with its fragments, and the names of its parameters in order.

    Raises ValueError for a header that does not match the statement, an unknown fragment or variant.
    """
    numbers = parameters(name, text)
    unused = set(variant.split())

    def vary(text: str) -> str:
        for word in variant.split():
            text, replaced = re.subn(_VARIANT.format(word), r"\1", text)
            if replaced:
                unused.discard(word)
        return text

    def include(match: re.Match[str]) -> str:
        word = next((word for word in variant.split() if _read(folder, f"{match[1]}_{word}")), "")
        unused.discard(word)
        fragment = _read(folder, f"{match[1]}_{word}" if word else match[1])
        if fragment is None:
            raise ValueError(f"{name} includes {match[1]}, but there is no file {folder / match[1]}.sql.")
        body, names = fragment
        for parameter in names.values():
            numbers.setdefault(parameter, len(numbers) + 1)
        return _INCLUDE.sub(include, vary(_PLACEHOLDER.sub(lambda place: f"${numbers[names[int(place[1])]]}", body)))

    body = _INCLUDE.sub(include, vary(statement(text)))
    if unused:
        raise ValueError(f"{name} has nothing that differs for {', '.join(unused)}.")
    if mark := _MARK.search(body):
        raise ValueError(f"{name}: `{mark[0]}` is not `/* include: name */ stand-in`.")
    return body, sorted(numbers, key=numbers.__getitem__)
