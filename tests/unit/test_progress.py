"""How far a command is: a bar or a line that is written over on a terminal, plain lines in a pipe"""

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


def test_a_pipe_is_told_that_a_statement_still_runs(capsys: pytest.CaptureFixture[str]) -> None:
    with working("counting", every=0.01):
        told = ""
        while told.count("\n") < 2:
            told += capsys.readouterr().err
    assert set(told.splitlines()) <= {f"counting: {second} s" for second in range(30)}


def test_one_that_is_quick_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with working("counting"):
        pass
    assert capsys.readouterr().err == ""


def test_a_terminal_has_its_line_written_over(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with closing(os.fdopen(theirs, "w", buffering=1)) as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        with working("counting", every=0.01):
            told = os.read(ours, 100)
        while not told.endswith(b"\r\033[K"):
            told += os.read(ours, 100)
    os.close(ours)
    assert told.startswith(b"\rcounting: ")
    assert b"\n" not in told
