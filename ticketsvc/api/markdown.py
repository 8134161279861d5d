"""The little of Markdown that docs/errors.md is written in: paragraphs, `code` and **bold**."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

_BLANK_LINES = re.compile(r"\n\s*\n")
_SPANS = (
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
    (re.compile(r"\*\*([^*]+)\*\*"), r"<strong>\1</strong>"),
)


def paragraphs(text: str) -> list[Markup]:
    """Each paragraph as HTML, without the element around it."""
    return [_spans(part) for part in _BLANK_LINES.split(text.strip()) if part]


def _spans(text: str) -> Markup:
    html = str(escape(text))
    for pattern, element in _SPANS:
        html = pattern.sub(element, html)
    return Markup(html)  # noqa: S704 - escaped above
