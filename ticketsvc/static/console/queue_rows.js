// The rows of the queue: one line each, or three. They are links, so that they open in a new tab too.

import { address, withChanges } from "./address.js";
import { element, find, setting } from "./dom.js";
import { filtersOf, hasFacets, searchWords } from "./filters.js";
import { label } from "./labels.js";
import { firstPlace, highlight } from "./marks.js";
import { time } from "./times.js";

const EXCERPT_LENGTH = 240; // characters of a description in a row
const rows = find("#rows");
const density = setting("density");

export const shownRows = () => rows.children.length;

const rowOf = (id) => (id ? find(`li[data-id="${CSS.escape(id)}"] > a`, rows) : null);

function row(ticket, words) {
  return element(
    "li",
    { "data-id": ticket.id },
    element(
      "a",
      { class: "row", href: withChanges({ ticket: ticket.id }), "data-internal": true, tabindex: -1 },
      label("priority", ticket.priority, { bare: true }),
      element("span", { class: "row-title", dir: "auto" }, highlight(ticket.title, words)),
      element("span", { class: "row-text", dir: "auto" }, highlight(excerpt(ticket.description, words), words)),
      element("span", { class: "row-status" }, label("status", ticket.status)),
      element("span", { class: "tag" }, label("category", ticket.category)),
      time(ticket.created_at, { isShort: true }),
    ),
  );
}

// Returns the part of a description around the first search word, or its start.
function excerpt(description, words) {
  const text = description.slice(0, 8000).replace(/\s+/g, " ");
  const place = words.length ? firstPlace(text, words) : -1;
  return place > 80 ? `…${text.slice(place - 40, place - 40 + EXCERPT_LENGTH)}` : text.slice(0, EXCERPT_LENGTH);
}

export function appendRows(tickets) {
  const words = searchWords(filtersOf().search);
  rows.append(...tickets.map((ticket) => row(ticket, words)));
  select(address().get("ticket"));
}

// Shows the current state of a ticket in its row. It stays grey where the filters no longer let it be.
export function replaceRow(ticket) {
  const old = rowOf(ticket.id)?.parentElement;
  if (!old) return;
  const filters = filtersOf();
  const made = row(ticket, searchWords(filters.search));
  if (!hasFacets(ticket, filters)) {
    made.classList.add("left");
    made.title = "No longer in this list";
  }
  const hadFocus = old.contains(document.activeElement);
  old.replaceWith(made);
  select(address().get("ticket"));
  if (hadFocus) find("a", made).focus();
}

export const removeRow = (id) => rowOf(id)?.parentElement.remove();

// The Tab key reaches exactly one row: the open ticket or the first one. Arrow keys, j and k move from there.
export function select(id) {
  for (const chosen of rows.querySelectorAll("[aria-current]")) chosen.removeAttribute("aria-current");
  const current = rowOf(id);
  current?.setAttribute("aria-current", "true");
  const stop = current ?? find("a[tabindex='0']", rows) ?? find("a", rows);
  if (stop) makeTabStop(stop);
}

function makeTabStop(link) {
  for (const other of rows.querySelectorAll("a[tabindex='0']")) other.tabIndex = -1;
  link.tabIndex = 0;
}

// Moves the focus by `by` rows, starting at the focused row or the open ticket. Returns the row, if there is one.
export function move(by) {
  const links = [...rows.querySelectorAll("a")];
  const start = links.indexOf(document.activeElement.closest?.(".row") ?? rowOf(address().get("ticket")));
  const target = links[start < 0 ? 0 : Math.max(0, Math.min(links.length - 1, start + by))];
  target?.focus();
  return target;
}

export const focusedRow = () => document.activeElement.closest("#rows > li")?.dataset.id;

export function focusRow(id) {
  (rowOf(id) ?? find("a[tabindex='0']", rows) ?? find("#search")).focus();
}

export function startRows() {
  rows.addEventListener("focusin", (event) => makeTabStop(event.target.closest("a")));
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
