"""The command `flask triage evaluate`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT
from tests.support.training import change, suggest
from ticketsvc.commands.triage import triage as commands
from ticketsvc.triage.labelled import LabelledTicket, read_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result
    from flask import Flask

    from tests.support.tickets import Connection

RIGHT = {"title": "Charged twice", "description": "Refund the invoice, please.", "category": "billing"}
WRONG = {"text": "My invoice is wrong.", "category": "general", "priority": None}
AWAY = "postgresql://ann:hunter2@127.0.0.1:1/none"


def evaluate(app: Flask, *lines: object, options: tuple[str, ...] = ()) -> Result:
    text = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    return app.test_cli_runner().invoke(commands, ["evaluate", "-", *options], input=text)


def test_it_works(app: Flask) -> None:
    result = evaluate(app, RIGHT, WRONG, {"text": "It is urgent", "priority": "Low"})
    assert result.exit_code == 0, result.output
    assert "Tickets: 3. Decided by: offline 3." in result.stdout
    assert re.search(r"^category +2 +0\.500 +0\.333 +0\.000 +0\.\d{3}$", result.stdout, re.MULTILINE)
    assert re.search(r"^priority +1 +[01]\.000 +[01]\.000 +", result.stdout, re.MULTILINE)
    assert re.search(r"^Latency in ms: mean [\d.]+, p50 [\d.]+, p99 [\d.]+\.$", result.stdout, re.MULTILINE)


def test_it_reports_the_recall_of_critical(app: Flask) -> None:
    down, quiet = "Production is down for all users", "The page is blank"
    labelled = [{"text": text, "priority": "critical"} for text in (down, f"{down} now", quiet)]
    assert "\ncritical: 3 tickets, recall 0.667\n" in evaluate(app, *labelled).stdout
    assert "critical:" not in evaluate(app, {"text": quiet, "priority": "medium"}).stdout


def test_the_calibration_table_counts_every_prediction(app: Flask) -> None:
    result = evaluate(app, *[RIGHT] * 3, WRONG)
    table = result.stdout.partition("category: confidence")[2].partition("\n\n")[0]
    assert sum(int(line.split()[3]) for line in table.splitlines()[1:]) == 4


def test_it_reads_a_file(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "labelled.jsonl"
    path.write_text(f"\ufeff{json.dumps(RIGHT)}\r\n\r\n{json.dumps(WRONG)}", encoding="utf-8")
    result = app.test_cli_runner().invoke(commands, ["evaluate", str(path)])
    assert "Tickets: 2." in result.stdout, result.output


def test_it_reads_the_evaluation_file_of_the_tests(app: Flask) -> None:
    path = ROOT / "tests" / "unit" / "triage" / "evaluation.jsonl"
    result = app.test_cli_runner().invoke(commands, ["evaluate", str(path), "--classifier", "offline"])
    assert f"Tickets: {len(path.read_text().splitlines())}." in result.stdout


INVALID = {
    "foo": "is not JSON",
    '{"text": "a", "category": "billing"': "is not JSON",
    "[" * 100_000: "is not JSON",
    "[1]": "is not a JSON object",
    '{"category": "billing"}': "has no text",
    '{"text": 3, "category": "billing"}': "has no text",
    '{"text": "a", "title": ["b"], "category": "billing"}': "has no text",
    '{"text": "a", "category": "sales"}': "has an unknown category: it must be one of billing, technical,",
    '{"text": "a", "priority": 1}': "has an unknown priority: it must be one of low, medium, high, critical",
    '{"text": "a"}': "has neither a category nor a priority",
    '{"text": "a", "category": "", "priority": null}': "has neither a category nor a priority",
}


@pytest.mark.parametrize(("line", "message"), INVALID.items(), ids=[line[:30] for line in INVALID])
def test_it_reports_an_invalid_line_and_uses_the_others(app: Flask, line: str, message: str) -> None:
    result = evaluate(app, RIGHT, "", line, RIGHT)
    assert result.exit_code == 1
    assert f"Line 3 {message}" in result.stderr
    assert "Error: 1 lines were skipped for the reasons above." in result.stderr
    assert "Tickets: 2." in result.stdout


def test_it_reports_a_line_that_is_not_utf_8(app: Flask) -> None:
    result = app.test_cli_runner().invoke(commands, ["evaluate", "-"], input=b"\xff\xfe\n")
    assert "Line 1 is not JSON in UTF-8" in result.stderr
    assert "Error: The file has no labelled tickets." in result.stderr


def test_an_empty_text_and_unknown_members_are_valid() -> None:
    line = b'{"text": "", "category": "GENERAL", "priority": null, "source": "x", "split": 1}'
    assert read_line(line) == LabelledTicket("", "general", None)
    assert read_line(b'{"title": "a", "description": "b", "priority": "low"}') == LabelledTicket("a\nb", None, "low")


def test_it_rejects_a_missing_file(app: Flask) -> None:
    result = app.test_cli_runner().invoke(commands, ["evaluate", "nowhere.jsonl"])
    assert result.exit_code == 2
    assert "nowhere.jsonl" in result.stderr


# --- the choice of the classifier


def test_the_default_is_the_classifier_of_new_tickets(
    app: Flask, make_app: Callable[..., Flask], database: Connection
) -> None:
    for number in range(12):
        change(database, suggest(database, f"glimmer zorbling {'abcdefghijkl'[number] * 5}"), category="account")
    ticket = {"text": "My glimmer needs zorbling", "category": "account"}
    assert "Decided by: learned 1." in evaluate(app, ticket).stdout
    assert "Decided by: offline 1." in evaluate(app, ticket, options=("--classifier", "offline")).stdout
    unlearned = make_app(triage_learning=False)
    assert "Decided by: offline 1." in evaluate(unlearned, ticket).stdout


def test_it_stores_nothing(app: Flask, database: Connection) -> None:
    evaluate(app, RIGHT)
    assert database.execute("SELECT count(*) FROM tickets").fetchone() == (0,)


def test_the_lexicon_alone_needs_no_database(make_app: Callable[..., Flask]) -> None:
    away = make_app(database_url=AWAY, pool_timeout=0.2)
    assert evaluate(away, RIGHT, options=("--classifier", "offline")).exit_code == 0


def test_evaluate_fails_if_the_database_is_unreachable(make_app: Callable[..., Flask]) -> None:
    away = make_app(database_url=AWAY, pool_timeout=0.2)
    result = evaluate(away, RIGHT)
    assert result.exit_code == 1
    assert result.stderr.startswith('Error: Cannot read database "none" on 127.0.0.1 as "ann": ')
    assert "hunter2" not in result.output


def test_the_model_needs_a_key(app: Flask) -> None:
    result = evaluate(app, RIGHT, options=("--classifier", "openai"))
    assert result.exit_code == 1
    assert "set OPENAI_API_KEY" in result.stderr


def test_the_report_shows_that_the_model_failed(make_app: Callable[..., Flask]) -> None:
    app = make_app(openai_api_key="sk-test", openai_base_url="http://127.0.0.1:1/v1", openai_timeout=2.0)
    assert "Decided by: offline 1." in evaluate(app, RIGHT, options=("--classifier", "openai")).stdout


# --- progress


def test_progress_in_a_pipe_is_lines(app: Flask) -> None:
    printed = evaluate(app, *[RIGHT] * 20).stderr.splitlines()
    assert printed == [f"{number} of 20 tickets" for number in range(2, 21, 2)]


def test_progress_on_a_terminal_is_a_bar(tmp_path: Path) -> None:
    path = tmp_path / "labelled.jsonl"
    path.write_text(f"{json.dumps(RIGHT)}\n" * 3)
    command = [sys.executable, "-m", "flask", "triage", "evaluate", str(path), "--classifier", "offline"]
    controller, terminal = os.openpty()
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": AWAY, "TERM": "xterm"}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=terminal, check=True)
    os.close(terminal)
    shown = b""
    with suppress(OSError), os.fdopen(controller, "rb", buffering=0) as output:  # reading past the end raises OSError
        while part := output.read(65_536):
            shown += part
    assert b"3/3" in shown
    assert b"#" in shown
    assert done.stdout.startswith(b"Tickets: 3.")
