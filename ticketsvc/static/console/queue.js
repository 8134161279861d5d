// The queue: a list that loads more pages as it is scrolled. Each page links to the next in its Link header.

import { address } from "./address.js";
import { exportAddress, nextPage, request } from "./api.js";
import { counter, facetCounts, forgetCounts } from "./counts.js";
import { download } from "./download.js";
import { element, find, throttled } from "./dom.js";
import { afterEvent } from "./fields.js";
import { apiQuery, filtersOf, fits, showFacetCounts } from "./filters.js";
import { number } from "./labels.js";
import { offer, reportRows, stopWatching, watch } from "./live.js";
import { failure, isAbort, loading } from "./notices.js";
import { emptyQueue } from "./queue_empty.js";
import {
  appendRows,
  focusedRow,
  focusRow,
  insertRow,
  removeRow,
  replaceRow,
  select,
  shownRows,
  shownTicket,
  startRows,
} from "./queue_rows.js";
import { clearSelection, listCounted, selectedTickets, showSelection } from "./selection.js";
import { countViews, showViews } from "./views.js";

const PAGE = 50;
const LARGEST_PAGE = 500;
const RETRY = 15; // seconds, if the service does not say
const [list, rows, more, total, notice, state] = ["#list", "#rows", "#more", "#total", "#list-notice", "#queue-state"].map(
  (id) => find(id),
);

let shown = null; // the API query of the shown rows
let next = null; // the API query of the next page
let pending = new AbortController();
let retry;
let meanwhile = null; // events since a list was requested that may be later than its response

const queryNow = () => apiQuery(filtersOf()).toString();

export function showQueue() {
  showViews();
  const query = queryNow();
  if (query !== shown) load(query);
  else count();
  select(address().get("ticket"));
}

export function reload() {
  forgetCounts();
  return load(queryNow());
}

// Loads the list again, without moving what is read.
export function refresh() {
  if (shown === null) return reload();
  forgetCounts();
  return load(shown, { isSame: true });
}

// Loads a list. The old rows stay until its first page arrives, or when it does not. Aborts pending requests.
async function load(query, { isSame = false } = {}) {
  pending.abort();
  pending = new AbortController();
  clearTimeout(retry);
  const { signal } = pending;
  [shown, next, meanwhile] = [query, null, []];
  list.setAttribute("aria-busy", "true");
  more.hidden = true;
  if (!shownRows()) state.replaceChildren(loading(8));
  find("#export").href = exportAddress(exportQuery());
  const counted = count();
  try {
    const page = await request("GET", "", { query: `${query}&limit=${isSame ? pageAsShown() : PAGE}`, signal });
    const focused = focusedRow();
    notice.replaceChildren();
    state.replaceChildren();
    rows.replaceChildren();
    if (!isSame) list.scrollTop = 0;
    append(page);
    if (focused) focusRow(focused);
    if (isSame) showSelection();
    else clearSelection();
    list.removeAttribute("aria-busy");
    watch(query, page.headers);
    showEvents(meanwhile.splice(0));
    if (!page.data.length) state.replaceChildren(emptyQueue(filtersOf(), await counted));
  } catch (error) {
    if (!isAbort(error)) fail(error);
  }
}

const pageAsShown = () => Math.min(LARGEST_PAGE, Math.max(PAGE, shownRows()));

// Shows what others changed: in the rows that there are, and where rows are missing, by asking for them.
export function showEvents(events) {
  if (list.hasAttribute("aria-busy")) return meanwhile.push(...events);
  if (!events.length) return;
  let mayBeMissing = false;
  for (const event of events) {
    const id = event.ticket_id;
    const ticket = shownTicket(id);
    if (event.type === "ticket.deleted") removeRow(id);
    else if (event.version === ticket?.version + 1) replaceRow(afterEvent(ticket, event));
    else if (!(event.version <= ticket?.version)) mayBeMissing ||= mayFit(event);
  }
  showSelection();
  if (shown !== null && !shownRows() && !state.hasChildNodes()) return refresh();
  if (mayBeMissing) findRowsSoon();
  countSoon();
}

// Whether a ticket may be in the list. A new one has all its fields in the event.
function mayFit(event) {
  const unset = { requester: null, assignee: null, tags: [] };
  return event.type !== "ticket.created" || fits(afterEvent(unset, event), filtersOf());
}

const findRowsSoon = throttled(() => 2000, findRows);
const countSoon = throttled(() => (filtersOf().search ? 30_000 : 5000), () => {
  forgetCounts();
  count({ isQuiet: true });
});

// Adds the rows of tickets that have come into the list, or offers to, if that would move what is read or selected.
async function findRows() {
  const { signal } = pending;
  if (list.hasAttribute("aria-busy") || shown === null) return;
  try {
    const query = `${shown}&limit=${pageAsShown()}`;
    const { data, headers } = await request("GET", "", { query, signal, inBackground: true });
    if (!shownRows()) return data.length && refresh();
    for (const ticket of data) if (shownTicket(ticket.id)?.version < ticket.version) replaceRow(ticket);
    const isShown = ({ id }) => shownTicket(id);
    const end = next ? data.findLastIndex(isShown) : data.length; // what follows is on a page that is not loaded
    const isAll = next ? end >= 0 : !nextPage(headers);
    const missing = data.slice(0, isAll ? end : data.length).filter((ticket) => !isShown(ticket));
    if (isRead()) return offer(missing.length);
    if (!isAll) return refresh();
    for (const ticket of missing.toReversed()) insertRow(ticket, data[data.indexOf(ticket) + 1]?.id);
    offer(0);
    if (missing.length) reportRows(missing.length);
    showSelection();
  } catch {
    // The user did not start this request.
  }
}

// Whether new rows would move what someone reads, points at or has selected.
function isRead() {
  const isScrolled = rows.getBoundingClientRect().top < find(".list-head").getBoundingClientRect().bottom - 1;
  return isScrolled || rows.matches(":hover, :focus-within") || selectedTickets().length > 0;
}

// Shows why a list was not loaded. The rows of before stay, if the filters are valid, and it tries again by itself.
function fail(problem) {
  list.removeAttribute("aria-busy");
  stopWatching();
  shown = null; // so that showing it again retries
  state.replaceChildren();
  if (!problem.isTemporary) {
    rows.replaceChildren();
    showSelection();
    total.textContent = "";
  } else {
    const again = () => document.visibilityState === "visible" && reload();
    retry = setTimeout(again, 1000 * (problem.retryAfter ?? RETRY));
  }
  if (notice.textContent.includes(problem.detail)) return; // once is enough, also for screen readers
  const old = shownRows() > 0 && element("p", { class: "hint" }, "The list below is as it was before.");
  notice.replaceChildren(failure(problem, reload, old));
}

// Counts the tickets of the list, the facets and the views. Resolves to a counter, or null if that failed.
async function count({ isQuiet = false } = {}) {
  const filters = filtersOf();
  const stats = counter(pending.signal, isQuiet);
  const { signal } = pending;
  try {
    countViews(stats);
    const [found, facets] = await Promise.all([stats(filters), facetCounts(filters, stats)]);
    if (signal.aborted) return stats;
    listCounted(found.total_tickets);
    total.setAttribute("aria-live", isQuiet ? "off" : "polite");
    total.textContent = found.total_tickets === 1 ? "1 ticket" : `${number(found.total_tickets)} tickets`;
    showFacetCounts(facets);
    return stats;
  } catch (error) {
    if (!isAbort(error)) total.textContent = ""; // the list itself shows the error
    return null;
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
  appendRows(page.data);
  showSelection();
  next = nextPage(page.headers);
  more.hidden = !next;
  endObserver.unobserve(more); // observe again: a tall window needs several pages
  endObserver.observe(more);
}

const endObserver = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && loadMore(), {
  rootMargin: "800px",
  scrollMargin: "800px",
});

// Counts again after a change of a ticket.
export function recount() {
  forgetCounts();
  count();
}

export function ticketDeleted(id) {
  removeRow(id);
  showSelection();
  if (shownRows() || next) recount();
  else reload();
}

const exportQuery = () => {
  const query = apiQuery({ ...filtersOf(), sort: "" });
  query.set("format", "csv");
  return query;
};

export function startQueue() {
  startRows();
  more.addEventListener("click", loadMore);
  find("#refresh").addEventListener("click", reload);
  find("#fresh").addEventListener("click", () => {
    find("#refresh").focus(); // the button disappears
    reload();
  });
  find("#export").addEventListener("click", download);
}
