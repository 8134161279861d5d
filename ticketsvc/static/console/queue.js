// The queue: a list that grows as it is scrolled, by following the Link header of each page.

import { address, withChanges } from "./address.js";
import { call, nextPage } from "./api.js";
import { element, find, marked } from "./dom.js";
import { apiQuery, clearFilters, isFiltered, searchWords } from "./filters.js";
import { label, number } from "./labels.js";
import { empty, failure, isAbort, loading } from "./notices.js";
import { time } from "./times.js";

const PAGE = 50;
const TEXT = 240; // characters of a description that a row has room for
const [list, rows, more, total, state] = ["#list", "#rows", "#more", "#total", "#queue-state"].map((s) => find(s));

let shown = null; // the API query of the rows on the page
let next = null; // the query of the page behind them
let calls = new AbortController();

export function showQueue(parameters) {
  const query = apiQuery(parameters).toString();
  if (query !== shown) load(query);
  select(parameters.get("ticket"));
}

export const reload = () => load(apiQuery(address()).toString());

// Starts a list anew. The rows before it stay until its first page is there; calls that nobody waits for are ended.
async function load(query) {
  calls.abort();
  calls = new AbortController();
  const { signal } = calls;
  [shown, next] = [query, null];
  list.setAttribute("aria-busy", "true");
  more.hidden = true;
  state.replaceChildren(rows.children.length ? "" : loading(8));
  count(query, signal);
  try {
    const page = await call("GET", "", { query: `${query}&limit=${PAGE}`, signal });
    const focused = document.activeElement.closest("#rows > li")?.dataset.id;
    rows.replaceChildren();
    list.scrollTop = 0;
    state.replaceChildren(page.data.length ? "" : nothing());
    append(page);
    if (focused) focusRow(focused);
  } catch (error) {
    if (isAbort(error)) return;
    rows.replaceChildren();
    total.textContent = "";
    shown = null; // coming back to it tries again
    state.replaceChildren(failure(error, reload));
  }
  list.removeAttribute("aria-busy");
}

async function count(query, signal) {
  try {
    const { headers } = await call("GET", "", { query: `${query}&limit=1&count=true`, signal });
    const found = Number(headers.get("X-Total-Count"));
    total.textContent = found === 1 ? "1 ticket" : `${number(found)} tickets`;
  } catch (error) {
    if (!isAbort(error)) total.textContent = ""; // the list itself tells what is wrong
  }
}

async function loadMore() {
  const query = next;
  if (!query) return;
  next = null;
  const { signal } = calls;
  more.setAttribute("aria-busy", "true");
  state.replaceChildren();
  try {
    append(await call("GET", "", { query, signal }));
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
  sight.unobserve(more); // tells again whether the end is in sight: a tall window needs several pages
  sight.observe(more);
  select(address().get("ticket"));
}

const sight = new IntersectionObserver((seen) => seen.some((entry) => entry.isIntersecting) && loadMore(), {
  rootMargin: "800px",
  scrollMargin: "800px",
});

function row(ticket, words) {
  return element(
    "li",
    { "data-id": ticket.id },
    element(
      "a",
      { class: "row", href: withChanges({ ticket: ticket.id }), "data-inside": true, tabindex: -1 },
      label("priority", ticket.priority, { bare: true }),
      element("span", { class: "row-title", dir: "auto" }, marked(ticket.title, words)),
      element("span", { class: "row-text", dir: "auto" }, marked(excerpt(ticket.description, words), words)),
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

// The part of a description that has the first word searched for, otherwise its start.
function excerpt(description, words) {
  const text = description.slice(0, 20000).replace(/\s+/g, " ");
  const place = words.length ? text.toLowerCase().indexOf(words[0].toLowerCase()) : -1;
  return place > 80 ? `…${text.slice(place - 40, place - 40 + TEXT)}` : text.slice(0, TEXT);
}

function nothing() {
  if (!isFiltered(address())) {
    const file = element("a", { href: "?view=file", "data-inside": true, class: "button primary" }, "File a ticket");
    return empty("No tickets yet", "The queue is empty. What is filed here or through the API appears in it.", file);
  }
  const clear = element("button", { type: "button", click: clearFilters }, "Clear all filters");
  return empty("Nothing matches", "No ticket has all that the search and the filters ask for.", clear);
}

const rowOf = (id) => id && find(`li[data-id="${CSS.escape(id)}"] > a`, rows);

// Exactly one row is reached with the Tab key: the one that is open, else the first. Arrows and j, k go on from there.
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

// Moves the focus by so many rows from where it is, or else from the open ticket. Returns the row, if there is one.
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
  const { signal } = calls;
  if (shown !== null) count(shown, signal);
  if (!rows.children.length && !next) state.replaceChildren(nothing());
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
