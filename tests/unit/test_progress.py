"""Progress of a command: a bar or an updated line on a terminal, plain lines in a pipe."""

from __future__ import annotations

import os
import pty
from contextlib import closing
from typing import TYPE_CHECKING

from ticketsvc.commands.progress import progress, working

if TYPE_CHECKING:
    import pytest


def test_a_pipe_gets_a_line_for_each_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(1000, "tickets") as advance:
        for _ in range(1000):
            advance(1)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"{done:,} of 1,000 tickets" for done in range(100, 1001, 100)]


def test_a_pipe_gets_lines_while_a_statement_runs(capsys: pytest.CaptureFixture[str]) -> None:
    with working("counting", every=0.01):
        shown = ""
        while shown.count("\n") < 2:
            shown += capsys.readouterr().err
    assert set(shown.splitlines()) <= {f"counting: {second} s" for second in range(600)}


def test_a_quick_statement_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with working("counting", every=600):
        pass
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_one_updated_line(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with closing(os.fdopen(theirs, "w", buffering=1)) as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        with working("counting", every=0.01):
            shown = os.read(ours, 100)
        while not shown.endswith(b"\r\033[K"):
            shown += os.read(ours, 100)
    os.close(ours)
    assert shown.startswith(b"\rcounting: ")
    assert b"\n" not in shown
