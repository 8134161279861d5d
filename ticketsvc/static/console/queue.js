// The queue: a list that loads more pages as it is scrolled. Each page links to the next in its Link header.

import { address } from "./address.js";
import { exportAddress, nextPage, request } from "./api.js";
import { counter, facetCounts, forgetCounts } from "./counts.js";
import { download } from "./download.js";
import { element, find } from "./dom.js";
import { apiQuery, filtersOf, showFacetCounts } from "./filters.js";
import { number } from "./labels.js";
import { stopWatching, watch } from "./live.js";
import { failure, isAbort, loading } from "./notices.js";
import { emptyQueue } from "./queue_empty.js";
import { appendRows, focusedRow, focusRow, removeRow, select, shownRows, startRows } from "./queue_rows.js";
import { clearSelection, listCounted, showSelection } from "./selection.js";
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
  [shown, next] = [query, null];
  list.setAttribute("aria-busy", "true");
  more.hidden = true;
  if (!shownRows()) state.replaceChildren(loading(8));
  find("#export").href = exportAddress(exportQuery());
  const counted = count();
  try {
    const limit = isSame ? Math.min(LARGEST_PAGE, Math.max(PAGE, shownRows())) : PAGE;
    const page = await request("GET", "", { query: `${query}&limit=${limit}`, signal });
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
    if (!page.data.length) state.replaceChildren(emptyQueue(filtersOf(), await counted));
  } catch (error) {
    if (!isAbort(error)) fail(error);
  }
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
async function count() {
  const filters = filtersOf();
  const stats = counter(pending.signal);
  const { signal } = pending;
  try {
    countViews(stats);
    const [found, facets] = await Promise.all([stats(filters), facetCounts(filters, stats)]);
    if (signal.aborted) return stats;
    listCounted(found.total_tickets);
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
