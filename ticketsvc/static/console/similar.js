// Similar tickets, next to a ticket and while one is filed, and duplicates. They are optional: errors show nothing.

import { queueLink, withChanges } from "./address.js";
import { request } from "./api.js";
import { element, find } from "./dom.js";
import { label, percent } from "./labels.js";
import { time } from "./times.js";

const SHOWN = 5;
const MIN_LENGTH = 12; // characters
let pending = new AbortController();

// Shows which tickets resemble a ticket, and of which one it is a duplicate. `mark(id)` makes it one; null undoes that.
export function similarTickets({ id, signal, mark }) {
  const original = element("p", { class: "buttons", hidden: true });
  const others = element("ul", { class: "similar" });
  const heading = element("h3", { hidden: true }, "Similar tickets");
  const root = element("section", null, original, heading, others);
  let shown = {};

  function show(ticket) {
    const { title, description, duplicate_of } = shown;
    shown = ticket;
    const isNew = title !== ticket.title || description !== ticket.description;
    if (duplicate_of !== ticket.duplicate_of) showOriginal(ticket.duplicate_of);
    if (isNew || duplicate_of !== ticket.duplicate_of) load();
  }

  function showOriginal(of) {
    original.hidden = !of;
    if (!of) return original.replaceChildren();
    const link = ticketLink(of, of);
    const undo = element("button", { type: "button", class: "quiet small", click: () => mark(null) }, "Not a duplicate");
    original.replaceChildren(element("span", null, "Duplicate of ", link), undo);
    return titleOf(of, signal).then((text) => text && link.replaceChildren(text));
  }

  async function load() {
    const found = await ask("GET", `${encodeURIComponent(id)}/similar`, { signal });
    if (!found) return;
    heading.hidden = !found.length;
    others.replaceChildren(...found.map((ticket) => item(ticket, ticketLink(ticket.id, ticket.title), marker(ticket))));
  }

  function marker(ticket) {
    const name = `Close this ticket as a duplicate of “${ticket.title}”`;
    const attributes = { type: "button", class: "quiet small", title: name, "aria-label": name, click: () => mark(ticket.id) };
    return ticket.id !== shown.duplicate_of && ticket.duplicate_of !== id && element("button", attributes, "Mark as duplicate");
  }

  return { root, show };
}

// Shows which tickets resemble the text of a new one. Aborts pending requests.
export async function similarTo(title, description) {
  const place = find("#filing-similar");
  pending.abort();
  pending = new AbortController();
  const body = { title: title.trim(), description: description.trim() };
  const isLong = body.title.length + body.description.length >= MIN_LENGTH;
  const found = isLong ? await ask("POST", "similar", { body, signal: pending.signal }) : [];
  if (!found) return;
  const items = found.map((ticket) => item(ticket, fieldlessLink(ticket)));
  place.replaceChildren(...(items.length ? [element("h2", null, "Filed already?"), element("ul", { class: "similar" }, items)] : []));
}

// Resolves to the first tickets, or to null if there is no response.
async function ask(method, path, options) {
  try {
    return (await request(method, path, { ...options, inBackground: true })).data.slice(0, SHOWN);
  } catch {
    return null;
  }
}

async function titleOf(id, signal) {
  try {
    return (await request("GET", encodeURIComponent(id), { signal, inBackground: true })).data.title;
  } catch {
    return null; // it was deleted
  }
}

export const ticketLink = (id, text) =>
  element("a", { href: withChanges({ ticket: id }), "data-internal": true, dir: "auto" }, text);

const fieldlessLink = ({ id, title }) =>
  element("a", { href: queueLink({ ticket: id }), "data-internal": true, dir: "auto" }, title);

const item = (ticket, link, ...more) =>
  element(
    "li",
    null,
    link,
    element("span", { class: "hint" }, label("status", ticket.status), time(ticket.created_at), ` ${percent(ticket.score)} similar`),
    more,
  );
