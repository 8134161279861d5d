// A client of the types that openapi-typescript makes of the document. It is type-checked, and then run.
import createClient from "openapi-fetch";
import type { components, paths } from "./tickets.js";

type Ticket = components["schemas"]["Ticket"];

const client = createClient<paths>({ baseUrl: process.env["SERVICE"]! });

function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

const created = await client.POST("/api/tickets/", {
  body: { title: "Charged twice", description: "My card was charged twice.", priority: "high" },
});
assert(created.data !== undefined, "created");
const ticket: Ticket = created.data;
const source: string = ticket.triage.category.source;
assert(source.length > 0, "triage");

const path = { ticket_id: ticket.id };
const changed = await client.PATCH("/api/tickets/{ticket_id}", {
  params: { path, header: { "If-Match": created.response.headers.get("ETag")! } },
  body: { status: "in_progress" },
});
assert(changed.data?.status === "in_progress", "changed");

const stale = await client.PATCH("/api/tickets/{ticket_id}", {
  params: { path, header: { "If-Match": '"1"' } },
  body: { status: "closed" },
});
assert(stale.error?.type === "/docs/errors#version-mismatch", "stale");

const listed = await client.GET("/api/tickets/", {
  params: { query: { category: ["billing", "account"], status: ["in_progress"], sort: "-priority", limit: 10 } },
});
assert(listed.data?.some((each) => each.id === ticket.id) === (ticket.category !== "technical" && ticket.category !== "general"), "listed");

const invalid = await client.POST("/api/tickets/", { body: { title: " ", description: "" } });
assert(invalid.error?.status === 400, "invalid");
if (invalid.error.type === "/docs/errors#invalid-input" && "errors" in invalid.error) {
  assert(invalid.error.errors?.length === 2, "every error");
}

const figures = await client.GET("/api/tickets/stats/");
assert(figures.data !== undefined && figures.data.category_breakdown.billing >= 0, "figures");

const suggested = await client.POST("/api/tickets/classify/", { body: { description: "I cannot log in" } });
assert(suggested.data?.category === suggested.data?.suggested_category, "suggested");

const history = await client.GET("/api/tickets/{ticket_id}/history", { params: { path, query: { limit: 5 } } });
assert(history.data?.[1]?.changes.status?.to === "in_progress", "history");

const daily = await client.GET("/api/tickets/stats/daily/", { params: { query: { tz: "Europe/Berlin" } } });
assert(daily.data?.days.length === 30, "daily");

const imported = await client.POST("/api/tickets/import/", {
  body: "title,description\r\nSlow,It takes a minute\r\n",
  bodySerializer: (body) => body,
  headers: { "Content-Type": "text/csv" },
});
assert(imported.data?.imported === 1, "imported");

const key = { "Idempotency-Key": ticket.id };
const once = { params: { header: key }, body: { title: "Late", description: "Order 4711 is late." } };
const [first, again] = [await client.POST("/api/tickets/", once), await client.POST("/api/tickets/", once)];
assert(first.data?.id === again.data?.id && again.response.headers.get("Idempotent-Replayed") === "true", "once");

const deleted = await client.DELETE("/api/tickets/{ticket_id}", { params: { path } });
assert(deleted.response.status === 204, "deleted");

// What does not type-check
export async function wrong(): Promise<void> {
  // @ts-expect-error a description is missing
  await client.POST("/api/tickets/", { body: { title: "Charged twice" } });
  // @ts-expect-error there is no such priority
  await client.POST("/api/tickets/", { body: { title: "a", description: "b", priority: "urgent" } });
  // @ts-expect-error there is no such parameter
  await client.GET("/api/tickets/", { params: { query: { stauts: ["open"] } } });
  // @ts-expect-error there is no such path
  await client.GET("/api/ticket/");
  // @ts-expect-error a ticket has no such member
  ticket.urgency;
}
