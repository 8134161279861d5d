"""Uses every tool of /mcp with the official client in Python, in both of its modes, and checks what it gets.

Runs EXAMPLE, the example of the documentation, too.
"""

from __future__ import annotations

import asyncio
import os
import runpy
import uuid
from collections.abc import Awaitable
from typing import Any

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

URL = os.environ["SERVICE"]
VERSIONS = {"auto": "2026-07-28", "legacy": "2025-11-25"}
READING = {"search_tickets", "get_ticket", "similar_tickets", "ticket_statistics"}


def connected(key: str, mode: str) -> Client:
    """Return a client that sends a key, or none if it is empty."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return Client(streamable_http_client(URL, http_client=httpx2.AsyncClient(headers=headers)), mode=mode)


async def call(client: Client, tool: str, **arguments: Any) -> Any:
    """Return the result of a tool, which the client has checked against the schema."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result
    return result.structured_content


async def mistake(client: Client, tool: str, **arguments: Any) -> str:
    """Return what a tool says about a mistake."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error, result
    return str(result.content[0].text)


async def work(client: Client) -> None:
    """Use every tool."""
    tag, key = f"t{uuid.uuid4().hex}", uuid.uuid4().hex
    new = {
        "title": "Charged twice",
        "description": "Ünïcode, please refund one.",
        "tags": [tag],
        "idempotency_key": key,
    }
    first, again = [await call(client, "create_ticket", **new) for _ in range(2)]
    assert (first["ticket"], first["replayed"], again["replayed"]) == (again["ticket"], False, True)
    ticket_id = first["ticket"]["id"]
    found = await call(client, "search_tickets", tags=[tag], fields=["title"], count=True)
    assert (found["tickets"], found["total"]) == ([{"id": ticket_id, "title": "Charged twice"}], 1)
    claimed = await call(client, "claim_ticket", assignee="agent", tags=[tag])
    assert (claimed["ticket"]["assignee"], claimed["ticket"]["version"]) == ("agent", 2)
    assert (await call(client, "claim_ticket", assignee="agent", tags=[tag]))["ticket"] is None
    stale = await mistake(client, "update_ticket", ticket_id=ticket_id, priority="low", expected_version=1)
    assert "expected_version 2" in stale
    await call(client, "update_ticket", ticket_id=ticket_id, priority="low", expected_version=2)
    await call(client, "add_comment", ticket_id=ticket_id, body="Refunded.", status="resolved")
    seen = await call(client, "get_ticket", ticket_id=ticket_id)
    assert (seen["ticket"]["status"], [comment["author"] for comment in seen["comments"]]) == ("resolved", ["writer"])
    assert [entry["event"] for entry in seen["history"]] == ["created", "changed", "changed", "commented"]
    alike = await call(client, "similar_tickets", title=new["title"], description=new["description"])
    assert (alike["tickets"][0]["id"], alike["tickets"][0]["score"]) == (ticket_id, 1)
    statistics = await call(client, "ticket_statistics", tags=[tag])
    assert (statistics["total_tickets"], statistics["open_tickets"]) == (1, 0)
    assert (await call(client, "classify_text", description="I cannot log in"))["category"] == "account"
    assert "status must be one or more of" in await mistake(client, "search_tickets", status=["done"])


async def refused(sent: Awaitable[Any]) -> str:
    """Return the message of the error that a request ends with."""
    try:
        result = await sent
    except MCPError as error:
        return str(error)
    raise AssertionError(result)


async def main() -> None:
    """Use the service in both modes."""
    for mode, version in VERSIONS.items():
        async with connected(os.environ["WRITER"], mode) as client:
            assert client.protocol_version == version, client.protocol_version
            assert "expected_version" in str(client.instructions)
            assert len((await client.list_tools()).tools) == 9
            await work(client)
            assert "There are search_tickets," in await refused(client.call_tool("delete_everything", {}))
        async with connected(os.environ["READER"], mode) as client:
            assert {tool.name for tool in (await client.list_tools()).tools} == READING
        for key in ("", "tk_unknown"):
            async with connected(key, mode) as client:
                assert "API key" in await refused(client.list_tools())


asyncio.run(main())
runpy.run_path(os.environ["EXAMPLE"])
