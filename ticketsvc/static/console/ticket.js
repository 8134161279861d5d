// The open ticket next to the queue. Every change is sent with the ETag of the shown version (If-Match), so it never
// overwrites a change that the user has not seen. conflict.js shows such changes. The ETag comes from the version, not
// from the header: a proxy that compresses responses changes that.

import { go, withChanges } from "./address.js";
import { Problem, request } from "./api.js";
import { announce } from "./announcement.js";
import { resolveConflict } from "./conflict.js";
import { element, find, withoutMoving } from "./dom.js";
import { areSame, changedFields, changedValue, changesBetween } from "./fields.js";
import { takeNext } from "./next_ticket.js";
import { failure, isAbort, loading } from "./notices.js";
import { recount, ticketDeleted } from "./queue.js";
import { focusRow, replaceRow } from "./queue_rows.js";
import { showHistory } from "./ticket_history.js";
import { ticketPanel } from "./ticket_panel.js";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i; // anything else could be another path of the API
const IDLE = 1000; // milliseconds
const place = find("#ticket");
let open = null; // { id, pending, ticket, panel, last: the last change that was started, begun: the version that was
// shown when the reply was begun, if another one has been shown since }

export function showTicket(id) {
  if (open?.id === id) return;
  open?.pending.abort();
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
  const opened = { id, pending: new AbortController(), last: Promise.resolve() };
  open = opened;
  place.replaceChildren(closing(), loading(5));
  place.scrollTop = 0;
  try {
    if (!UUID.test(id)) throw new Problem(404, "Not found", "There is no ticket with this id.");
    const { data } = await request("GET", encodeURIComponent(id), { signal: opened.pending.signal });
    opened.panel = ticketPanel({
      id: data.id,
      signal: opened.pending.signal,
      save: (changes) => save(opened, changes),
      remove: () => remove(opened),
      reply: (body, key) => inOrder(opened, () => reply(opened, body, key)),
      removeComment: (comment) => inOrder(opened, () => removeComment(opened, comment)),
    });
    place.replaceChildren(closing(), opened.panel.root);
    update(opened, data);
    opened.panel.refreshConversation();
    if (!document.activeElement.closest("#filters :is(input, select)")) opened.panel.heading.focus({ preventScroll: true });
  } catch (error) {
    if (isAbort(error)) return;
    opened.hasFailed = error.isTemporary;
    place.replaceChildren(closing(), failure(error, error.status !== 404 && (() => load(id))));
  }
}

const closing = () =>
  element(
    "p",
    { class: "ticket-head" },
    element("button", { type: "button", class: "quiet next", click: takeNext, title: "Next ticket (g)" }, "Next ticket"),
    element("a", { href: withChanges({ ticket: null }), click: leave }, "Close"),
  );

function leave(event) {
  event.preventDefault();
  closeTicket();
}

const etag = ({ ticket }) => `"${ticket.version}"`;

// Shows the current state of the ticket.
function update(opened, ticket) {
  opened.ticket = ticket;
  replaceRow(ticket);
  withoutMoving(() => opened.panel.show(ticket));
  showHistory(opened.panel.history, opened.id, opened.pending.signal);
}

// Runs actions one after the other, because each needs the ETag of the one before.
function inOrder(opened, action) {
  const done = opened.last.then(action);
  opened.last = done.catch(() => {});
  return done;
}

// Resolves when the change was saved or, after a conflict, discarded. Throws Problem otherwise.
const save = (opened, changes, { isUndo = false } = {}) => inOrder(opened, () => send(opened, changes, isUndo));

async function send(opened, changes, isUndo) {
  const path = encodeURIComponent(opened.id);
  for (let wanted = changes; ;) {
    const before = opened.ticket;
    try {
      const { data } = await request("PATCH", path, { body: wanted, headers: { "If-Match": etag(opened) } });
      update(opened, data);
      recount();
      return announce(isUndo ? "Undone" : "Saved", !isUndo && undo(opened, before, data));
    } catch (problem) {
      if (problem.status !== 412) throw problem;
    }
    const data = await readAgain(opened);
    const isWanted = ([field, value]) => !areSame(data[field], changedValue(data, field, value));
    wanted = Object.fromEntries(Object.entries(wanted).filter(isWanted));
    if (!Object.keys(wanted).length) return announce("Someone else already made the same change");
    if (open !== opened) throw new Problem(412, "Not saved", "Someone else changed the ticket first. Open it again.");
    const isApplied = await resolveConflict(opened.panel.conflict, before, data, wanted);
    if (!isApplied) return announce("Your change was discarded");
  }
}

// Offers the reverse of a change: another change, with an entry of its own in the history.
function undo(opened, before, after) {
  const reverse = changesBetween(after, before);
  const run = () => opened.panel.attempt(() => save(opened, reverse, { isUndo: true }));
  return changedFields(before, after).length > 0 && { name: "Undo", run };
}

// Gets and shows the current state of the ticket and its comments.
async function readAgain(opened) {
  const { data } = await request("GET", encodeURIComponent(opened.id));
  update(opened, data);
  await opened.panel.refreshConversation();
  return data;
}

// Adds a comment. One that also sets the status is refused if the ticket has changed since the user began to write.
async function reply(opened, body, key) {
  const match = body.status ? { "If-Match": `"${opened.begun ?? opened.ticket.version}"` } : {};
  opened.begun = null;
  try {
    const path = `${encodeURIComponent(opened.id)}/comments/`;
    const { data } = await request("POST", path, { body, headers: { "Idempotency-Key": key, ...match } });
    await readAgain(opened).catch(() => {}); // the comment exists; the next change shows what happened to the ticket
    recount();
    return data;
  } catch (problem) {
    if (problem.status !== 412) throw problem;
    await readAgain(opened);
    const detail = "Someone else changed this ticket meanwhile. Read what is new, then send the reply again.";
    throw new Problem(412, "Not sent", detail);
  }
}

async function removeComment(opened, comment) {
  await request("DELETE", `${encodeURIComponent(opened.id)}/comments/${encodeURIComponent(comment.id)}`);
  await readAgain(opened);
  announce("The comment was deleted");
}

// Shows the new state of a ticket that was changed elsewhere in the page.
export function showChanged(ticket) {
  if (open?.panel && open.id === ticket.id) {
    if (ticket.version > open.ticket.version) update(open, ticket);
  } else replaceRow(ticket);
}

async function remove(opened) {
  await request("DELETE", encodeURIComponent(opened.id), { headers: { "If-Match": etag(opened) } });
  if (open === opened) closeTicket();
  ticketDeleted(opened.id);
  announce("The ticket was deleted");
}

// Shows changes by others when the user returns to the page or events tell of them, or loads what could not be loaded.
// Waits while something is being edited: a change of the same field is a conflict, which the user should see.
export async function checkForChanges(news = "Someone else changed this ticket") {
  const opened = open;
  if (opened?.hasFailed) return load(opened.id);
  if (!opened?.panel) return;
  clearTimeout(opened.timer);
  const checkLater = () => (opened.timer = setTimeout(() => open === opened && checkForChanges(news), IDLE));
  if (opened.panel.isBusy()) return checkLater();
  try {
    const { data } = await request("GET", encodeURIComponent(opened.id), {
      signal: opened.pending.signal,
      inBackground: true,
    });
    if (data.version === opened.ticket.version) return;
    if (opened.panel.isBusy()) return checkLater();
    opened.begun = opened.panel.hasReply() ? (opened.begun ?? opened.ticket.version) : null;
    update(opened, data);
    opened.panel.refreshConversation();
    announce(news);
  } catch (problem) {
    // The user did not start this request. The next one that they start shows any other error.
    if (problem.status === 404) opened.panel.showDeleted();
  }
}

// Shows events, if they are about the open ticket. Comments do not wait.
export function showTicketEvents(events) {
  const opened = open;
  if (!opened?.panel) return;
  const last = events.findLast((event) => event.ticket_id === opened.ticket.id);
  if (!last || (last.version <= opened.ticket.version && last.type !== "ticket.deleted")) return;
  if (last.type === "ticket.commented") opened.panel.refreshConversation();
  checkForChanges(newsOf(last));
}

function newsOf({ data: { comment } }) {
  if (!comment) return undefined;
  return `New ${comment.internal ? "internal note" : "comment"}${comment.author ? ` by ${comment.author}` : ""}`;
}
