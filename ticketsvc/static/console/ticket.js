// One ticket beside the queue. Every change is sent with the ETag of what was shown (If-Match), so it never overwrites
// a change that nobody here has seen: lost_race.js shows that one, and asks.

import { go, withChanges } from "./address.js";
import { call, Problem } from "./api.js";
import { element, find, say } from "./dom.js";
import { askAboutRace } from "./lost_race.js";
import { failure, isAbort, loading } from "./notices.js";
import { focusRow, removeRow, replaceRow } from "./queue.js";
import { showHistory } from "./ticket_history.js";
import { ticketPanel } from "./ticket_panel.js";

const place = find("#ticket");
let open = null; // { id, calls, ticket, etag, panel, last: the last change that was started }

export function showTicket(id) {
  if (open?.id === id) return;
  open?.calls.abort();
  open = null;
  place.hidden = !id;
  document.body.classList.toggle("with-ticket", Boolean(id));
  if (id) load(id);
}

export const isOpen = () => Boolean(open);
export const openPanel = () => open?.panel;

export function closeTicket() {
  const id = open?.id;
  go({ ticket: null });
  focusRow(id);
}

async function load(id) {
  const opened = { id, calls: new AbortController(), last: Promise.resolve() };
  open = opened;
  place.replaceChildren(closing(), loading(5));
  place.scrollTop = 0;
  try {
    const { data, headers } = await call("GET", encodeURIComponent(id), { signal: opened.calls.signal });
    opened.panel = ticketPanel({ save: (changes) => save(opened, changes), remove: () => remove(opened) });
    place.replaceChildren(closing(), opened.panel.root);
    adopt(opened, data, headers);
    if (!document.activeElement.closest("#filters")) opened.panel.heading.focus({ preventScroll: true });
  } catch (error) {
    if (isAbort(error)) return;
    place.replaceChildren(closing(), failure(error, error.status !== 404 && (() => load(id))));
  }
}

const closing = () =>
  element("p", { class: "ticket-head" }, element("a", { href: withChanges({ ticket: null }), click: leave }, "Close"));

function leave(event) {
  event.preventDefault();
  closeTicket();
}

// Takes over what the service says the ticket is now.
function adopt(opened, ticket, headers) {
  Object.assign(opened, { ticket, etag: headers.get("ETag") });
  replaceRow(ticket);
  opened.panel.show(ticket);
  showHistory(opened.panel.history, opened.id, opened.calls.signal);
}

// Sends changes one after the other: a second one needs the ETag that the first brings. Answers whether they were saved
// or, after a lost race, dropped; throws Problem when neither is so.
function save(opened, changes) {
  const saved = opened.last.then(() => send(opened, changes));
  opened.last = saved.catch(() => {});
  return saved;
}

async function send(opened, changes) {
  const path = encodeURIComponent(opened.id);
  for (let wanted = changes; ;) {
    try {
      const { data, headers } = await call("PATCH", path, { body: wanted, headers: { "If-Match": opened.etag } });
      adopt(opened, data, headers);
      say("Saved");
      return;
    } catch (problem) {
      if (problem.status !== 412) throw problem;
    }
    const before = opened.ticket;
    const { data, headers } = await call("GET", path);
    adopt(opened, data, headers);
    wanted = Object.fromEntries(Object.entries(wanted).filter(([field, value]) => data[field] !== value));
    if (!Object.keys(wanted).length) return say("Somebody else has just made the same change");
    if (open !== opened) throw new Problem(412, "Not saved", "Somebody else changed the ticket first: open it again.");
    if (!(await askAboutRace(opened.panel.race, before, data, wanted))) return say("Your change was dropped");
  }
}

async function remove(opened) {
  await call("DELETE", encodeURIComponent(opened.id), { headers: { "If-Match": opened.etag } });
  if (open === opened) closeTicket();
  removeRow(opened.id);
  say("The ticket was deleted");
}

// Looks for changes of others when somebody comes back to the page. What is being edited stays as it is.
export async function lookAgain() {
  const opened = open;
  if (!opened?.panel || opened.panel.isBusy()) return;
  try {
    const { data, headers } = await call("GET", encodeURIComponent(opened.id), { signal: opened.calls.signal });
    if (data.version === opened.ticket.version || opened.panel.isBusy()) return;
    adopt(opened, data, headers);
    say("Somebody has changed this ticket");
  } catch {
    // Nobody asked for this call: the next one that somebody makes tells what is wrong.
  }
}
