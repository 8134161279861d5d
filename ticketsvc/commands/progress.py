"""How far a command is, told on standard error: a bar on a terminal, a line for each tenth elsewhere.

Of one statement of the database nobody knows how far it is: then the time is told.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

Advance = Callable[[int], None]
"""Call it with the number of things just done."""

PIPE_SECONDS = 15.0
"""How often a line tells that a statement still runs, where there is no terminal."""


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


@contextmanager
def working(what: str, every: float | None = None) -> Iterator[None]:
    """Tell how long `what` has been going on, while the caller waits for one statement.

    `every` is in seconds: by default each on a terminal, where the line is written over, and PIPE_SECONDS elsewhere.
    """
    is_terminal = sys.stderr.isatty()
    every = every or (1.0 if is_terminal else PIPE_SECONDS)
    done, started = threading.Event(), time.monotonic()

    def tell() -> None:
        while not done.wait(every):
            line = f"{what}: {time.monotonic() - started:.0f} s"
            click.echo(f"\r{line}" if is_terminal else line, err=True, nl=not is_terminal)

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()
        if is_terminal:
            click.echo("\r\033[K", err=True, nl=False)
