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
        paths = [folder / f"{match[1]}_{word}.sql" for word in variant.split()] + [folder / f"{match[1]}.sql"]
        path = next(filter(Path.exists, paths), None)
        if path is None:
            raise ValueError(f"{name} includes {match[1]}, but there is no file {paths[-1]}.")
        unused.discard(path.stem.removeprefix(f"{match[1]}_"))
        fragment = path.read_text()
        names = {number: parameter for parameter, number in parameters(path.stem, fragment).items()}
        for parameter in names.values():
            numbers.setdefault(parameter, len(numbers) + 1)
        renumbered = _PLACEHOLDER.sub(lambda place: f"${numbers[names[int(place[1])]]}", statement(fragment))
        return _INCLUDE.sub(include, vary(renumbered))

    body = _INCLUDE.sub(include, vary(statement(text)))
    if unused:
        raise ValueError(f"{name} has nothing that differs for {', '.join(unused)}.")
    if mark := _MARK.search(body):
        raise ValueError(f"{name}: `{mark[0]}` is not `/* include: name */ stand-in`.")
    return body, sorted(numbers, key=numbers.__getitem__)
