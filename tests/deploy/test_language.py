"""The tree uses plain technical English: no phrase of the list below, and docstrings that begin with a verb.

`python -m tests.deploy.test_language` prints every violation and their number by phrase.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

# Regular expression: what to write. Names are matched too: `send_answer` and `SendAnswer` read "send answer".
PHRASES = {
    r"answer(s|ed|ing)?": "response, respond, return",
    r"callers?": "client",
    r"API calls?|HTTP calls?": "request",
    r"faults?|faulty": "error; fault only for fault injection",
    r"complaints?": "problem, error message",
    r"lessons?": "training example",
    r"ballots?": "vote counts, label counts",
    r"judges?": "check, linter",
    r"patience|patient(ly)?|impatient": "timeout",
    r"fold(?:s|ed|ing)? (?:all |the )?(?:changes|counts|deltas|rows)": "merge",
    r"mend(s|ed|ing)?": "repair, fix, rebuild",
    r"told|telling": "reported, logged; the message says",
    r"who (asks?|asked|calls?|called|comes?|came)": "a client that ...",
    r"whom|whoever": "name the person or program",
    r"so many": "this number of, the number of",
    r"what is left|what is there": "the remaining ..., the existing ...",
    r"for good": "permanently",
    r"for ever": "without a limit",
    r"anew": "again",
    r"amid": "during, within",
    r"beside": "in addition to, next to",
    r"lest": "so that ... not",
    r"farewell": "closing message",
    r"the house|a house": "the project",
    r"bad night|the night": "chaos run",
    r"as (it|they) stands?": "unchanged",
    r"asked for": "requested",
    r"by nobody|to nobody|of nobody": "by no ...",
    r"makes? known": "report",
    r"comes? to grief": "fail",
    r"(an?|the) (wholly|altogether)": "completely",
}
PATTERN = re.compile("|".join(rf"\b(?P<p{n}>{phrase})\b" for n, phrase in enumerate(PHRASES)), re.IGNORECASE)
# (None: any), (0: without a limit)
ELLIPSIS = re.compile(r"\((None|empty|zero|off|0|-1): ")
NOUN_CLAUSE = re.compile(r"(What|Whether|How|Where|When|Who|Which|Why)\b")
SQL_NOUN_CLAUSE = re.compile(r"-- (What|Whether|How|Where|Who|Which|Why)\b")

SUFFIXES = {".py", ".sql", ".md", ".js", ".ts", ".css", ".html", ".toml", ".yml", ".yaml", ".in", ".json", ".txt", ""}
NOT_OURS = {".git", ".venv", "var", "vendor", "node_modules", "__pycache__", ".hypothesis"}
# Names on the wire, of settings and directories, the term of the field, and data.
REMOVED = re.compile(
    r"""faulty_lines|["'`]caller["'`]|source: caller|FAULTS\w*|fault injection|fault tests?"""
    r"""|tests[./]faults|["'`/]faults(?=[/"'`])"""
)
OLD_NAMES = re.compile(
    r"(category|priority|triage)_lesson|triage_ballot|fold_ticket_changes|\w+_answer_not_null|(AS|COLUMN) answer\b"
)
OLD_NAMES_IN = {
    "sql/compatibility.sql",
    "sql/schema.sql",
    "migrations/0007_names.sql",
    "migrations/0016_functions_of_rows.sql",
}
"""Files with names of the previous release, which it needs until it is stopped."""

ALLOWED = {
    "CHANGELOG.md": "describes the past",
    "LICENSE": "not ours",
    "docs/glossary.md": "lists the words that are not used",
    "docs/reliability.md": {"fault", "faults"},
    "tests/faults/previous_release/": "a copy of the previous release's SQL",
    "tests/faults": {"fault", "faults"},
    "ticketsvc/static/pages/": "generated",
    "tests/deploy/test_language.py": "lists the phrases",
    "bench/peers/gen.py": {"answer"},  # words of tickets
    "tests/unit/triage/test_accuracy.py": "texts of tickets",
    "tests/unit/triage/test_mail.py": "texts of tickets",
    "tests/unit/triage/test_offline.py": "texts of tickets",
    "ticketsvc_dev/demo.txt": "texts of tickets",
    "ticketsvc/triage/mail.txt": "words of tickets",
    "ticketsvc/triage/offline/furniture.txt": "words of tickets",
    "ticketsvc/triage/offline/lexicon.txt": "words of tickets",
    "ticketsvc/triage/offline/openings.txt": "words of mails",
    "ticketsvc/triage/offline/weights.txt": "words of tickets",
    "ticketsvc/triage/openai/prompt.py": {"answer", "complaints", "judge", "told"},  # the prompt: a change needs a test
    "ticketsvc/triage/openai/classifier.py": {"answer"},  # values of the label `reason` of a metric
    "ticketsvc/triage/learning/classifier.py": {"lessons"},  # the same
    "docs/operations/alerts.yml": {"lessons"},  # the same
    "tests/unit/triage": {"answer"},  # texts of tickets, and values of the label `reason`
    **{f"migrations/{number:04}_": "never edited" for number in range(1, 7)},
    **dict.fromkeys(["requirements.txt", "requirements-dev.txt", "requirements-embedded.txt"], "generated"),
    "tests/clients/requirements.txt": "generated",
    "tests/clients/typescript/package-lock.json": "generated",
    "tests/clients/agents/requirements.txt": "generated",
    "tests/clients/agents/package-lock.json": "generated",
    "tests/contract/linters/package-lock.json": "generated",
    "requirements-otel.txt": "generated",
    "requirements-encoder.txt": "generated",
}
"""Path, or beginning of paths: why it is not checked, or the phrases that it may use."""


class Violation(NamedTuple):
    """A phrase in a line of a file."""

    path: str
    line: int
    phrase: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.phrase!r} ({self.instead})"


def files() -> Iterator[Path]:
    """Yield the files that people write."""
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        ours = NOT_OURS.isdisjoint(parts) and not any(part.endswith("_cache") for part in parts)
        if ours and path.suffix in SUFFIXES and path.is_file() and not path.name.startswith("."):
            yield path


def violations(path: Path) -> Iterator[Violation]:
    """Yield the violations of one file."""
    name = path.relative_to(ROOT).as_posix()
    allowed = next((reason for prefix, reason in ALLOWED.items() if name.startswith(prefix)), set())
    if isinstance(allowed, str):
        return
    text = path.read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        kept = OLD_NAMES.sub(" ", line) if name in OLD_NAMES_IN else line
        words = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", REMOVED.sub(" ", kept))
        for found in PATTERN.finditer(words):
            if found[0].lower() not in allowed:
                yield Violation(name, number, found[0].lower(), list(PHRASES.values())[int(str(found.lastgroup)[1:])])
        if ellipsis := ELLIPSIS.search(line):
            yield Violation(name, number, ellipsis[0], "None means ...")
    if path.suffix == ".sql" and (noun_clause := SQL_NOUN_CLAUSE.match(text)):
        yield Violation(name, 1, noun_clause[0], "begin with Returns, Stores, ...")
    if path.suffix == ".py":
        for number, docstring in docstrings(text):
            if clause := NOUN_CLAUSE.match(docstring):
                yield Violation(name, number, f"docstring {clause[0]}", "begin with a verb")


def docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and text of each docstring, attribute docstrings included."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield node.lineno, text.strip()


def all_violations() -> list[Violation]:
    """Return the violations of the whole tree."""
    return [violation for path in files() for violation in violations(path)]


def report(found: list[Violation]) -> str:
    """Return one line for each violation, and the number of each phrase."""
    counts = Counter(violation.phrase for violation in found).most_common()
    return "\n".join([*map(str, found), f"{len(found)} in all:", *(f"{count:6} {phrase}" for phrase, count in counts)])


def test_the_tree_has_no_dialect_phrase() -> None:
    found = all_violations()
    assert not found, report(found)


@pytest.mark.parametrize(
    ("line", "phrases"),
    [
        ("# Who asks for it is told so many answers.", ["who asks", "told", "so many", "answers"]),
        ("def send_answer(self) -> LineFault:", ["answer", "fault"]),
        ('"""What a client sends (None: nothing)."""', ["(None: ", "docstring What"]),
        ('source = "caller"  # default', []),
    ],
)
def test_phrase_in_a_file_is_reported(
    line: str, phrases: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "example.py").write_text(line if not line.startswith("def") else f"{line} ...")
    assert [violation.phrase for violation in violations(tmp_path / "example.py")] == phrases


def test_old_name_is_allowed_in_its_files_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    for name in ("compatibility.sql", "other.sql"):
        (tmp_path / "sql").mkdir(exist_ok=True)
        (tmp_path / "sql" / name).write_text("DROP FUNCTION category_lesson; -- a lesson")
    found = [(violation.path, violation.phrase) for violation in all_violations()]
    assert found == [("sql/compatibility.sql", "lesson"), ("sql/other.sql", "lesson"), ("sql/other.sql", "lesson")]


if __name__ == "__main__":
    print(report(all_violations()))
