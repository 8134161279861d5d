"""Progress of a command on standard error: a bar on a terminal, a line for each tenth in a pipe."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

Advance = Callable[[int], None]
"""Takes the number of items that were just finished."""


@contextmanager
def progress(total: int | None, what: str) -> Iterator[Advance]:
    """Show the progress through `total` items, named `what` in the plural, or nothing if the total is unknown."""
    if total is None:
        yield lambda _: None
        return
    if sys.stderr.isatty():
        with click.progressbar(length=total, label=what, file=sys.stderr, show_pos=True) as bar:
            yield bar.update
        return
    done = 0

    def advance(steps: int) -> None:
        nonlocal done
        before, done = done, done + steps
        if 10 * done // max(total, 1) > 10 * before // max(total, 1):
            click.echo(f"{done:,} of {max(total, done):,} {what}", err=True)

    yield advance


@contextmanager
def working(what: str, every: float | None = None) -> Iterator[None]:
    """Show how long one statement has been running, whose progress is not known.

    `every` is in seconds. By default each second updates the line of a terminal, and every 15 s add one to a pipe.
    """
    is_terminal = sys.stderr.isatty()
    start, end = ("\r", "") if is_terminal else ("", "\n")
    done, started = threading.Event(), time.monotonic()

    def show() -> None:
        while not done.wait(every or (1 if is_terminal else 15)):
            click.echo(f"{start}{what}: {time.monotonic() - started:.0f} s{end}", err=True, nl=False)

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        if is_terminal:
            click.echo("\r\033[K", err=True, nl=False)
