"""A client of the Model Context Protocol on Flask's test client, with control of every header field and member."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ticketsvc import compact_json
from ticketsvc.api.mcp.protocol import META, METHOD_HEADER, MODERN, NAME_HEADER, VERSION_HEADER

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

ID = "call-1"
Json = dict[str, Any]


def message(method: str, version: str = MODERN, **params: Any) -> Json:
    """Return a request."""
    if version == MODERN:
        params["_meta"] = {f"{META}protocolVersion": version, f"{META}clientCapabilities": {}}
    return {"jsonrpc": "2.0", "id": ID, "method": method, "params": params}


def headers_of(sent: Json, version: str = MODERN) -> dict[str, str]:
    """Return the header fields that go with a request."""
    if version != MODERN:
        return {VERSION_HEADER: version}
    name = {NAME_HEADER: sent["params"]["name"]} if sent["method"] == "tools/call" else {}
    return {VERSION_HEADER: version, METHOD_HEADER: sent["method"], **name}


@dataclass
class Agent:
    """A client that sends some header fields with every request."""

    client: FlaskClient
    headers: dict[str, str] = field(default_factory=dict)
    version: str = MODERN

    def send(self, method: str, /, **params: Any) -> TestResponse:
        """Send a request."""
        sent = message(method, self.version, **params)
        body = compact_json.encode(sent).encode(errors="backslashreplace")  # as JSON escapes halves of surrogate pairs
        headers = {"Content-Type": "application/json", **self.headers, **headers_of(sent, self.version)}
        return self.client.post("/mcp", data=body, headers=headers)

    def result(self, method: str, /, **params: Any) -> Json:
        """Return the result of a request."""
        response = self.send(method, **params)
        document: Json = response.get_json()
        assert (response.status_code, document["id"]) == (200, ID), document
        assert "error" not in document, document
        result: Json = document["result"]
        return result

    def tools(self) -> dict[str, Json]:
        """Return the tools by name."""
        return {tool["name"]: tool for tool in self.result("tools/list")["tools"]}

    def call(self, tool: str, /, **arguments: Any) -> Json:
        """Return what a tool returned."""
        result = self.result("tools/call", name=tool, arguments=arguments)
        assert not result["isError"], result
        content: Json = result["structuredContent"]
        return content

    def mistake(self, tool: str, /, **arguments: Any) -> str:
        """Return what a tool says about a mistake."""
        result = self.result("tools/call", name=tool, arguments=arguments)
        assert result["isError"]
        assert "structuredContent" not in result
        (content,) = result["content"]
        return str(content["text"])


def error(response: TestResponse, status: int, code: int) -> Json:
    """Check that a response is the error of a request, and return the error."""
    document: Json = response.get_json()
    assert (response.status_code, document["error"]["code"]) == (status, code), document
    assert document.get("id", ID) == ID
    assert "result" not in document
    found: Json = document["error"]
    return found
