"""The files that script/api-docs generates from ticketsvc/api/openapi.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.test_docs_pages import Page
from tests.support import api_docs

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

GENERATED = api_docs.generate()


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: path.name)
def test_committed_files_are_current(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == GENERATED[path], "run script/api-docs and commit what it writes"


def test_the_errors_page_has_every_problem_type_in_order(client: FlaskClient) -> None:
    page = client.get("/docs/errors").text
    document = api_docs.load()
    for text in (api_docs.introduction(document), *dict(api_docs.problem_types(document)).values()):
        assert api_docs.markdown.render(text) in page
    assert list(dict(api_docs.problem_types(document))) == Page(page).ids


def test_the_reference_has_every_operation_and_schema() -> None:
    document, reference = api_docs.load(), (api_docs.ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    for path, methods in document["paths"].items():
        for method in methods.keys() - {"parameters"}:
            assert f"`{method.upper()} {path}`" in reference
    for name, schema in document["components"]["schemas"].items():
        if "properties" in schema:
            assert (f"### The {name} object" in reference) != (
                name
                in {"TicketInput", "TicketChange", "BulkChange", "ClaimInput", "ClassifyInput", "CommentInput"}
                | {"SimilarInput"}
                | {"WebhookInput", "WebhookChange"}
            )
            assert all(f"| `{member}`" in reference for member in schema["properties"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("`a < b` & **c**", "<p><code>a &lt; b</code> &amp; <strong>c</strong></p>"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ("## Use `curl`, please", '<h2 id="use-curl-please">Use <code>curl</code>, please</h2>'),
        ("[a](guide.md#b) [c](api.md)", '<p><a href="/docs/guide#b">a</a> <a href="/docs">c</a></p>'),
        ("[a](operations.md) [b](#c)", '<p>a <a href="#c">b</a></p>'),
        ("<http://localhost:3000/docs>", '<p><a href="http://localhost:3000/docs">http://localhost:3000/docs</a></p>'),
    ],
)
def test_guides_become_html(text: str, expected: str) -> None:
    assert api_docs.guide_html(text, ["guide"]) == expected + "\n"
