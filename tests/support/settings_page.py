"""docs/settings.md, generated from the fields of Config. `python -m tests.support.settings_page` writes it."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path

from ticketsvc.config import Config

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
HEAD = """# Settings

All settings are environment variables. If a value is invalid, the service does not start and prints a sentence that
names the variable. `flask doctor` checks how the settings fit each other and the database.

<!-- Generated from ticketsvc/config.py by `python -m tests.support.settings_page`. -->

| Variable | Default | Meaning |
| --- | --- | --- |
"""


def generate() -> str:
    """Return the text of the page."""
    defaults = {field.name: field.default for field in fields(Config)}
    return HEAD + "".join(
        f"| {variable} | {_shown(defaults[name])} | {text[0].upper()}{text[1:]} |\n"
        for name, variable, text in documented()
    )


def documented() -> Iterator[tuple[str, str, str]]:
    """Yield each field of Config with its variable and the description, both from the string below the field."""
    [config] = ast.parse(inspect.getsource(Config)).body
    assert isinstance(config, ast.ClassDef)
    for statement, following in zip(config.body, config.body[1:], strict=False):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            assert isinstance(following, ast.Expr), statement.target.id
            assert isinstance(following.value, ast.Constant), statement.target.id
            variable, text = re.sub(r"\s+", " ", str(following.value.value)).split(": ", 1)
            yield statement.target.id, variable, text


def _shown(default: object) -> str:
    match default:
        case _ if default is MISSING:
            return "required"
        case bool():
            return "on" if default else "off"
        case float():
            return f"{default:g}"
        case tuple() if default:
            return ",".join(default)
        case None | "" | ():
            return "none"
    return str(default)


if __name__ == "__main__":
    PAGE.write_text(generate())
