"""The files generated from ticketsvc/api/openapi.yaml and guides of docs/; `script/api-docs` writes them.

The service serves openapi.json and the pages as they are; the pages include guides of docs/. docs/api.md and
docs/errors.md are for reading on a code host.
"""

from __future__ import annotations

import json
import re
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from markdown_it import MarkdownIt

from ticketsvc import __version__, compact_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from markdown_it.token import Token

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "ticketsvc" / "static"
SOURCE = ROOT / "ticketsvc" / "api" / "openapi.yaml"
NOTICE = "<!-- Generated from ticketsvc/api/openapi.yaml by script/api-docs: do not edit. -->\n"

SWAGGER_UI = "/docs/files/vendor/swagger-ui-5.35.0"
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Ticket service: {title}</title>
<link rel="icon" href="data:,">
{styles}<link rel="stylesheet" href="/docs/files/docs.css">
</head>
<body>
<nav aria-label="Pages">
{links}
</nav>
{main}
</body>
</html>
"""
API = f"""<div id="api"><noscript><p>This page needs JavaScript. <a href="/openapi.json">The OpenAPI document</a> and
the other pages do not.</p></noscript></div>
<script src="{SWAGGER_UI}/swagger-ui-bundle.js"></script>
<script src="/docs/files/docs.js"></script>"""

markdown = MarkdownIt("commonmark", {"html": False}).enable("table")


def main() -> None:
    """Write all generated files."""
    for path, text in generate().items():
        path.write_text(text, encoding="utf-8")


def generate() -> dict[Path, str]:
    """Return the text of each generated file."""
    document = load()
    return {
        STATIC / "openapi.json": f"{compact_json.encode(document)}\n",
        **{STATIC / "pages" / f"{name or 'api'}.html": page(document, name) for name in page_titles(document)},
        ROOT / "docs" / "errors.md": errors_markdown(document),
        ROOT / "docs" / "api.md": Reference(document).text(),
    }


def load() -> Json:
    """Return the OpenAPI document with the version of this release and a curl command for each operation."""
    document: Json = yaml.load(SOURCE.read_bytes(), Loader=yaml.CSafeLoader)
    document["info"]["version"] = __version__
    reference = Reference(document)
    for method, path, operation in reference.operations:
        sample = {"lang": "Shell", "label": "curl", "source": reference.curl(method, path, operation)}
        document["paths"][path][method]["x-codeSamples"] = [sample]
    return document


# --- pages


def page_titles(document: Json) -> dict[str, str]:
    """Return the names of the pages below /docs with their titles. The name of the first one is empty."""
    names = document["components"]["parameters"]["page"]["schema"]["enum"]
    return (
        {"": "API reference"}
        | {name: guide(name).partition("\n")[0].removeprefix("# ") for name in names if name != "errors"}
        | {"errors": "Errors"}
    )


def guide(name: str) -> str:
    """Return the Markdown of a guide."""
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def page(document: Json, name: str) -> str:
    """Return a page in HTML."""
    titles = page_titles(document)
    here = {name: ' aria-current="page"'}
    links = [f'<a href="/docs/{each}"{here.get(each, "")}>{title}</a>' for each, title in titles.items()]
    if name == "":
        main = API
    elif name == "errors":
        main = f'<main class="text">\n{errors_html(document)}</main>'
    else:
        main = f'<main class="text">\n{guide_html(guide(name), titles)}</main>'
    return PAGE.format(
        title=titles[name],
        styles="" if name else f'<link rel="stylesheet" href="{SWAGGER_UI}/swagger-ui.css">\n',
        links="\n".join(['<a href="/">Console</a>', *links]).replace('"/docs/"', '"/docs"'),
        main=main,
    )


def guide_html(text: str, pages: Iterable[str]) -> str:
    """Render Markdown with an anchor for each heading. Links to documents that are no pages become plain text."""
    tokens = markdown.parse(text)
    for token, following in pairwise(tokens):
        if token.type == "heading_open":
            token.attrSet("id", re.sub(r"[^\w -]", "", following.content.lower()).replace(" ", "-"))
        if token.type == "inline":
            token.children = list(_with_links(token.children or [], pages))
    return str(markdown.renderer.render(tokens, markdown.options, {}))


def _with_links(tokens: Iterable[Token], pages: Iterable[str]) -> Iterator[Token]:
    """Yield the tokens, with links to other documents replaced by links to their pages, if there are any."""
    dropped = False
    for token in tokens:
        if token.type == "link_open":
            name, is_document, heading = str(token.attrGet("href")).partition(".md")
            dropped = bool(is_document) and name not in (*pages, "api")
            if is_document:
                token.attrSet("href", "/docs" if name == "api" else f"/docs/{name}{heading}")
        if not (dropped and token.type.startswith("link_")):
            yield token


# --- problem types


def introduction(document: Json) -> str:
    """Return what all problem types have in common: the description of their schema."""
    return str(document["components"]["schemas"]["Problem"]["description"]).strip()


def problem_types(document: Json) -> Iterator[tuple[str, str]]:
    """Yield the slug and the description of each problem type."""
    components = document["components"]
    examples = components["examples"] | components["x-examples"]
    for slug, example in sorted(examples.items(), key=lambda item: item[1]["value"]["status"]):
        yield slug, example["description"].strip()


def errors_markdown(document: Json) -> str:
    """Return docs/errors.md."""
    sections = [f"## {slug}\n\n{text}\n" for slug, text in problem_types(document)]
    return in_files("\n".join([NOTICE, "# Errors\n", f"{introduction(document)}\n", *sections]))


def in_files(text: str) -> str:
    """Return a text whose links to pages lead to the files."""
    return re.sub(r"\]\(/docs/([a-z]+)\)", r"](\1.md)", text)


def errors_html(document: Json) -> str:
    """Return the content of the page /docs/errors."""
    sections = [
        f'<section id="{slug}">\n<h2><a href="#{slug}">{slug}</a></h2>\n{markdown.render(text)}</section>\n'
        for slug, text in problem_types(document)
    ]
    return f"<h1>Errors</h1>\n{markdown.render(introduction(document))}{''.join(sections)}"


# --- docs/api.md


class Reference:
    """Writes docs/api.md: for each operation its parameters, body, responses and one example; then all objects."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self.schemas: Json = document["components"]["schemas"]
        self.operations = [
            (method, path, {**operation, "parameters": [*methods.get("parameters", []), *operation["parameters"]]})
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
            if method != "parameters"
        ]
        by_id = {operation["operationId"]: operation for _, _, operation in self.operations}
        self.filters = self._parameters(by_id["readStatistics"])
        guarded = [operation for _, _, operation in self.operations if operation["security"]]
        self.bodies = {
            content["schema"]["$ref"].rpartition("/")[2]
            for operation in by_id.values()
            for content in operation.get("requestBody", {}).get("content", {}).values()
            if "$ref" in content["schema"]
        }
        self.common = set.intersection(*(set(self._problems(operation)) for operation in guarded))

    def text(self) -> str:
        """Return the whole page."""
        overview = self.document["info"]["description"].strip()
        # The objects of requests are described with their operation.
        objects = [name for name, each in self.schemas.items() if "properties" in each and name not in self.bodies]
        parts = [
            f"{NOTICE}\n# API reference\n\n{overview}",
            *self._conventions(),
            *(part for tag in self.document["tags"] for part in self._tag(tag)),
            "## Objects",
            *map(self._object, objects),
        ]
        return in_files("\n\n".join(parts) + "\n")

    def _conventions(self) -> Iterator[str]:
        components = self.document["components"]
        request_id = components["parameters"]["X-Request-Id"]
        yield "## Authentication"
        yield components["securitySchemes"]["apiKey"]["description"].strip()
        yield "## Headers of every request and response"
        headers = [name for name in components["headers"] if name in ("X-Request-Id", "RateLimit", "RateLimit-Policy")]
        rows = [("`X-Request-Id` (request)", request_id["description"])]
        rows += [(f"`{name}` (response)", components["headers"][name]["description"]) for name in headers]
        yield _table(("header", "meaning"), rows)
        yield "## Errors of every request"
        yield self._problem_links(self.common)
        yield "## Filters"
        yield self._parameter_table(self.filters)

    def _tag(self, tag: Json) -> Iterator[str]:
        yield f"## {tag['name']}"
        yield tag["description"]
        for method, path, operation in self.operations:
            if tag["name"] in operation["tags"]:
                yield "\n\n".join(self._operation(method, path, operation))

    def _operation(self, method: str, path: str, operation: Json) -> Iterator[str]:
        yield f"### {operation['summary']}"
        scope = operation["security"][0]["apiKey"][0] if operation["security"] else None
        yield f"`{method.upper()} {path}` · " + (f"scope `{scope}`" if scope else "no key needed")
        yield operation["description"].strip()
        if parameters := self._parameters(operation):
            yield self._parameter_table(parameters)
        for title, schema in self._bodies(operation):
            yield f"Body: {title}."
            yield self._members(schema)
        yield _table(("status", "body", "meaning"), self._successes(operation))
        if specific := set(self._problems(operation)) - self.common:
            yield f"Errors: {self._problem_links(specific)}"
        yield self._example(method, path, operation)

    # parameters

    def _parameters(self, operation: Json) -> list[Json]:
        resolved = [self._resolve(parameter) for parameter in operation["parameters"]]
        return [parameter for parameter in resolved if parameter["name"] != "X-Request-Id"]

    def _parameter_table(self, parameters: list[Json]) -> str:
        rows: list[tuple[str, ...]] = []
        if parameters is not self.filters and all(each in parameters for each in self.filters):
            rows.append(("filters", "", "Any of the [filters](#filters)."))
            parameters = [each for each in parameters if each not in self.filters]
        for each in parameters:
            name = f"`{each['name']}`" + ("" if each["in"] == "query" else f" ({each['in']})")
            default = f" Default: `{_value(each['schema']['default'])}`." if "default" in each["schema"] else ""
            rows.append((name, self._type(each["schema"]), each["description"] + default))
        return _table(("parameter", "type", "meaning"), rows)

    # bodies

    def _bodies(self, operation: Json) -> Iterator[tuple[str, Json]]:
        content = operation.get("requestBody", {}).get("content", {})
        by_schema: dict[str, list[str]] = {}
        for media_type, described in content.items():
            by_schema.setdefault(json.dumps(described["schema"]), []).append(f"`{media_type}`")
        for schema, media_types in by_schema.items():
            yield " or ".join(media_types), json.loads(schema)

    def _members(self, schema: Json) -> str:
        schema = self._resolve(schema)
        if "properties" not in schema:
            return str(schema["description"])
        rows = [
            (
                f"`{name}`" + ("" if name in schema["required"] else " (optional)"),
                self._type(member),
                self._description(member),
            )
            for name, member in schema["properties"].items()
        ]
        return _table(("member", "type", "meaning"), rows)

    def _object(self, name: str) -> str:
        schema = self.schemas[name]
        lead = str(schema["description"]).strip().split("\n\n")[0]
        return f"### The {name} object\n\n{lead}\n\n{self._members(schema)}"

    # responses

    def _successes(self, operation: Json) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = []
        for status, response in operation["responses"].items():
            if status >= "400":
                continue
            response = self._resolve(response)
            headers = [f"`{name}`" for name in response["headers"] if name not in self._everywhere]
            meaning = response["description"] + (f" Headers: {', '.join(headers)}." if headers else "")
            rows.append((status, self._content(response.get("content", {})), meaning))
        return rows

    _everywhere = ("X-Request-Id", "RateLimit", "RateLimit-Policy")

    def _content(self, content: Json) -> str:
        if "application/json" in content:
            return self._type(content["application/json"]["schema"])
        return " or ".join(f"`{media_type}`" for media_type in content)

    def _problems(self, operation: Json) -> Iterator[str]:
        for status, response in operation["responses"].items():
            if status >= "400":
                yield from self._resolve(response)["content"]["application/problem+json"]["examples"]

    def _problem_links(self, slugs: Iterable[str]) -> str:
        examples = self.document["components"]["examples"]
        links = [
            f"{examples[slug]['value']['status']} [{slug}](errors.md#{slug})" for slug in examples if slug in set(slugs)
        ]
        return ", ".join(links) + "."

    # examples

    def _example(self, method: str, path: str, operation: Json) -> str:
        status, response = next(iter(operation["responses"].items()))
        lines = [f"{method.upper()} {self._example_address(path, operation)}"]
        for media_type, described in operation.get("requestBody", {}).get("content", {}).items():
            lines += [f"Content-Type: {media_type}", "", _body(next(iter(described["examples"].values()))["value"])]
            break
        lines += ["", f"{status} {_PHRASES[status]}"]
        response = self._resolve(response)
        for name in response["headers"]:
            if name not in self._everywhere and name not in ("Accept-Patch", "Idempotent-Replayed", "X-Total-Count"):
                lines.append(f"{name}: {self.document['components']['headers'][name]['example']}")
        for media_type, described in response.get("content", {}).items():
            lines.append(f"Content-Type: {media_type}")
            if (value := self._sample(described)) is not None:
                lines += ["", _body(value)]
            break
        return "```http\n" + "\n".join(lines) + "\n```"

    def curl(self, method: str, path: str, operation: Json) -> str:
        """Return a command that sends a request of this operation."""
        default = "post" if "requestBody" in operation else "get"
        option = "" if method == default else f"-X {method.upper()} "
        parts = [f"curl {option}'localhost:3000{self._example_address(path, operation)}'"]
        for media_type, described in operation.get("requestBody", {}).get("content", {}).items():
            body = _body(next(iter(described["examples"].values()))["value"])
            parts += [f"-H 'Content-Type: {media_type}'", f"--data-binary '{body}'"]
            break
        return " \\\n    ".join(parts)

    def _example_address(self, path: str, operation: Json) -> str:
        given = [
            f"{parameter['name']}={_value(parameter['schema']['examples'][0])}"
            for parameter in self._parameters(operation)
            if parameter["in"] == "query" and parameter["name"] in ("status", "sort", "limit", "tz", "format")
        ]
        every = self.document["components"]["parameters"].values()
        path = path.format_map({each["name"]: each["schema"]["examples"][0] for each in every if each["in"] == "path"})
        return f"{path}?{'&'.join(given)}" if given else path

    def _sample(self, described: Json) -> object:
        """Return an example of a body, or None if the document has none."""
        if "examples" in described:
            return next(iter(described["examples"].values()))["value"]
        schema = self._resolve(described["schema"])
        if schema.get("type") == "array":
            return [self._resolve(schema["items"])["examples"][0]]
        return schema["examples"][0] if "examples" in schema else None

    # schemas

    def _resolve(self, node: Json) -> Json:
        while "$ref" in node:
            target: Any = self.document
            for key in node["$ref"].removeprefix("#/").split("/"):
                target = target[key]
            node = target
        return node

    def _description(self, schema: Json) -> str:
        if "description" in schema:
            return str(schema["description"])
        target = self._resolve(schema)
        return "" if "properties" in target else str(target.get("description", ""))

    def _type(self, schema: Json) -> str:
        """Return the type of a schema in a few words of Markdown."""
        if "$ref" in schema:
            name, target = schema["$ref"].rpartition("/")[2], self._resolve(schema)
            return f"[{name}](#the-{name.lower()}-object)" if "properties" in target else self._type(target)
        if "enum" in schema:
            values = ", ".join(f"`{value}`" for value in schema["enum"] if value)
            return values + (" or null" if None in schema["enum"] else "")
        if "anyOf" in schema:
            return " or ".join(self._type(each) for each in schema["anyOf"] if each.get("const") != "")
        kind = schema.get("type", "object")
        if isinstance(kind, list):
            return " or ".join(kind)
        if kind == "array":
            return f"list of {self._type(schema['items'])}"
        if kind == "object" and "properties" in schema:
            types = {name: self._type(each) for name, each in schema["properties"].items()}
            if len(set(types.values())) == 1:
                return f"object of {next(iter(types.values()))} with {', '.join(f'`{name}`' for name in types)}"
            return "object with " + ", ".join(f"`{name}`: {kind}" for name, kind in types.items())
        if kind == "object" and "additionalProperties" in schema:
            return f"object of {self._type(schema['additionalProperties'])}"
        limits = ", ".join(
            words.format(f"{schema[key]:,}") for key, words in _LIMITS.items() if schema.get(key, 0) not in (0, "")
        )
        name = str({"date-time": "time", "date": "date", "uuid": "UUID"}.get(schema.get("format", ""), kind))
        return f"{name} ({limits})" if limits else name


_LIMITS = {"minimum": "from {}", "maximum": "at most {}", "maxLength": "at most {} characters"}
_PHRASES = {"200": "OK", "201": "Created", "202": "Accepted", "204": "No Content"}


def _value(value: object) -> str:
    """Return a parameter's value as it is sent."""
    if isinstance(value, list):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _body(value: object) -> str:
    return value.replace("\r\n", "\n").rstrip("\n") if isinstance(value, str) else _json(value)


def _json(value: object) -> str:
    """Return JSON for people: what fits into a line of 100 characters is on one line."""
    return _indented(value, "")


def _indented(value: object, indent: str) -> str:
    line = json.dumps(value, ensure_ascii=False)
    if len(indent + line) <= 100 or not isinstance(value, (dict, list)):
        return line
    inner = indent + "  "
    write: Callable[[object], str] = partial(_indented, indent=inner)
    if isinstance(value, dict):
        members = [f"{inner}{json.dumps(name)}: {write(member)}" for name, member in value.items()]
        return "{\n" + ",\n".join(members) + f"\n{indent}}}"
    return "[\n" + ",\n".join(inner + write(member) for member in value) + f"\n{indent}]"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(" ".join(cell.split()) for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    main()
