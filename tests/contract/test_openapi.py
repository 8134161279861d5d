"""GET /openapi.json: the document is valid and complete, and the service does what it says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.support.openapi_contract import COMMENT_ID, DOCUMENT, ID, Operation
from tests.support.tickets import TICKET, URL, file_ticket, problem
from tests.support.webhooks import DELIVERY_ID, WEBHOOK_ID, WEBHOOKS, a_delivery, insert_delivery, register
from ticketsvc import __version__, problems
from ticketsvc.api.auth import scopes
from ticketsvc.api.input import filters, idempotency, media_types, stats_query
from ticketsvc.api.mcp.protocol import HEADERS
from ticketsvc.api.output.cors import EXPOSED, REQUEST_HEADERS
from ticketsvc.config import RateLimit
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.files import FORMATS
from ticketsvc.filters import SEARCH_IN
from ticketsvc.services import DEFAULT
from ticketsvc.store import comments, imports
from ticketsvc.store.keys import SCOPES
from ticketsvc.store.pages import SORTS
from ticketsvc.store.stats import MAX_DAYS
from ticketsvc.triage.openai.classifier import SOURCE as OPENAI
from ticketsvc.validation import search_words
from ticketsvc.validation.values import COMMENT_LENGTH, DESCRIPTION_LENGTH, TITLE_LENGTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.http import Service
    from tests.support.tickets import Connection

NOT_DESCRIBED = {"/", "/console/<version>/<name>", "/docs/files/<path:name>", "/mcp"}
"""The console and the files of the pages are not part of the API; docs/mcp.md says why /mcp is not described."""


def every_problem() -> set[type[problems.Problem]]:
    """Return all classes of problems."""
    found: set[type[problems.Problem]] = set()
    waiting = problems.Problem.__subclasses__()
    while waiting:
        kind = waiting.pop()
        found.add(kind)
        waiting += kind.__subclasses__()
    return found


# --- the document


def test_it_works(client: FlaskClient) -> None:
    import openapi_spec_validator  # slowly, and every test process imports this module

    response = client.get("/openapi.json")
    assert (response.status_code, response.content_type) == (200, "application/json")
    assert response.get_json() == DOCUMENT.raw
    assert response.get_json()["info"]["version"] == __version__
    openapi_spec_validator.validate(response.get_json())


def test_a_matching_if_none_match_is_304(client: FlaskClient) -> None:
    first = client.get("/openapi.json")
    for sent in (first.headers["ETag"], f'"other", W/{first.headers["ETag"]}', "*"):
        again = client.get("/openapi.json", headers={"If-None-Match": sent})
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert client.get("/openapi.json", headers={"If-None-Match": '"other"'}).status_code == 200


def test_it_is_read_on_the_first_request(client: FlaskClient) -> None:
    """A worker that never serves it needs no memory for it, and no YAML parser."""
    code = (
        "import sys; import ticketsvc.application; from ticketsvc.api import docs; "
        "print(docs.read.cache_info().currsize, 'yaml' in sys.modules)"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout == "0 False\n"


def test_everything_has_a_name_and_a_description() -> None:
    names = [operation.name for operation in DOCUMENT]
    assert len(set(names)) == len(names)
    tags = {tag["name"] for tag in DOCUMENT.raw["tags"]}
    for operation in DOCUMENT:
        assert operation.described["summary"]
        assert operation.described["description"].endswith(".")
        assert set(operation.described["tags"]) <= tags
        assert all(parameter["description"].endswith(".") for parameter in operation.parameters)
        assert all(response["description"] for response in operation.responses.values())
    used = {tag for operation in DOCUMENT for tag in operation.described["tags"]}
    assert used == tags


def test_every_component_is_used() -> None:
    text = json.dumps(DOCUMENT.raw)
    for kind, components in DOCUMENT.raw["components"].items():
        if kind == "securitySchemes":
            continue
        if not kind.startswith("x-"):
            assert {name for name in components if f'"#/components/{kind}/{name}"' not in text} == set()


def test_only_other_methods_are_a_problem_of_no_operation() -> None:
    assert set(DOCUMENT.raw["components"]["x-examples"]) == {problems.MethodNotAllowed.slug}


def test_examples_of_lists_show_that_link_may_be_missing() -> None:
    listed = DOCUMENT["listTickets"].responses["200"]
    assert [bool(each["value"]) for each in listed["content"]["application/json"]["examples"].values()] == [True, False]
    assert 'rel="next"' in DOCUMENT.resolved(listed["headers"]["Link"])["example"]
    for example in listed["content"]["application/json"]["examples"].values():
        DOCUMENT.validate(listed["content"]["application/json"]["schema"], example["value"])


# --- what generators of clients stumble over


def test_no_name_looks_like_a_constructor_or_an_element_of_a_generator() -> None:
    names = {kind: set(components) for kind, components in DOCUMENT.raw["components"].items()}
    # Go's constructor of Ticket is NewTicket; other languages call the classes of errors, requests and services so.
    assert not [name for name in names["schemas"] if re.match("New[A-Z]|.*(Api|Error?s|Request|Response)$", name)]
    assert "category" not in names["parameters"]  # Dredd's name for a part of its own document
    assert not names["parameters"] & names["schemas"]


def test_errors_are_one_schema_by_reference() -> None:
    """Generators drop a response whose schema is composed, or make a class for each."""
    for operation in DOCUMENT:
        for status, response in operation.responses.items():
            if status >= "400":
                problem_content = response["content"]["application/problem+json"]
                assert problem_content["schema"] == {"$ref": "#/components/schemas/Problem"}


def schemas_in(node: Any) -> Iterator[dict[str, Any]]:
    """Yield all schemas and other objects in a part of the document."""
    if isinstance(node, dict):
        yield node
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from schemas_in(each)


def test_no_value_has_one_of_several_types_or_none() -> None:
    for schema in schemas_in(DOCUMENT.raw["paths"] | DOCUMENT.raw["components"]):
        assert not {"anyOf", "oneOf", "allOf", "const"} & set(schema)
        assert ("type" in schema) == (None not in schema["enum"]) if "enum" in schema else True
    for operation in DOCUMENT:
        for parameter in operation.parameters:
            assert isinstance(parameter["schema"]["type"], str)


def test_references_lead_to_components() -> None:
    for node in schemas_in(DOCUMENT.raw):
        assert node.get("$ref", "#/a/b/c").count("/") == 3


def test_bodies_of_files_are_bytes() -> None:
    imported = DOCUMENT["importTickets"].described["requestBody"]["content"]
    exported = DOCUMENT["exportTickets"].responses["200"]["content"]
    assert {each["schema"]["format"] for each in (*imported.values(), *exported.values())} == {"binary"}


def test_closed_lists_of_sources_are_enumerated() -> None:
    decided = {"caller", "offline", "encoder", "learned", OPENAI, DEFAULT.source}
    for name in ("CategoryDecision", "PriorityDecision"):
        assert set(SCHEMAS[name]["properties"]["source"]["enum"]) == decided
    assert set(SCHEMAS["Suggestion"]["properties"]["source"]["enum"]) == {"offline", "encoder", "learned", OPENAI}


def test_every_sample_of_code_works(service: Service, database: Connection) -> None:
    for operation in DOCUMENT:
        ticket = service.call("POST", URL, json.dumps(TICKET).encode(), {"Content-Type": "application/json"}).json
        comment = service.call("POST", f"{URL}{ticket['id']}/comments", {"body": "x"}).json
        (sample,) = operation.described["x-codeSamples"]
        command = sample["source"].replace("localhost:3000", f"127.0.0.1:{service.port}").replace(ID, ticket["id"])
        command = command.replace(COMMENT_ID, comment["id"]).replace('"1"', '"2"')
        webhook_id = service.call("POST", WEBHOOKS, {"url": "https://example.com"}).json["id"]
        command = command.replace(DELIVERY_ID, insert_delivery(database, webhook_id)).replace(WEBHOOK_ID, webhook_id)
        run = subprocess.run(["sh", "-c", f"{command} -s -f -o /dev/null"], capture_output=True, text=True, check=False)
        assert run.returncode == 0, command


def test_examples_match_their_schemas() -> None:
    for name, schema in DOCUMENT.raw["components"]["schemas"].items():
        for example in schema.get("examples", ()):
            DOCUMENT.validate({"$ref": f"#/components/schemas/{name}"}, example)
    for described in DOCUMENT.raw["components"]["headers"].values():
        DOCUMENT.validate(described["schema"], described["example"])
    for described in DOCUMENT.raw["components"]["parameters"].values():
        for example in described["schema"].get("examples", ()):
            DOCUMENT.validate(described["schema"], example)


# --- routes


def routes(app: Flask) -> set[tuple[str, str]]:
    """Return path and method of every route, without trailing slashes and the methods that Flask adds."""
    return {
        (re.sub(r"<(?:uuid:)?(\w+)>", r"{\1}", rule.rule).replace("{name}", "{page}").rstrip("/"), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule not in NOT_DESCRIBED
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_the_document_has_exactly_the_routes(app: Flask) -> None:
    assert {(operation.path.rstrip("/"), operation.method) for operation in DOCUMENT} == routes(app)


# --- parameters


def known_parameters(response: TestResponse) -> set[str]:
    """Return the parameters that the error about an unknown one lists."""
    detail: str = response.get_json()["detail"]
    names = detail.partition("there are ")[2].removesuffix(".")
    return set(names.split(", ")) - {"none"}


@pytest.mark.parametrize("operation", [op for op in DOCUMENT if op.path.startswith("/api/")], ids=lambda op: op.name)
def test_the_document_has_exactly_the_query_parameters(client: FlaskClient, operation: Operation) -> None:
    described = set(operation.parameters_in("query"))
    response = client.open(path_of(client, operation), method=operation.method, query_string={"nonsense": "1"})
    if response.status_code == 400 and "nonsense is not a parameter" in response.get_json()["detail"]:
        assert known_parameters(response) == described
    else:
        assert described == set()


def test_limits_are_those_of_the_parser(client: FlaskClient) -> None:
    limit = DOCUMENT["listTickets"].parameters_in("query")["limit"]["schema"]
    assert (limit["maximum"], limit["default"]) == (filters.MAX_LIMIT, filters.DEFAULT_LIMIT)
    assert client.get(URL, query_string={"limit": limit["maximum"] + 1}).status_code == 400
    assert PARAMETERS["Idempotency-Key"]["schema"]["maxLength"] == idempotency.MAX_LENGTH
    for schema in (SCHEMAS["Ticket"]["properties"]["title"], SCHEMAS["TitleInput"]):
        assert schema["maxLength"] == TITLE_LENGTH
    assert SCHEMAS["TextInput"]["maxLength"] == DESCRIPTION_LENGTH == COMMENT_LENGTH
    assert PARAMETERS["search"]["schema"]["maxLength"] == search_words.MAX_LENGTH
    assert SCHEMAS["Problem"]["properties"]["faulty_lines"]["maximum"] == imports.MAX_INVALID_LINES


def test_limits_in_texts_are_those_of_the_parser() -> None:
    daily, triage = (
        DOCUMENT[name].described["description"] for name in ("readDailyStatistics", "readTriageStatistics")
    )
    assert f"{MAX_DAYS} days" in daily
    assert f"{MAX_DAYS} days" in triage
    assert f"last {stats_query.WINDOW_DAYS} days" in triage
    assert ", ".join(SCOPES) in DOCUMENT.raw["components"]["securitySchemes"]["apiKey"]["description"]


# --- enumerated values

SCHEMAS, PARAMETERS = DOCUMENT.raw["components"]["schemas"], DOCUMENT.raw["components"]["parameters"]
LISTS = {"category": CATEGORIES, "priority": PRIORITIES, "status": STATUSES}
FILTERS = {"category": "categories", "priority": "priorities", "status": "statuses"}


@pytest.mark.parametrize("name", LISTS)
def test_labels_and_statuses_are_those_of_the_service(name: str) -> None:
    values = list(LISTS[name])
    assert SCHEMAS[name.title()]["enum"] == values
    assert PARAMETERS[FILTERS[name]]["schema"]["items"]["enum"] == [*values, ""]
    for schema in ("TicketInput", "TicketChange") if name != "status" else ("TicketChange", "CommentInput"):
        assert SCHEMAS[schema]["properties"][name]["enum"] == [*values, "", None]


def test_breakdowns_have_every_label() -> None:
    for name, values in (("PriorityCounts", PRIORITIES), ("CategoryCounts", CATEGORIES)):
        assert tuple(SCHEMAS[name]["properties"]) == tuple(SCHEMAS[name]["required"]) == values
    confusion = SCHEMAS["TriageStatistics"]["properties"]["confusion"]["properties"]
    for breakdowns in (SCHEMAS["ResolutionTimes"]["properties"], confusion):
        for name, breakdown in breakdowns.items():
            if name.partition("_")[0] in LISTS:
                assert tuple(breakdown["properties"]) == LISTS[name.partition("_")[0]]
    assert SCHEMAS["Reason"]["properties"]["label"]["enum"] == [*CATEGORIES, *PRIORITIES]


def test_orders_and_formats_are_those_of_the_parser() -> None:
    assert PARAMETERS["sort"]["schema"]["enum"] == [*SORTS, ""]
    assert PARAMETERS["comments_sort"]["schema"]["enum"] == [*comments.SORTS, ""]
    assert PARAMETERS["search_in"]["schema"]["enum"] == [*SEARCH_IN, ""]
    assert PARAMETERS["format"]["schema"]["enum"] == [*FORMATS, ""]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("createTicket", media_types.JSON),
        ("changeTicket", media_types.MERGE_PATCH),
        ("classifyText", media_types.JSON),
        ("importTickets", tuple(media_types.FILES)),
    ],
)
def test_media_types_are_those_of_the_route(name: str, expected: tuple[str, ...]) -> None:
    assert tuple(DOCUMENT[name].described["requestBody"]["content"]) == expected


# --- problems


def test_the_document_has_exactly_the_problem_types() -> None:
    assert set(EXAMPLES) == {kind.slug for kind in every_problem()}
    assert len({kind.slug for kind in every_problem()}) == len(every_problem())


EXAMPLES = DOCUMENT.raw["components"]["examples"] | DOCUMENT.raw["components"]["x-examples"]
KINDS = sorted(every_problem(), key=lambda kind: kind.slug)


@pytest.mark.parametrize("kind", KINDS, ids=[kind.slug for kind in KINDS])
def test_problem_examples_match_their_schemas(kind: type[problems.Problem]) -> None:
    example = EXAMPLES[kind.slug]
    DOCUMENT.validate({"$ref": "#/components/schemas/Problem"}, example["value"])
    assert ("errors" in example["value"]) == (kind.slug in ("invalid-input", "invalid-file"))
    described = (example["value"]["type"], example["value"]["title"], example["value"]["status"])
    assert described == (kind.uri(), kind.title, kind.status)
    assert example["summary"] == f"{kind.status} {kind.title}"
    assert example["description"].startswith(f"**{kind.status} {kind.title}.**")


def test_responses_name_the_types_of_their_problems() -> None:
    by_slug = {kind.slug: kind for kind in KINDS}
    for operation in DOCUMENT:
        for status, response in operation.responses.items():
            if status < "400":
                continue
            content = response["content"]["application/problem+json"]
            kinds = [by_slug[slug] for slug in content["examples"]]
            assert {kind.status for kind in kinds} == {int(status)}
            assert problems.InvalidInput not in kinds[1:]  # the usual one comes first
            assert response["description"] == " ".join(f"[{kind.title}]({kind.uri()})." for kind in kinds)


# --- the service does what it says


def path_of(client: FlaskClient, operation: Operation) -> str:
    """Return the operation's path, with the ids of a ticket, a comment, a webhook and a delivery that exist."""
    path = operation.path.replace("{ticket_id}", file_ticket(client)["id"]).replace("{page}", "guide")
    if "{comment_id}" in path:
        comment = client.post(path.replace("{comment_id}", ""), json={"body": "x"}).get_json()
        path = path.replace("{comment_id}", comment["id"])
    if "{webhook_id}" in path:
        webhook_id = register(client)["id"]
        path = path.replace("{webhook_id}", webhook_id)
        path = path.replace("{delivery_id}", a_delivery(client, webhook_id) if "{delivery_id}" in path else "")
    return path


def unknown_path(operation: Operation) -> str:
    """Return the operation's path, with ids that do not exist."""
    ids = {"ticket_id": ID, "comment_id": COMMENT_ID, "webhook_id": WEBHOOK_ID, "delivery_id": DELIVERY_ID}
    return operation.path.format_map({**ids, "page": "guide"})


def send(client: FlaskClient, operation: Operation, path: str, **sent: Any) -> TestResponse:
    """Send a request and check its response against the document."""
    response = client.open(path, method=operation.method.upper(), **sent)
    operation.check(response.status_code, dict(response.headers), response.data)
    return response


NEEDED: dict[str, dict[str, str]] = {"changeTickets": {"status": "open"}}
"""The parameters of operations that need one of several."""


def example_bodies() -> list[Any]:
    return [
        pytest.param(operation, kind, value, id=f"{operation.name}-{kind}-{number}")
        for operation in DOCUMENT
        for number, (kind, value) in enumerate(operation.bodies)
    ]


@pytest.mark.parametrize(("operation", "media_type", "body"), example_bodies())
def test_every_example_of_a_body_is_accepted(
    client: FlaskClient, operation: Operation, media_type: str, body: object
) -> None:
    sent = body if isinstance(body, str) else json.dumps(body)
    query = NEEDED.get(operation.name)
    response = send(
        client, operation, path_of(client, operation), data=sent, content_type=media_type, query_string=query
    )
    assert response.status_code // 100 == 2


def as_text(value: object) -> str:
    """Return a parameter's value as it is sent."""
    if isinstance(value, list):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("operation", list(DOCUMENT), ids=lambda operation: operation.name)
def test_every_example_of_a_parameter_is_accepted(client: FlaskClient, operation: Operation) -> None:
    for parameter in operation.parameters:
        if parameter["in"] == "path":
            continue
        for example in parameter["schema"].get("examples", ()):
            name = parameter["name"]
            is_deep = isinstance(example, dict)
            values = {f"{name}[{key}]": each for key, each in example.items()} if is_deep else {name: as_text(example)}
            place = "query_string" if parameter["in"] == "query" else "headers"
            sent: dict[str, Any] = {"query_string": NEEDED.get(operation.name, {})}
            sent[place] = sent.get(place, {}) | values
            if operation.bodies:
                sent["content_type"], body = operation.bodies[0]
                sent["data"] = body if isinstance(body, str) else json.dumps(body)
            response = send(client, operation, path_of(client, operation), **sent)
            assert response.status_code < 400 or name in ("If-Match", "If-None-Match"), values


def test_the_last_of_several_pages_has_no_link(client: FlaskClient) -> None:
    operation = DOCUMENT["listTickets"]
    for _ in range(2):
        file_ticket(client)
    first = send(client, operation, f"{URL}?limit=1&count=true")
    assert first.headers["X-Total-Count"] == "2"
    last = send(client, operation, first.headers["Link"].partition(">")[0].removeprefix("<"))
    assert "Link" not in last.headers


@pytest.mark.parametrize("operation", list(DOCUMENT), ids=lambda operation: operation.name)
def test_the_document_has_the_problems_of_each_operation(client: FlaskClient, operation: Operation) -> None:
    path = path_of(client, operation)
    requests: list[dict[str, Any]] = [
        {"query_string": "a=%ff"},
        {"query_string": "nonsense=1"},
        {"headers": {"Accept": "a/b"}},
    ]
    if "_id}" in operation.path:
        send(client, operation, unknown_path(operation), json={})
    for name in operation.parameters_in("header"):
        requests += [{"headers": {name: value}, "json": {}} for value in ("", '"9"', "*", "x" * 300)]
    if operation.bodies:
        requests += [
            {"data": b"{"},
            {"data": b"[]"},
            {"data": b" " * 2_000_000},
            {"json": {"title": 5, "description": 5}},
        ]
        requests += [{"data": b"x", "content_type": "text/html"}]
    for request in requests:
        send(client, operation, path, **request)


def test_the_document_has_the_errors_without_a_database(make_app: Callable[..., Flask]) -> None:
    client = make_app(database_url="postgresql:///nobody?host=/nowhere", pool_timeout=0.05).test_client()
    unavailable = 0
    for operation in DOCUMENT:
        body = json.dumps(operation.bodies[0][1]) if operation.bodies else None
        path = unknown_path(operation)
        response = send(client, operation, path, data=body, content_type="application/json" if body else None)
        unavailable += response.status_code == 503
        assert ("503" in operation.responses) >= (response.status_code == 503)
    assert unavailable >= 7


def test_head_works_wherever_get_does(client: FlaskClient) -> None:
    for operation in DOCUMENT:
        if operation.method == "get":
            assert client.head(path_of(client, operation)).status_code == 200


def test_the_life_of_a_ticket_matches_the_document(client: FlaskClient) -> None:
    made = send(client, DOCUMENT["createTicket"], URL, json=TICKET)
    path = made.headers["Location"]
    tag = {"If-None-Match": made.headers["ETag"]}
    assert send(client, DOCUMENT["readTicket"], path, headers=tag).status_code == 304
    for change in ({"title": "New"}, {"category": "billing"}, {"priority": "low"}, {"status": "resolved"}):
        send(client, DOCUMENT["changeTicket"], path, json=change)
    stale = {"If-Match": made.headers["ETag"]}
    assert send(client, DOCUMENT["changeTicket"], path, json={}, headers=stale).status_code == 412
    read_everything(client, path)
    comment = send(client, DOCUMENT["addComment"], f"{path}/comments", json={"body": "Done", "status": "closed"})
    assert len(send(client, DOCUMENT["listComments"], f"{path}/comments").get_json()) == 1
    assert send(client, DOCUMENT["readComment"], comment.headers["Location"]).get_json() == comment.get_json()
    assert send(client, DOCUMENT["deleteComment"], comment.headers["Location"], headers=stale).status_code == 412
    assert send(client, DOCUMENT["deleteComment"], comment.headers["Location"]).status_code == 204
    assert send(client, DOCUMENT["deleteTicket"], path, headers=stale).status_code == 412
    assert send(client, DOCUMENT["deleteTicket"], path).status_code == 204
    assert send(client, DOCUMENT["deleteTicket"], path).status_code == 404
    assert len(send(client, DOCUMENT["readHistory"], f"{path}/history").get_json()) == 8


def test_a_stale_tag_of_the_documentation_matches_the_document(client: FlaskClient) -> None:
    for operation in ("readDocument", "showDocs", "showPage"):
        path = path_of(client, DOCUMENT[operation])
        assert send(client, DOCUMENT[operation], path, headers={"If-Match": '"stale"'}).status_code == 412


def test_a_compressed_body_matches_the_document(client: FlaskClient) -> None:
    for operation in ("createTicket", "changeTicket", "importTickets", "classifyText"):
        path, encoding = path_of(client, DOCUMENT[operation]), {"Content-Encoding": "br"}
        response = send(
            client, DOCUMENT[operation], path, data=b"{}", headers=encoding, content_type="application/json"
        )
        documented = DOCUMENT[operation].responses["415"]["headers"]
        assert (response.status_code, response.headers["Accept-Encoding"]) == (415, "identity")
        assert "Accept-Encoding" in documented


def read_everything(client: FlaskClient, path: str) -> None:
    """Read everything while there is one ticket, which was triaged, corrected and resolved."""
    history = send(client, DOCUMENT["readHistory"], f"{path}/history?limit=2")
    assert [entry["event"] for entry in history.get_json()] == ["created", "changed"]
    send(client, DOCUMENT["readHistory"], history.headers["Link"].partition(">")[0].removeprefix("<"))
    assert len(send(client, DOCUMENT["listTickets"], URL).get_json()) == 1
    assert send(client, DOCUMENT["readStatistics"], f"{URL}stats/").get_json()["total_tickets"] == 1
    assert len(send(client, DOCUMENT["readDailyStatistics"], f"{URL}stats/daily/").get_json()["days"]) == 30
    assert send(client, DOCUMENT["readResolutionTimes"], f"{URL}stats/resolution/").get_json()["count"] == 1
    judged = send(client, DOCUMENT["readTriageStatistics"], f"{URL}stats/triage/").get_json()
    assert (judged["category"]["judged"], judged["priority"]["judged"]) == (1, 1)
    for kind in ("ndjson", "csv"):
        assert send(client, DOCUMENT["exportTickets"], f"{URL}export/?format={kind}").data


def test_repeated_creates_match_the_document(client: FlaskClient) -> None:
    create, key = DOCUMENT["createTicket"], {"Idempotency-Key": str(uuid4())}
    first, again = (send(client, create, URL, json=TICKET, headers=key) for _ in range(2))
    assert (again.headers["Idempotent-Replayed"], again.data) == ("true", first.data)
    other = send(client, create, URL, json={**TICKET, "title": "Other"}, headers=key)
    assert problem(other, 422)["type"] == problems.KeyReused.uri()


def test_invalid_lines_match_the_document(client: FlaskClient) -> None:
    lines = b'{"title": 5}\n{\n{"title": "a", "description": "b", "status": "lost", "created_at": "now"}\n'
    response = send(client, DOCUMENT["importTickets"], f"{URL}import/", data=lines, content_type="application/x-ndjson")
    assert problem(response, 400)["faulty_lines"] == 3


def test_the_document_has_the_scope_of_each_operation(app: Flask) -> None:
    adapter = app.url_map.bind("")
    for operation in DOCUMENT:
        endpoint, _ = adapter.match(unknown_path(operation), operation.method)
        scope = scopes.needed(endpoint)
        assert operation.described["security"] == ([] if scope == scopes.OPEN else [{"apiKey": [scope]}, {}])


def test_responses_without_a_key_match_the_document(guarded: Flask, cast: dict[str, dict[str, str]]) -> None:
    client = guarded.test_client()
    for operation in DOCUMENT:
        path = unknown_path(operation)
        if operation.described["security"]:
            assert send(client, operation, path).status_code == 401
            assert send(client, operation, path, headers=cast["stranger"]).status_code in (401, 429)
            scope = operation.described["security"][0]["apiKey"][0]
            known = send(client, operation, path, headers=cast["reader"])
            assert (known.status_code == 403) == (scope != "read")
        else:
            assert client.open(path, method=operation.method).status_code == 200


def test_rate_limit_headers_match_the_document(make_app: Callable[..., Flask], database: Connection) -> None:
    database.execute("DELETE FROM rate_limits")
    client = make_app(rate_limit=RateLimit(1, 60)).test_client()
    operation = DOCUMENT["readStatistics"]
    first, second = (send(client, operation, f"{URL}stats/") for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 429)
    assert {"RateLimit", "RateLimit-Policy"} <= set(dict(first.headers)) & set(dict(second.headers))


def test_cors_headers_match_the_document(client: FlaskClient) -> None:
    assert set(DOCUMENT.raw["components"]["headers"]) - {
        "Accept-Encoding",
        "Accept-Post",
        "Content-Disposition",
    } == set(EXPOSED.split(", "))
    sent = {name for operation in DOCUMENT for name in operation.parameters_in("header")}
    assert sent | {"Authorization", "Content-Type", *HEADERS} == set(REQUEST_HEADERS.split(", "))
