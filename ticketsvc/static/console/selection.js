// Which rows of the queue are selected. A row is selected by its id, so it stays selected when the list is refreshed.
// Dispatches "selection" when something has changed.

import { find } from "./dom.js";
import { focusedRow, shownTicket } from "./queue_rows.js";

const [rows, all] = ["#rows", "#select-all"].map((id) => find(id));
let ids = new Set();
let anchor = null; // where a range starts: the row that was selected last
let total = null; // how many tickets the list has, with the pages that are not loaded
let isEverything = false; // all tickets of the list are selected, also those that are not loaded

const items = () => [...rows.children];
const box = (item) => find("input", item);

export const selectedTickets = () =>
  items()
    .map((item) => item.dataset.id)
    .filter((id) => ids.has(id))
    .map(shownTicket);
export const selectedAll = () => isEverything;
export const listTotal = () => total;

// Shows the selection in the rows. Those that have left the list are no longer selected.
export function showSelection() {
  const shown = items();
  ids = new Set(shown.map((item) => item.dataset.id).filter((id) => isEverything || ids.has(id)));
  for (const item of shown) box(item).checked = ids.has(item.dataset.id);
  all.checked = shown.length > 0 && ids.size === shown.length;
  all.indeterminate = ids.size > 0 && !all.checked;
  all.disabled = !shown.length;
  dispatchEvent(new Event("selection"));
}

export function selectOnly(chosen) {
  ids = new Set(chosen);
  isEverything = false;
  showSelection();
}

export function clearSelection() {
  anchor = null;
  selectOnly([]);
}

export function selectEverything() {
  isEverything = true;
  showSelection();
}

export function listCounted(count) {
  total = count;
  dispatchEvent(new Event("selection"));
}

// Selects a row or not. With `toAnchor`, all rows from the last one become the same.
function set(id, isSelected, toAnchor) {
  const order = items().map((item) => item.dataset.id);
  const [from, to] = [order.indexOf(toAnchor ? anchor : id), order.indexOf(id)].sort((a, b) => a - b);
  for (const each of from < 0 ? [id] : order.slice(from, to + 1)) ids[isSelected ? "add" : "delete"](each);
  anchor = id;
  isEverything = false;
  showSelection();
}

// Selects the row with the focus, or the open ticket's, or the reverse. Returns whether there was a row.
export function toggleRow(open, { toAnchor = false } = {}) {
  const id = focusedRow() ?? open;
  if (!id || !shownTicket(id)) return false;
  set(id, toAnchor || !ids.has(id), toAnchor);
  return true;
}

export function startSelection() {
  rows.addEventListener("click", (event) => {
    const item = event.target.closest("li");
    if (event.target === box(item)) set(item.dataset.id, event.target.checked, event.shiftKey);
  });
  rows.addEventListener("mousedown", (event) => {
    if (event.shiftKey && event.target.closest(".pick")) event.preventDefault(); // selects no text
  });
  all.addEventListener("change", () => selectOnly(all.checked ? items().map((item) => item.dataset.id) : []));
}
