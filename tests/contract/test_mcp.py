"""POST /mcp: the messages of the Model Context Protocol, in its current and its older versions, and the tools."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from tests.conftest import ROOT
from tests.support.cast import bearer
from tests.support.mcp import ID, Agent, error, headers_of, message
from tests.support.metrics import read, value
from tests.support.openapi_contract import DOCUMENT
from tests.support.tickets import TICKET, URL, count_rows, file_ticket
from ticketsvc import __version__
from ticketsvc.api.input.filters import MAX_LIMIT
from ticketsvc.api.mcp import operations
from ticketsvc.api.mcp.methods import INSTRUCTIONS
from ticketsvc.api.mcp.protocol import LEGACY, META, MODERN, SUPPORTED
from ticketsvc.api.mcp.tools import NOTICE, SEARCH_LIMIT, TOOLS
from ticketsvc.config import RateLimit
from ticketsvc.validation.values import DESCRIPTION_LENGTH

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.support.tickets import Connection

UNKNOWN = "0192a3b4-c5d6-7e8f-9012-3456789abcde"
READING = {"search_tickets", "get_ticket", "similar_tickets", "ticket_statistics"}
UNREACHABLE = {"database_url": "postgresql://127.0.0.1:1/none", "pool_timeout": 0.2}


@pytest.fixture
def agent(client: FlaskClient) -> Agent:
    return Agent(client)


@pytest.fixture
def old(client: FlaskClient) -> Agent:
    """A client of the version that most clients open with."""
    return Agent(client, version=LEGACY[0])


# --- opening


def test_discovery(agent: Agent) -> None:
    assert agent.result("server/discover") == {
        "resultType": "complete",
        "supportedVersions": [MODERN],
        "capabilities": {"tools": {}},
        "instructions": INSTRUCTIONS,
        "ttlMs": 3_600_000,
        "cacheScope": "public",
        "_meta": {f"{META}serverInfo": {"name": "ticketsvc", "title": "Ticket service", "version": __version__}},
    }


@pytest.mark.parametrize(
    ("requested", "version"),
    [
        *zip(LEGACY, LEGACY, strict=True),
        (MODERN, LEGACY[0]),
        ("1999-01-01", LEGACY[0]),
        (None, LEGACY[0]),
        ([], LEGACY[0]),
    ],
)
def test_older_clients_negotiate_a_version(client: FlaskClient, requested: object, version: str) -> None:
    sent = message("initialize", LEGACY[0], protocolVersion=requested, capabilities={}, clientInfo={})
    response = client.post("/mcp", json=sent)
    result = response.get_json()["result"]
    assert set(result) == {"protocolVersion", "capabilities", "serverInfo", "instructions"}
    assert (result["protocolVersion"], result["capabilities"]) == (version, {"tools": {}})
    assert not [name for name, _ in response.headers if name.lower() == "mcp-session-id"]


def test_a_notification_gets_no_content(client: FlaskClient) -> None:
    for method in ("notifications/initialized", "notifications/cancelled"):
        response = client.post("/mcp", json={"jsonrpc": "2.0", "method": method})
        assert (response.status_code, response.data) == (202, b"")
        assert "Content-Type" not in response.headers


def test_only_older_clients_ping(agent: Agent, old: Agent) -> None:
    assert old.result("ping") == {}
    error(agent.send("ping"), 404, -32601)


@pytest.mark.parametrize("require_api_key", [False, True])
@pytest.mark.parametrize("rate_limit", [None, RateLimit(1, 60)])
def test_opening_needs_neither_the_database_nor_a_key(
    make_app: Callable[..., Flask], require_api_key: bool, rate_limit: RateLimit | None
) -> None:
    app = make_app(require_api_key=require_api_key, rate_limit=rate_limit, **UNREACHABLE)
    for _ in range(2):
        assert Agent(app.test_client(), bearer("tk_x")).result("server/discover")["supportedVersions"] == [MODERN]
        assert Agent(app.test_client(), version=LEGACY[0]).result("initialize")["protocolVersion"] == LEGACY[0]
    assert app.extensions["ticketsvc"].database.pool.closed


# --- messages


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "PATCH"])
def test_other_methods_are_405_whatever_they_accept(make_app: Callable[..., Flask], method: str) -> None:
    client = make_app(require_api_key=True, rate_limit=RateLimit(1, 60), **UNREACHABLE).test_client()
    response = client.open("/mcp", method=method, headers={"Accept": "text/event-stream", "Mcp-Session-Id": "1"})
    assert (response.status_code, response.headers["Allow"]) == (405, "OPTIONS, POST")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, -32700),
        (b"", 400, -32700),
        (b"\xff", 400, -32700),
        (b"[" * 100_000, 400, -32700),
        (json.dumps([message("ping", LEGACY[0])]).encode(), 400, -32700),
        (b'{"id": "call-1", "method": "ping"}', 400, -32600),
        (b'{"jsonrpc": "2.0", "id": "call-1", "result": {}}', 400, -32600),
        (b'{"jsonrpc": "2.0", "id": null, "method": "ping"}', 400, -32600),
        (b'{"jsonrpc": "2.0", "id": true, "method": "ping"}', 400, -32600),
        (b'{"jsonrpc": "2.0", "id": [], "method": "ping"}', 400, -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 1}', 400, -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}', 400, -32600),
        (b'{"x": "%s"}' % (b"x" * 300_000), 413, 413),
    ],
)
def test_what_is_not_a_message_is_an_error(client: FlaskClient, body: bytes, status: int, code: int) -> None:
    error(client.post("/mcp", data=body, content_type="application/json"), status, code)


def test_another_media_type_is_an_error(client: FlaskClient) -> None:
    error(client.post("/mcp", data=b"{}", content_type="text/plain"), 415, 415)
    error(client.post("/mcp", json={}, headers={"Accept": "text/event-stream"}), 406, 406)


def test_ids_are_returned_unchanged(client: FlaskClient) -> None:
    for identity in (0, 1, -5, "", "ü", "\ud800"):
        response = client.post("/mcp", json={"jsonrpc": "2.0", "id": identity, "method": "ping"})
        assert response.get_json() == {"jsonrpc": "2.0", "id": identity, "result": {}}


def test_an_unknown_method_is_an_error(agent: Agent, old: Agent) -> None:
    for method in ("resources/list", "initialize", "nonsense"):
        error(agent.send(method), 404, -32601)
    for method in ("resources/list", "server/discover", "nonsense"):
        error(old.send(method), 200, -32601)


@pytest.mark.parametrize("version", ["2027-01-01", "1.0", "", "2026-07-28, 2026-07-28"])
def test_an_unknown_version_is_400_with_the_supported_ones(client: FlaskClient, version: str) -> None:
    sent = message("tools/list")
    sent["params"]["_meta"][f"{META}protocolVersion"] = version
    found = error(client.post("/mcp", json=sent, headers={"MCP-Protocol-Version": version}), 400, -32022)
    assert found["data"] == {"supported": list(SUPPORTED), "requested": version}
    without = message("tools/list", LEGACY[0])
    error(client.post("/mcp", json=without, headers={"MCP-Protocol-Version": version or "x"}), 400, -32022)


CALL = message("tools/call", name="ticket_statistics", arguments={})


@pytest.mark.parametrize(
    "changed",
    [
        {"MCP-Protocol-Version": None},
        {"MCP-Protocol-Version": LEGACY[0]},
        {"Mcp-Method": None},
        {"Mcp-Method": "tools/list"},
        {"Mcp-Method": "TOOLS/CALL"},
        {"Mcp-Name": None},
        {"Mcp-Name": ""},
        {"Mcp-Name": "search_tickets"},
        {"Mcp-Name": "=?base64?c2VhcmNoX3RpY2tldHM=?="},
        {"Mcp-Name": "=?base64?*?="},
        {"Mcp-Name": "=?base64?/w==?="},
        {"Mcp-Name": "=?BASE64?dGlja2V0X3N0YXRpc3RpY3M=?="},
    ],
    ids=str,
)
def test_headers_must_agree_with_the_body(client: FlaskClient, changed: dict[str, str | None]) -> None:
    headers = {name: text for name, text in (headers_of(CALL) | changed).items() if text is not None}
    error(client.post("/mcp", json=CALL, headers=headers), 400, -32020)


def test_a_name_may_be_encoded(client: FlaskClient) -> None:
    encoded = base64.b64encode(b"ticket_statistics").decode()
    response = client.post("/mcp", json=CALL, headers={**headers_of(CALL), "Mcp-Name": f"=?base64?{encoded}?="})
    assert response.get_json()["result"]["structuredContent"]["total_tickets"] == 0


@pytest.mark.parametrize("meta", [None, {}, {f"{META}protocolVersion": MODERN}, {f"{META}clientCapabilities": {}}, []])
def test_missing_members_of_meta_are_400(client: FlaskClient, meta: object) -> None:
    sent = {**CALL, "params": {**CALL["params"], "_meta": meta}}
    error(client.post("/mcp", json=sent, headers=headers_of(CALL)), 400, -32602)


def test_without_a_version_a_request_is_of_the_oldest(client: FlaskClient) -> None:
    response = client.post("/mcp", json=message("tools/list", LEGACY[-1]))
    assert "resultType" not in response.get_json()["result"]


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_a_page_of_another_site_is_refused(client: FlaskClient, headers: dict[str, str]) -> None:
    sent = message("tools/call", name="create_ticket", arguments=TICKET)
    error(client.post("/mcp", json=sent, headers=headers | headers_of(sent)), 403, 403)
    assert client.get(URL).get_json() == []


def test_listed_origins_and_the_own_one_are_served(make_app: Callable[..., Flask]) -> None:
    client = make_app(cors_origins=("https://shop.example",)).test_client()
    for origin in ("https://shop.example", "http://localhost"):
        assert Agent(client, {"Origin": origin}).call("ticket_statistics")["total_tickets"] == 0


# --- keys


def test_without_a_valid_key_tools_are_401_with_the_id(guarded: Flask, cast: dict[str, dict[str, str]]) -> None:
    for version in (MODERN, LEGACY[0]):
        for headers in ({}, cast["stranger"]):
            agent = Agent(guarded.test_client(), headers, version)
            for response in (agent.send("tools/list"), agent.send("tools/call", name="ticket_statistics")):
                found = error(response, 401, 401)
                assert response.get_json()["id"] == ID
                assert response.headers["WWW-Authenticate"].startswith('Bearer realm="tickets"')
                assert "API key" in found["message"]
                assert found["data"]["type"] == "/docs/errors#unauthorized"


def test_the_scope_decides_which_tools_exist(guarded: Flask, cast: dict[str, dict[str, str]]) -> None:
    reader, writer = (Agent(guarded.test_client(), cast[name]) for name in ("reader", "writer"))
    assert set(reader.tools()) == READING
    assert list(writer.tools()) == list(TOOLS)
    for name in set(TOOLS) - READING:
        response = reader.send("tools/call", name=name, arguments={})
        assert "needs a key with the scope write" in error(response, 403, 403)["message"]
        assert 'scope="write"' in response.headers["WWW-Authenticate"]
        assert response.get_json()["id"] == ID
    error(reader.send("tools/call", name="nonsense"), 200, -32602)


def test_a_key_for_public_comments_sees_no_others(
    guarded: Flask, cast: dict[str, dict[str, str]], database: Connection
) -> None:
    database.execute(
        "INSERT INTO api_keys (name, scope, hash, public_only) VALUES ('portal', 'write', sha256('tk_portal'), true)"
    )
    writer, portal = Agent(guarded.test_client(), cast["writer"]), Agent(guarded.test_client(), bearer("tk_portal"))
    ticket_id = writer.call("create_ticket", **TICKET)["ticket"]["id"]
    for internal in (True, False):
        writer.call("add_comment", ticket_id=ticket_id, body="unicorn", internal=internal)
    assert [each["internal"] for each in writer.call("get_ticket", ticket_id=ticket_id)["comments"]] == [True, False]
    seen = portal.call("get_ticket", ticket_id=ticket_id)
    assert [each["internal"] for each in seen["comments"]] == [False]
    assert [entry["event"] for entry in seen["history"]] == ["created", "changed", "commented"]
    said = portal.mistake("add_comment", ticket_id=ticket_id, body="x", internal=True)
    assert said.startswith("This key is limited to public comments.")


def test_a_call_counts_once_towards_the_rate_limit(make_app: Callable[..., Flask], database: Connection) -> None:
    database.execute("DELETE FROM rate_limits")
    agent = Agent(make_app(rate_limit=RateLimit(4, 3600)).test_client())
    agent.result("server/discover")
    ticket_id = agent.call("create_ticket", **TICKET)["ticket"]["id"]
    agent.tools()
    for left in (1, 0):
        response = agent.send("tools/call", name="get_ticket", arguments={"ticket_id": ticket_id})
        assert response.headers["RateLimit"].startswith(f'"default";r={left};')
    response = agent.send("tools/call", name="create_ticket", arguments=TICKET)
    assert error(response, 429, 429)["message"].startswith("The quota")
    assert int(response.headers["Retry-After"]) > 0
    assert count_rows(database) == 1
    agent.result("server/discover")


def test_the_author_of_a_change_is_the_key(guarded: Flask, cast: dict[str, dict[str, str]]) -> None:
    agent = Agent(guarded.test_client(), {**cast["writer"], "X-Request-Id": "agent-7"})
    ticket_id = agent.call("create_ticket", **TICKET)["ticket"]["id"]
    assert agent.call("add_comment", ticket_id=ticket_id, body="Hello")["comment"]["author"] == "writer"
    history = agent.call("get_ticket", ticket_id=ticket_id)["history"]
    assert [(entry["by"], entry["request_id"]) for entry in history] == [("writer", "agent-7")] * 2


# --- the list of tools


def test_the_list_of_tools(agent: Agent, old: Agent) -> None:
    result = agent.result("tools/list")
    assert (result["ttlMs"], result["cacheScope"], result["resultType"]) == (300_000, "private", "complete")
    assert agent.tools() == old.tools()
    assert list(agent.tools()) == list(TOOLS)
    error(agent.send("tools/list", cursor="x"), 200, -32602)
    assert len(json.dumps(result)) < 41_000  # a model reads it all


def test_the_schemas_are_valid_and_every_client_accepts_them(agent: Agent) -> None:
    for tool in agent.tools().values():
        for schema in (tool["inputSchema"], tool["outputSchema"]):
            Draft202012Validator.check_schema(schema)
            assert schema["type"] == "object"
            text = json.dumps(schema)
            assert not [word for word in ('"$ref"', '"format"', '"pattern"', '"anyOf"', '""', "null]") if word in text]
        assert tool["inputSchema"]["additionalProperties"] is False
        assert all(argument["description"] for argument in tool["inputSchema"]["properties"].values())
        assert "Link" not in json.dumps(tool)


def test_the_hints_say_what_a_tool_may_do(agent: Agent) -> None:
    hints = {name: tool["annotations"] for name, tool in agent.tools().items()}
    assert {name for name, hint in hints.items() if hint["readOnlyHint"]} == {*READING, "classify_text"}
    assert {name for name, hint in hints.items() if hint["destructiveHint"]} == {"update_ticket"}
    repeated = {name for name, hint in hints.items() if hint["idempotentHint"]}
    assert repeated == {*READING, "classify_text", "update_ticket"}
    assert {name for name, hint in hints.items() if hint["openWorldHint"]} == {"classify_text"}


@pytest.mark.parametrize(
    ("tool", "operation", "more", "less"),
    [
        ("search_tickets", "listTickets", {"fields"}, set()),
        ("get_ticket", "readTicket", {"limit", "comments_cursor", "history_cursor"}, set()),
        ("create_ticket", "createTicket", {"idempotency_key"}, set()),
        ("update_ticket", "changeTicket", {"expected_version"}, set()),
        ("add_comment", "addComment", {"idempotency_key", "expected_version"}, set()),
        ("claim_ticket", "claimTicket", set(), {"assigned"}),
        ("ticket_statistics", "readStatistics", set(), set()),
        ("similar_tickets", "findSimilarTickets", {"ticket_id"}, set()),
        ("classify_text", "classifyText", set(), set()),
    ],
)
def test_a_tool_has_all_parameters_of_its_operation(
    agent: Agent, tool: str, operation: str, more: set[str], less: set[str]
) -> None:
    described = DOCUMENT[operation]
    body = described.described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    members = DOCUMENT.resolved(body).get("properties", {})
    named = {*described.parameters_in("path"), *described.parameters_in("query"), *members}
    assert set(agent.tools()[tool]["inputSchema"]["properties"]) == (named | more) - less


def test_the_documentation_has_each_tool_with_its_scope() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", (ROOT / "docs" / "mcp.md").read_text(), re.MULTILINE)
    assert rows == [(tool.name, tool.scope) for tool in TOOLS.values()]


def test_ticket_texts_are_marked_as_data(agent: Agent) -> None:
    assert NOTICE in INSTRUCTIONS
    for name in ("search_tickets", "get_ticket", "similar_tickets", "claim_ticket"):
        assert NOTICE in agent.tools()[name]["description"]
    assert agent.call("search_tickets")["notice"] == NOTICE


# --- calls


def test_every_tool_returns_what_its_schema_says(agent: Agent) -> None:
    created = agent.call("create_ticket", **TICKET)["ticket"]
    ticket = {"ticket_id": created["id"]}
    calls: list[tuple[str, dict[str, Any]]] = [
        ("create_ticket", {**TICKET, "tags": ["vip"], "metadata": {"plan": "pro"}, "idempotency_key": "1"}),
        ("update_ticket", {**ticket, "assignee": "ann", "title": "Printer", "expected_version": 1}),
        ("add_comment", {**ticket, "body": "Hello", "status": "resolved", "idempotency_key": "2"}),
        ("claim_ticket", {"assignee": "bob", "tags": ["vip"]}),
        ("claim_ticket", {"assignee": "bob", "tags": ["vip"]}),
        ("search_tickets", {}),
        ("search_tickets", {"limit": 1, "count": True, "fields": ["title", "status"]}),
        ("get_ticket", ticket),
        ("similar_tickets", ticket),
        ("similar_tickets", {"title": TICKET["title"]}),
        ("ticket_statistics", {"status": ["open", "resolved"]}),
        ("classify_text", {"description": "I cannot log in"}),
    ]
    tools = agent.tools()
    assert {name for name, _ in calls} == set(tools)
    for name, arguments in calls:
        Draft202012Validator(tools[name]["inputSchema"]).validate(arguments)
        result = agent.result("tools/call", name=name, arguments=arguments)
        Draft202012Validator(tools[name]["outputSchema"]).validate(result["structuredContent"])
        (content,) = result["content"]
        assert (content["type"], json.loads(content["text"])) == ("text", result["structuredContent"])
        assert not result["isError"]


def test_a_result_is_that_of_the_http_api(agent: Agent) -> None:
    ticket = agent.call("create_ticket", **TICKET, requester="ann")["ticket"]
    comment = agent.call("add_comment", ticket_id=ticket["id"], body="Hi", author="bob")["comment"]
    agent.call("update_ticket", ticket_id=ticket["id"], status="closed", requester=None)
    path = URL + ticket["id"]
    seen = agent.call("get_ticket", ticket_id=ticket["id"].upper())
    assert seen["ticket"] == agent.client.get(path).get_json()
    assert seen["ticket"]["requester"] is None
    assert seen["comments"] == [comment] == agent.client.get(f"{path}/comments").get_json()
    assert seen["history"] == agent.client.get(f"{path}/history").get_json()
    assert agent.call("ticket_statistics") == agent.client.get(f"{URL}stats").get_json()
    other = agent.call("create_ticket", **TICKET)["ticket"]["id"]
    similar = agent.call("similar_tickets", ticket_id=other)["tickets"]
    assert (
        similar
        == agent.client.get(f"{URL}{other}/similar").get_json()
        == agent.call("similar_tickets", **TICKET)["tickets"][1:]
    )
    agent.call("update_ticket", ticket_id=other, duplicate_of=ticket["id"])
    assert [found["id"] for found in agent.call("search_tickets", duplicate_of=[ticket["id"]])["tickets"]] == [other]
    text = {"description": "I was charged twice"}
    assert agent.call("classify_text", **text) == agent.client.post(f"{URL}classify", json=text).get_json()


@pytest.mark.parametrize(
    ("arguments", "query"),
    [
        ({"status": ["open", "closed"]}, "status=open,closed"),
        ({"status": "OPEN"}, "status=open"),
        ({"category": ["billing"], "priority": []}, "category=billing"),
        ({"search": '"charged twice" -refund'}, "search=%22charged+twice%22+-refund"),
        ({"search": "über+100%"}, "search=%C3%BCber%2B100%25"),
        ({"search": "hello", "search_in": "comments"}, "search=hello&search_in=comments"),
        ({"requester": ["ann", "a, b"]}, "requester=ann&requester=a, b"),
        ({"assignee": "bob"}, "assignee=bob"),
        ({"assigned": False}, "assigned=false"),
        ({"tags": ["a,b", "vip"]}, "tags=a\\,b,vip"),
        ({"tags_all": ["vip", "x"]}, "tags_all=vip,x"),
        ({"metadata": {"plan": "pro", "x": ["1", "2"]}}, "metadata[plan]=pro&metadata[x]=1&metadata[x]=2"),
        ({"created_since": "2020-01-01", "updated_before": None}, "created_since=2020-01-01"),
        ({"sort": "-priority", "limit": 3}, "sort=-priority&limit=3"),
    ],
)
def test_a_search_finds_what_the_list_has(agent: Agent, arguments: dict[str, Any], query: str) -> None:
    people = {"requester": "a, b", "assignee": "bob"}
    file_ticket(agent.client, title="Charged twice", tags=["a,b"], metadata={"plan": "pro", "x": "2"}, **people)
    file_ticket(agent.client, title="Über+100%", category="billing", priority="high", tags=["vip", "x"])
    agent.call("add_comment", ticket_id=file_ticket(agent.client)["id"], body="Hello", status="closed")
    expected = agent.client.get(f"{URL}?{query}").get_json()
    assert agent.call("search_tickets", **arguments)["tickets"] == expected
    if "limit" not in arguments:
        assert 1 <= len(expected) <= 3


def test_a_search_continues_from_its_cursor(agent: Agent) -> None:
    for number in range(SEARCH_LIMIT + 2):
        file_ticket(agent.client, title=f"Number {number}")
    first = agent.call("search_tickets", fields=["title"], count=True)
    assert (len(first["tickets"]), first["total"]) == (SEARCH_LIMIT, SEARCH_LIMIT + 2)
    assert set(first["tickets"][0]) == {"id", "title"}
    second = agent.call("search_tickets", cursor=first["next_cursor"])
    assert [ticket["title"] for ticket in second["tickets"]] == ["Number 1", "Number 0"]
    assert second["next_cursor"] is None
    assert "total" not in second


def test_a_conversation_and_a_history_have_pages(agent: Agent) -> None:
    ticket_id = file_ticket(agent.client)["id"]
    for number in range(3):
        agent.call("add_comment", ticket_id=ticket_id, body=f"{number}")
    first = agent.call("get_ticket", ticket_id=ticket_id, limit=2)
    cursors = {f"{name}_cursor": first[f"next_{name}_cursor"] for name in ("comments", "history")}
    second = agent.call("get_ticket", ticket_id=ticket_id, limit=2, **cursors)
    assert [comment["body"] for comment in first["comments"] + second["comments"]] == ["0", "1", "2"]
    assert [entry["version"] for entry in first["history"] + second["history"]] == [1, 2, 3, 4]
    assert second["next_comments_cursor"] is second["next_history_cursor"] is None


def test_a_create_can_be_repeated(agent: Agent, database: Connection) -> None:
    first, again = (agent.call("create_ticket", **TICKET, idempotency_key="one") for _ in range(2))
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert first["ticket"] == again["ticket"]
    over_http = agent.client.post(URL, json=TICKET, headers={"Idempotency-Key": "one"})
    assert over_http.headers["Idempotent-Replayed"] == "true"
    assert count_rows(database) == 1
    said = agent.mistake("create_ticket", title="Another", description="x", idempotency_key="one")
    assert said.startswith("This Idempotency-Key was used with another body.")
    comment = {"ticket_id": first["ticket"]["id"], "body": "Hello", "idempotency_key": "two"}
    assert [agent.call("add_comment", **comment)["replayed"] for _ in range(2)] == [False, True]


def test_header_fields_of_the_message_do_not_reach_the_operation(agent: Agent) -> None:
    ticket_id = file_ticket(agent.client)["id"]
    others = {"If-Match": '"7"', "If-None-Match": "*", "Idempotency-Key": "x", "Accept-Encoding": "gzip"}
    agent.headers = {**others, "Content-Encoding": "identity", "Prefer": "handling=lenient"}
    for version in (2, 2):  # the second one changes nothing
        changed = agent.call("update_ticket", ticket_id=ticket_id, status="closed")
        assert changed["ticket"]["version"] == version
    assert len({agent.call("create_ticket", **TICKET)["ticket"]["id"] for _ in range(2)}) == 2
    assert agent.call("get_ticket", ticket_id=ticket_id)["ticket"]["status"] == "closed"


def test_a_text_of_the_greatest_length_passes(agent: Agent) -> None:
    text = "語" * DESCRIPTION_LENGTH
    assert agent.call("create_ticket", title="x", description=text)["ticket"]["description"] == text


# --- mistakes


def test_a_stale_version_returns_the_current_one(agent: Agent) -> None:
    ticket_id = file_ticket(agent.client)["id"]
    agent.call("update_ticket", ticket_id=ticket_id, status="in_progress", expected_version=1)
    for name, arguments in (("update_ticket", {"status": "closed"}), ("add_comment", {"body": "Hello"})):
        said = agent.mistake(name, ticket_id=ticket_id, expected_version=1, **arguments)
        assert "its version is now 2" in said
        assert "get_ticket" in said
        assert "expected_version 2" in said
    assert agent.call("get_ticket", ticket_id=ticket_id)["ticket"]["status"] == "in_progress"


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        (
            "get_ticket",
            {"ticket_id": UNKNOWN},
            f"There is no ticket {UNKNOWN}. search_tickets finds the ids of tickets.",
        ),
        *[("get_ticket", {"ticket_id": text}, "ticket_id must be the id") for text in ("stats", "a/b", "", 1, None)],
        ("get_ticket", {}, "ticket_id must be the id of a ticket"),
        ("get_ticket", {"ticket_id": UNKNOWN.replace("-", "")}, "ticket_id must be the id of a ticket"),
        ("get_ticket", {"ticket_id": UNKNOWN, "x": 1}, "x is not an argument; there are ticket_id, limit,"),
        ("update_ticket", {"ticket_id": UNKNOWN, "expected_version": "1"}, "expected_version must be a whole number"),
        ("update_ticket", {"ticket_id": UNKNOWN, "expected_version": True}, "expected_version must be a whole number"),
        ("update_ticket", {"ticket_id": UNKNOWN, "expected_version": 2**31}, "expected_version must be a whole number"),
        ("update_ticket", {"ticket_id": UNKNOWN, "version": 1}, "version is not used here, only title, description,"),
        (
            "create_ticket",
            {"title": "", "colour": 1},
            "title must not be empty. description is required. colour is not used",
        ),
        (
            "create_ticket",
            {"title": "x", "description": "\ud800"},
            "description must not contain half of a surrogate pair",
        ),
        ("create_ticket", {**TICKET, "idempotency_key": 1}, "idempotency_key must be a string"),
        ("create_ticket", {**TICKET, "idempotency_key": "ü"}, "Idempotency-Key must have 1 to 255 visible"),
        ("create_ticket", {**TICKET, "expected_version": 1}, "expected_version is not used here, only title,"),
        ("search_tickets", {"status": "done"}, "status must be one or more of open, in_progress, resolved, closed."),
        ("search_tickets", {"limit": MAX_LIMIT + 1}, f"limit must be a whole number from 1 to {MAX_LIMIT}."),
        ("search_tickets", {"limit": 1.5}, "limit must be a string, a whole number,"),
        ("search_tickets", {"colour": "red"}, "colour is not a parameter; there are"),
        ("search_tickets", {"cursor": "x"}, "cursor must come from an earlier page of this list, in the same order."),
        ("search_tickets", {"fields": ["heading"]}, "fields must be a list of one or more of id, title, description,"),
        ("search_tickets", {"fields": "title"}, "fields must be a list of one or more of id, title, description,"),
        ("search_tickets", {"search": "\ud800"}, "The query string is not percent-encoded UTF-8."),
        ("similar_tickets", {"ticket_id": "x"}, "ticket_id must be the id of a ticket"),
        (
            "similar_tickets",
            {"ticket_id": UNKNOWN, "title": "x"},
            "title is not an argument; there are ticket_id alone, or title",
        ),
        ("similar_tickets", {}, "The body must have a text: title, description or both."),
        ("claim_ticket", {}, "assignee is required."),
        ("claim_ticket", {"assignee": "bob", "assigned": "maybe"}, "assigned must be true or false."),
        ("classify_text", {"description": " "}, "description must not be empty."),
    ],
)
def test_a_mistake_says_how_to_do_better(agent: Agent, tool: str, arguments: dict[str, Any], said: str) -> None:
    assert agent.mistake(tool, **arguments).startswith(said)


def test_a_name_that_is_no_unicode_is_unknown(old: Agent) -> None:
    for method, params in (("\ud800", {}), ("tools/call", {"name": "\ud800"})):
        response = old.send(method, **params)
        assert (response.status_code, "\ud800" in response.get_json()["error"]["message"]) == (200, True)


def test_an_unknown_tool_is_an_error_with_status_200(agent: Agent, old: Agent) -> None:
    for each in (agent, old):
        found = error(each.send("tools/call", name="delete_ticket", arguments={}), 200, -32602)
        assert found["message"].endswith(f"There are {', '.join(TOOLS)}.")
    error(old.send("tools/call", arguments={}), 200, -32602)
    error(agent.send("tools/call", name="search_tickets", arguments=[]), 200, -32602)
    assert agent.result("tools/call", name="search_tickets", arguments=None)["isError"] is False


def test_an_unavailable_database_is_a_result(make_app: Callable[..., Flask]) -> None:
    said = Agent(make_app(**UNREACHABLE).test_client()).mistake("search_tickets")
    assert said.endswith("Try again in 2 seconds.")


def test_a_defect_is_an_error_with_the_id(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "run", lambda *_, **__: 1 / 0)
    response = agent.send("tools/call", name="search_tickets")
    error(response, 500, -32603)
    assert response.get_json()["id"] == ID


# --- operating


def test_calls_are_counted_by_tool_and_problem(agent: Agent) -> None:
    def counted(problem: str) -> float:
        samples = read(agent.client.get("/metrics").text)
        return value(samples, "tool_calls_total", tool="get_ticket", problem=problem)

    before = counted("none"), counted("not-found")
    agent.call("get_ticket", ticket_id=file_ticket(agent.client)["id"])
    agent.mistake("get_ticket", ticket_id=UNKNOWN)
    assert (counted("none"), counted("not-found")) == (before[0] + 1, before[1] + 1)


def test_the_log_names_the_tool(
    agent: Agent, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "ticketsvc.requests")
    agent.call("ticket_statistics")
    line = capsys.readouterr().out
    assert '"route": "/mcp"' in line
    assert '"tool": "ticket_statistics"' in line
    assert line.count("\n") == 1
