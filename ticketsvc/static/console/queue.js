// The queue: a list that loads more pages as it is scrolled. Each page links to the next in its Link header.

import { address, withChanges } from "./address.js";
import { nextPage, request } from "./api.js";
import { element, find, highlight } from "./dom.js";
import { apiQuery, clearFilters, isFiltered, searchWords } from "./filters.js";
import { label, number } from "./labels.js";
import { empty, failure, isAbort, loading } from "./notices.js";
import { time } from "./times.js";

const PAGE = 50;
const EXCERPT_LENGTH = 240; // characters of a description in a row
const [list, rows, more, total, state] = ["#list", "#rows", "#more", "#total", "#queue-state"].map((s) => find(s));

let shown = null; // the API query of the shown rows
let next = null; // the API query of the next page
let pending = new AbortController();

export function showQueue(parameters) {
  const query = apiQuery(parameters).toString();
  if (query !== shown) load(query);
  select(parameters.get("ticket"));
}

export const reload = () => load(apiQuery(address()).toString());

// Loads a list. The old rows stay until its first page arrives. Aborts pending requests.
async function load(query) {
  pending.abort();
  pending = new AbortController();
  const { signal } = pending;
  [shown, next] = [query, null];
  list.setAttribute("aria-busy", "true");
  more.hidden = true;
  state.replaceChildren(rows.children.length ? "" : loading(8));
  count(query, signal);
  try {
    const page = await request("GET", "", { query: `${query}&limit=${PAGE}`, signal });
    const focused = document.activeElement.closest("#rows > li")?.dataset.id;
    rows.replaceChildren();
    list.scrollTop = 0;
    state.replaceChildren(page.data.length ? "" : emptyState());
    append(page);
    if (focused) focusRow(focused);
  } catch (error) {
    if (isAbort(error)) return;
    rows.replaceChildren();
    total.textContent = "";
    shown = null; // so that showing it again retries
    state.replaceChildren(failure(error, reload));
  }
  list.removeAttribute("aria-busy");
}

async function count(query, signal) {
  try {
    const { headers } = await request("GET", "", { query: `${query}&limit=1&count=true`, signal });
    const found = Number(headers.get("X-Total-Count"));
    total.textContent = found === 1 ? "1 ticket" : `${number(found)} tickets`;
  } catch (error) {
    if (!isAbort(error)) total.textContent = ""; // the list itself shows the error
  }
}

async function loadMore() {
  const query = next;
  if (!query) return;
  next = null;
  const { signal } = pending;
  more.setAttribute("aria-busy", "true");
  state.replaceChildren();
  try {
    append(await request("GET", "", { query, signal }));
  } catch (error) {
    if (isAbort(error)) return;
    next = query;
    more.hidden = true;
    state.replaceChildren(failure(error, loadMore));
  }
  more.removeAttribute("aria-busy");
}

function append(page) {
  const words = searchWords(address().get("search"));
  rows.append(...page.data.map((ticket) => row(ticket, words)));
  next = nextPage(page.headers);
  more.hidden = !next;
  endObserver.unobserve(more); // observe again: a tall window needs several pages
  endObserver.observe(more);
  select(address().get("ticket"));
}

const endObserver = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && loadMore(), {
  rootMargin: "800px",
  scrollMargin: "800px",
});

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
      element(
        "span",
        { class: "row-facts" },
        label("status", ticket.status),
        element("span", { class: "tag" }, label("category", ticket.category)),
        time(ticket.created_at),
      ),
    ),
  );
}

// Returns the part of a description around the first search word, or its start.
function excerpt(description, words) {
  const text = description.slice(0, 20000).replace(/\s+/g, " ");
  const place = words.length ? text.toLowerCase().indexOf(words[0].toLowerCase()) : -1;
  return place > 80 ? `…${text.slice(place - 40, place - 40 + EXCERPT_LENGTH)}` : text.slice(0, EXCERPT_LENGTH);
}

function emptyState() {
  if (!isFiltered(address())) {
    const file = element("a", { href: "?view=file", "data-internal": true, class: "button primary" }, "New ticket");
    return empty("No tickets yet", "Tickets that are created here or through the API appear in this list.", file);
  }
  const clear = element("button", { type: "button", click: clearFilters }, "Clear all filters");
  return empty("No matching tickets", "No ticket matches the search and all filters.", clear);
}

const rowOf = (id) => id && find(`li[data-id="${CSS.escape(id)}"] > a`, rows);

// The Tab key reaches exactly one row: the open ticket or the first one. Arrow keys, j and k move from there.
function select(id) {
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

export function focusRow(id) {
  (rowOf(id) ?? find("a[tabindex='0']", rows) ?? find("#search")).focus();
}

export function replaceRow(ticket) {
  const old = rowOf(ticket.id);
  if (!old) return;
  const made = row(ticket, searchWords(address().get("search")));
  old.parentElement.replaceWith(made);
  select(address().get("ticket"));
}

export function removeRow(id) {
  rowOf(id)?.parentElement.remove();
  const { signal } = pending;
  if (shown !== null) count(shown, signal);
  if (!rows.children.length && !next) state.replaceChildren(emptyState());
}

export function startQueue() {
  more.addEventListener("click", loadMore);
  find("#refresh").addEventListener("click", reload);
  rows.addEventListener("focusin", (event) => makeTabStop(event.target.closest("a")));
  rows.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && move(by)) event.preventDefault();
  });
}
