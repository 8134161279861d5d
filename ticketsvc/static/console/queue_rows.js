// The rows of the queue: one line each, or three. They are links, so that they open in a new tab too. selection.js
// handles their checkboxes.

import { address, withChanges } from "./address.js";
import { element, find, setting } from "./dom.js";
import { filtersOf, fits, searchWords } from "./filters.js";
import { label } from "./labels.js";
import { firstPlace, highlight } from "./marks.js";
import { time } from "./times.js";

const EXCERPT_LENGTH = 240; // characters of a description in a row
const SHOWN_TAGS = 2;
const rows = find("#rows");
const density = setting("density");
const tickets = new WeakMap(); // the ticket that each row shows

export const shownRows = () => rows.children.length;

const itemOf = (id) => (id ? find(`li[data-id="${CSS.escape(id)}"]`, rows) : null);
const rowOf = (id) => itemOf(id)?.querySelector("a") ?? null;

// Returns the ticket as its row shows it, if there is one.
export const shownTicket = (id) => tickets.get(itemOf(id));

function row(ticket, words) {
  const made = element(
    "li",
    { "data-id": ticket.id },
    element(
      "label",
      { class: "pick" },
      element("input", { type: "checkbox", tabindex: -1, "aria-label": `Select ${ticket.title}` }),
    ),
    element(
      "a",
      { class: "row", href: withChanges({ ticket: ticket.id }), "data-internal": true, tabindex: -1 },
      label("priority", ticket.priority, { bare: true }),
      element("span", { class: "row-title", dir: "auto" }, highlight(ticket.title, words)),
      element("span", { class: "row-text", dir: "auto" }, highlight(excerpt(ticket.description, words), words)),
      element(
        "span",
        { class: "row-meta" },
        element("span", { class: "row-status" }, label("status", ticket.status)),
        people(ticket),
        element("span", { class: "row-category" }, label("category", ticket.category)),
        time(ticket.created_at, { isShort: true }),
      ),
    ),
  );
  tickets.set(made, ticket);
  return made;
}

// The tags, the requester and the assignee of a ticket, if it has any.
function people({ requester, assignee, tags }) {
  const more = tags.length - SHOWN_TAGS;
  const person = (role, name) =>
    name &&
    element(
      "span",
      { class: `row-person row-${role.toLowerCase()}`, title: `${role}: ${name}` },
      element("span", { class: "visually-hidden" }, `${role} `),
      element("bdi", null, name),
    );
  return [
    tags.length > 0 &&
      element(
        "span",
        { class: "row-tags", title: `Tags: ${tags.join(", ")}` },
        tags.slice(0, SHOWN_TAGS).map((tag) => element("span", { class: "tag", dir: "auto" }, tag)),
        more > 0 && element("span", { class: "tag" }, `+${more}`),
      ),
    person("Requester", requester),
    person("Assignee", assignee),
  ];
}

// Returns the part of a description around the first search word, or its start.
function excerpt(description, words) {
  const text = description.slice(0, 8000).replace(/\s+/g, " ");
  const place = words.length ? firstPlace(text, words) : -1;
  return place > 80 ? `…${text.slice(place - 40, place - 40 + EXCERPT_LENGTH)}` : text.slice(0, EXCERPT_LENGTH);
}

export function appendRows(added) {
  const words = searchWords(filtersOf().search);
  rows.append(...added.map((ticket) => row(ticket, words)));
  select(address().get("ticket"));
}

// Adds the row of a ticket before that of another one, or at the end.
export function insertRow(ticket, beforeId) {
  rows.insertBefore(row(ticket, searchWords(filtersOf().search)), itemOf(beforeId));
}

// Shows the current state of a ticket in its row. It stays grey where the filters no longer let it be.
export function replaceRow(ticket) {
  const old = itemOf(ticket.id);
  if (!old) return;
  const filters = filtersOf();
  const made = row(ticket, searchWords(filters.search));
  if (!fits(ticket, filters)) {
    made.classList.add("left");
    made.title = "No longer in this list";
  }
  const focused = old.contains(document.activeElement) && document.activeElement.tagName;
  find("input", made).checked = find("input", old).checked;
  old.replaceWith(made);
  select(address().get("ticket"));
  if (focused) find(focused, made).focus();
}

// Removes a row. The focus in it goes to the next one.
export function removeRow(id) {
  const item = itemOf(id);
  const following = item?.contains(document.activeElement) && (item.nextElementSibling ?? item.previousElementSibling);
  item?.remove();
  if (following) focusRow(following.dataset.id);
}

// The Tab key reaches exactly one row: the open ticket or the first one. Arrow keys, j and k move from there.
export function select(id) {
  for (const chosen of rows.querySelectorAll("[aria-current]")) chosen.removeAttribute("aria-current");
  const current = rowOf(id);
  current?.setAttribute("aria-current", "true");
  const stop = current ?? find("a[tabindex='0']", rows) ?? find("a", rows);
  if (stop) makeTabStop(stop);
}

function makeTabStop(link) {
  for (const other of rows.querySelectorAll("[tabindex='0']")) other.tabIndex = -1;
  for (const stop of link.parentElement.querySelectorAll("a, input")) stop.tabIndex = 0;
}

// Moves the focus by `by` rows, starting at the focused row or the open ticket. Returns the row, if there is one.
export function move(by) {
  const links = [...rows.querySelectorAll("a")];
  const start = links.indexOf(rowOf(focusedRow() ?? address().get("ticket")));
  const target = links[start < 0 ? 0 : Math.max(0, Math.min(links.length - 1, start + by))];
  target?.focus();
  return target;
}

export const focusedRow = () => document.activeElement?.closest("#rows > li")?.dataset.id;

export function focusRow(id) {
  (rowOf(id) ?? find("a[tabindex='0']", rows) ?? find("#search")).focus();
}

export function startRows() {
  rows.addEventListener("focusin", (event) => makeTabStop(find("a", event.target.closest("li"))));
  rows.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && move(by)) event.preventDefault();
  });
  const button = find("#density");
  const show = () => {
    const isCompact = density.get() !== "comfortable";
    rows.classList.toggle("compact", isCompact);
    button.setAttribute("aria-pressed", String(isCompact));
  };
  button.addEventListener("click", () => {
    density.set(density.get() === "comfortable" ? "compact" : "comfortable");
    show();
  });
  show();
}
