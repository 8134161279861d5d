"""How far a command is, told on standard error: a bar on a terminal, a line for each tenth elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

Advance = Callable[[int], None]
"""Call it with the number of things just done."""


@contextmanager
def progress(total: int, what: str) -> Iterator[Advance]:
    """Tell of `total` things, named `what` in the plural, while the caller works on them."""
    if sys.stderr.isatty():
        with click.progressbar(length=total, label=what, file=sys.stderr, show_pos=True) as bar:
            yield bar.update
    else:
        yield _lines(total, what)


def _lines(total: int, what: str) -> Advance:
    done = told = 0

    def advance(steps: int) -> None:
        nonlocal done, told
        done += steps
        tenth = 10 * done // max(total, 1)
        if tenth > told:
            told = tenth
            click.echo(f"{done:,} of {max(total, done):,} {what}", err=True)

    return advance
