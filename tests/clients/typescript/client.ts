// Uses every operation through the types that openapi-typescript makes of the document. It is type-checked, and then run.
import createClient from "openapi-fetch";
import type { components, paths } from "./tickets.js";

type Problem = components["schemas"]["Problem"];
type Query = NonNullable<paths["/api/tickets/"]["get"]["parameters"]["query"]>;
type Ticket = components["schemas"]["Ticket"];

const baseUrl = process.env["SERVICE"]!;
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${process.env["KEY"]}` } });
const stranger = createClient<paths>({ baseUrl });

function assert(condition: boolean | undefined, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

function problem(failed: { error?: Problem; response: Response }, status: number): Problem {
  assert(failed.response.status === status && failed.error?.status === status, `${failed.response.status} for ${status}`);
  return failed.error;
}

async function operate(): Promise<void> {
  assert((await client.GET("/livez")).data?.status === "alive", "alive");
  assert((await client.GET("/readyz")).data?.status === "ready", "ready");
  assert((await client.GET("/metrics", { parseAs: "text" })).data?.includes("ticketsvc_"), "metrics");
  assert("openapi" in ((await client.GET("/openapi.json")).data ?? {}), "document");
  assert((await client.GET("/docs", { parseAs: "text" })).data?.includes("<title>"), "docs");
  const guide = await client.GET("/docs/{page}", { params: { path: { page: "guide" } }, parseAs: "text" });
  assert(guide.data?.includes("<h1"), "guide");
}

async function create(): Promise<Ticket[]> {
  const tickets: Ticket[] = [];
  for (const title of ["Charged twice", "Cannot log in", "Slow", "Late", "Broken"]) {
    const body = { title, description: "It happened this morning.", priority: "high" } as const;
    const once = { params: { header: { "Idempotency-Key": title.slice(0, 4) } }, body };
    const [first, again] = [await client.POST("/api/tickets/", once), await client.POST("/api/tickets/", once)];
    assert(first.data !== undefined && first.response.status === 201, "created");
    assert(first.data.triage.category.source === "offline" && first.data.triage.priority.source === "caller", "triage");
    assert(again.data?.id === first.data.id && again.response.headers.get("Idempotent-Replayed") === "true", "once");
    tickets.push(first.data);
  }
  const invalid = problem(await client.POST("/api/tickets/", { body: { title: " ", description: "" } }), 400);
  assert(invalid.errors?.map((error) => error.pointer).join() === "#/title,#/description", "every error");
  const refused = await stranger.POST("/api/tickets/", { body: { title: "a", description: "b" } });
  assert(problem(refused, 401).type === "/docs/errors#unauthorized", "no key");
  return tickets;
}

async function walk(tickets: Ticket[]): Promise<void> {
  const seen = new Set<string>();
  const query: Query = { status: ["open", "in_progress"], created_since: "2026-01-01", limit: 2, count: true };
  for (let next: string | undefined = ""; next !== undefined; ) {
    const page: { data?: Ticket[]; response: Response } = await client.GET("/api/tickets/", { params: { query } });
    assert(page.response.headers.get("X-Total-Count") === "5", "count");
    page.data?.forEach((ticket) => seen.add(ticket.id));
    next = page.response.headers.get("Link")?.match(/<([^>]*)>; rel="next"/)?.[1];
    if (next !== undefined) query.cursor = new URL(next, baseUrl).searchParams.get("cursor")!;
  }
  assert(seen.size === tickets.length && tickets.every((ticket) => seen.has(ticket.id)), "walk");
  const wrong = await client.GET("/api/tickets/", { params: { query: { created_since: "yesterday" } } });
  assert(problem(wrong, 400).errors?.[0]?.parameter === "created_since", "parameter");
}

async function change(path: { ticket_id: string }): Promise<void> {
  const tag = (await client.GET("/api/tickets/{ticket_id}", { params: { path } })).response.headers.get("ETag")!;
  const unchanged = await client.GET("/api/tickets/{ticket_id}", { params: { path, header: { "If-None-Match": tag } } });
  assert(unchanged.response.status === 304, "not modified");
  const request = { params: { path, header: { "If-Match": tag } }, body: { status: "resolved" } } as const;
  const changed = await client.PATCH("/api/tickets/{ticket_id}", request);
  assert(changed.data?.status === "resolved" && changed.data.version === 2, "changed");
  const stale = await client.PATCH("/api/tickets/{ticket_id}", request);
  assert(problem(stale, 412).type === "/docs/errors#version-mismatch", "stale");
  const history = await client.GET("/api/tickets/{ticket_id}/history", { params: { path, query: { limit: 5 } } });
  assert(history.data?.[1]?.changes.status?.to === "resolved", "history");
}

async function files(): Promise<void> {
  const send = (body: string) =>
    client.POST("/api/tickets/import/", { body, bodySerializer: (text) => text, headers: { "Content-Type": "text/csv" } });
  assert((await send("title,description\r\nOld,From a file.\r\n")).data?.imported === 1, "imported");
  const invalid = problem(await send("title,description\r\na,b\r\n,b\r\n"), 400);
  assert(invalid.faulty_lines === 1 && invalid.errors?.[0]?.line === 3, "lines");
  for (const format of ["csv", "ndjson"] as const) {
    const params = { query: { format, search: "from a file" } };
    const exported = await client.GET("/api/tickets/export/", { params, parseAs: "text" });
    assert(exported.data?.includes("Old"), format);
  }
}

async function figures(): Promise<void> {
  const totals = await client.GET("/api/tickets/stats/", { params: { query: { priority: ["high"] } } });
  assert(totals.data?.total_tickets === 5 && totals.data.priority_breakdown.high === 5, "totals");
  const days = { tz: "Europe/Berlin", since: "2026-05-01", before: "2026-05-03" };
  const daily = await client.GET("/api/tickets/stats/daily/", { params: { query: days } });
  assert(daily.data?.days.length === 2, "days");
  assert((await client.GET("/api/tickets/stats/resolution/")).data?.count === 1, "times");
  assert((await client.GET("/api/tickets/stats/triage/")).data?.category.suggested === 5, "triage");
  const next = { params: { query: { search: "Broken", priority: ["high" as const] } }, body: { assignee: "Kim" } };
  const claimed = await client.POST("/api/tickets/claim/", next);
  assert(claimed.data?.assignee === "Kim" && claimed.data.status === "in_progress", "claimed");
  assert((await client.POST("/api/tickets/claim/", next)).response.status === 204, "nothing to claim");
  const mine = await client.GET("/api/tickets/", { params: { query: { assignee: ["nobody", "kim"], assigned: true } } });
  assert(mine.data?.length === 1 && mine.data[0]!.id === claimed.data.id, "mine");
  const query = { assignee: ["kim"], dry_run: true };
  const counts = await client.PATCH("/api/tickets/", { params: { query }, body: { add_tags: ["VIP"] } });
  assert(counts.data?.matched === 1 && counts.data.changed === 1, "bulk change");
  const none = await client.GET("/api/tickets/", { params: { query: { metadata: { plan: "pro" } } } });
  assert(none.data?.length === 0, "metadata");
  const duplicates = await client.GET("/api/tickets/", { params: { query: { duplicate_of: [claimed.data.id] } } });
  assert(duplicates.data?.length === 0, "duplicates");
  const alike = await client.POST("/api/tickets/similar/", { body: { title: "It is broken this morning" } });
  assert(alike.data?.[0]?.id === claimed.data.id && alike.data[0]!.score > 0.5, "similar to a text");
  const others = await client.GET("/api/tickets/{ticket_id}/similar/", { params: { path: { ticket_id: claimed.data.id } } });
  assert(others.data?.every((other) => other.id !== claimed.data!.id), "similar tickets");
  const suggested = await client.POST("/api/tickets/classify/", { body: { description: "I cannot log in" } });
  assert(suggested.data !== undefined && suggested.data.category === suggested.data.suggested_category, "suggested");
}

async function discuss(path: { ticket_id: string }): Promise<void> {
  const added = await client.POST("/api/tickets/{ticket_id}/comments/", {
    params: { path, header: { "If-Match": '"2"' } },
    body: { body: "We have refunded it.", author: "bob" },
  });
  const comment = added.data;
  assert(comment !== undefined && comment.author === "bob" && !comment.internal, "comment");
  const listed = await client.GET("/api/tickets/{ticket_id}/comments/", { params: { path, query: { internal: false } } });
  assert(listed.data?.length === 1 && listed.data[0]!.id === comment!.id, "comments");
  const query: Query = { search: "refunded", search_in: "comments" };
  const found = await client.GET("/api/tickets/", { params: { query } });
  assert(found.data?.length === 1 && found.data[0]!.id === path.ticket_id, "search in comments");
  const one = { params: { path: { ...path, comment_id: comment!.id } } };
  const read = await client.GET("/api/tickets/{ticket_id}/comments/{comment_id}", one);
  assert(read.data?.body === "We have refunded it.", "one comment");
  assert((await client.GET("/api/tickets/stats/response/")).data?.count === 1, "response times");
  const deleted = await client.DELETE("/api/tickets/{ticket_id}/comments/{comment_id}", one);
  assert(deleted.response.status === 204, "comment deleted");
  const history = await client.GET("/api/tickets/{ticket_id}/history", { params: { path } });
  assert(history.data?.length === 4 && history.data[2]!.comment?.id === comment!.id, "history of a comment");
}

async function follow(path: { ticket_id: string }): Promise<void> {
  const events = await client.GET("/api/events/", { params: { query: { limit: 500, wait: 1 } } });
  const versions = events.data?.filter((event) => event.ticket_id === path.ticket_id).map((event) => event.version);
  assert(versions?.join() === "1,2,3,4", "events");
  const end = await client.GET("/api/events/", { params: { query: { after: "latest" } } });
  assert(end.response.headers.get("X-Last-Event-Id") === events.data!.at(-1)!.id, "end of the feed");
  const gone = await client.GET("/api/events/", { params: { query: { after: "ffffffff-1" } } });
  assert(problem(gone, 410).type === "/docs/errors#events-gone", "gone");
}

async function subscribe(): Promise<void> {
  const body = { url: "https://example.com/tickets", types: ["ticket.created" as const], filters: "priority=high" };
  const added = (await client.POST("/api/webhooks/", { body })).data;
  assert(added?.secret?.startsWith("whsec_"), "webhook");
  const [kept] = (await client.GET("/api/webhooks/")).data ?? [];
  assert(kept !== undefined && kept.id !== added!.id && kept.secret === undefined, "webhooks");
  const path = { webhook_id: added!.id };
  assert((await client.GET("/api/webhooks/{webhook_id}", { params: { path } })).data?.filters === "priority=high", "one");
  const change = { params: { path }, body: { enabled: false, types: null } };
  const changed = await client.PATCH("/api/webhooks/{webhook_id}", change);
  assert(changed.data?.enabled === false && changed.data.types === null, "disabled");
  const rotated = await client.POST("/api/webhooks/{webhook_id}/rotate/", { params: { path } });
  assert(rotated.data?.secret !== added!.secret && rotated.data?.previous_secret_until !== null, "rotated");
  const failed = { params: { path: { webhook_id: kept.id }, query: { state: ["failed" as const] } } };
  const deliveries = await client.GET("/api/webhooks/{webhook_id}/deliveries/", failed);
  const one = { ...failed.params.path, delivery_id: deliveries.data![0]!.id };
  const again = await client.POST("/api/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver/", { params: { path: one } });
  assert(again.data?.state === "pending" && again.data.id === one.delivery_id, "repeated");
  assert((await client.DELETE("/api/webhooks/{webhook_id}", { params: { path } })).response.status === 204, "deleted");
}

async function remove(path: { ticket_id: string }): Promise<void> {
  const deleted = await client.DELETE("/api/tickets/{ticket_id}", { params: { path } });
  assert(deleted.response.status === 204, "deleted");
  const gone = await client.DELETE("/api/tickets/{ticket_id}", { params: { path } });
  assert(problem(gone, 404).type === "/docs/errors#not-found", "gone");
}

await operate();
const tickets = await create();
await walk(tickets);
const path = { ticket_id: tickets[0]!.id };
await change(path);
await discuss(path);
await follow(path);
await files();
await figures();
await subscribe();
await remove(path);

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
  tickets[0]!.urgency;
  // @ts-expect-error nobody else decides a label
  assert(tickets[0]!.triage.category.source === "somebody", "never");
}
