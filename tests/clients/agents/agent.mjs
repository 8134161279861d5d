// Uses every tool of /mcp with the official client in JavaScript, in both of its modes, and checks what it gets.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

const VERSIONS = { legacy: "2025-11-25", auto: "2026-07-28" };
const READING = ["search_tickets", "get_ticket", "similar_tickets", "ticket_statistics"];

async function connected(key, mode, use) {
  const client = new Client({ name: "agent", version: "1" }, { versionNegotiation: { mode } });
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  const noise = [];
  client.onerror = (error) => noise.push(error);
  await client.connect(new StreamableHTTPClientTransport(new URL(process.env.SERVICE), { requestInit: { headers } }));
  await use(client);
  await client.close();
  assert.deepEqual(noise, []);
}

async function call(client, name, args) {
  const result = await client.callTool({ name, arguments: args });
  assert(!result.isError, JSON.stringify(result));
  return result.structuredContent;
}

async function mistake(client, name, args) {
  const result = await client.callTool({ name, arguments: args });
  assert(result.isError, JSON.stringify(result));
  return result.content[0].text;
}

async function work(client) {
  const tags = [`t${randomUUID()}`];
  const created = { title: "Charged twice", description: "Ünïcode, please.", tags, idempotency_key: randomUUID() };
  const [first, again] = [await call(client, "create_ticket", created), await call(client, "create_ticket", created)];
  assert.deepEqual([first.ticket, first.replayed, again.replayed], [again.ticket, false, true]);
  const ticket_id = first.ticket.id;
  const found = await call(client, "search_tickets", { tags, fields: ["title"], count: true });
  assert.deepEqual([found.tickets, found.total], [[{ id: ticket_id, title: "Charged twice" }], 1]);
  const claimed = await call(client, "claim_ticket", { assignee: "agent", tags });
  assert.deepEqual([claimed.ticket.assignee, claimed.ticket.version], ["agent", 2]);
  assert.equal((await call(client, "claim_ticket", { assignee: "agent", tags })).ticket, null);
  const change = { ticket_id, priority: "low" };
  assert.match(await mistake(client, "update_ticket", { ...change, expected_version: 1 }), /expected_version 2/);
  await call(client, "update_ticket", { ...change, expected_version: 2 });
  await call(client, "add_comment", { ticket_id, body: "Refunded.", status: "resolved" });
  const seen = await call(client, "get_ticket", { ticket_id });
  assert.deepEqual([seen.ticket.status, seen.comments.map(({ author }) => author)], ["resolved", ["writer"]]);
  assert.deepEqual(seen.history.map(({ event }) => event), ["created", "changed", "changed", "commented"]);
  const { title, description } = created;
  const alike = await call(client, "similar_tickets", { title, description });
  assert.deepEqual([alike.tickets[0].id, alike.tickets[0].score], [ticket_id, 1]);
  const statistics = await call(client, "ticket_statistics", { tags });
  assert.deepEqual([statistics.total_tickets, statistics.open_tickets], [1, 0]);
  assert.equal((await call(client, "classify_text", { description: "I cannot log in" })).category, "account");
  assert.match(await mistake(client, "search_tickets", { status: ["done"] }), /status must be one or more of/);
}

for (const [mode, version] of Object.entries(VERSIONS)) {
  await connected(process.env.WRITER, mode, async (client) => {
    assert.equal(client.getNegotiatedProtocolVersion(), version);
    assert.equal((await client.listTools()).tools.length, 9);
    await work(client);
    await assert.rejects(client.callTool({ name: "delete_everything", arguments: {} }), /There are search_tickets,/);
  });
  await connected(process.env.READER, mode, async (client) => {
    assert.deepEqual((await client.listTools()).tools.map(({ name }) => name), READING);
  });
  await assert.rejects(connected("tk_unknown", mode, (client) => client.listTools()), /API key/);
}
