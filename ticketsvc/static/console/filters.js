// The filters of the queue, as an object, as parameters of the page's URL, as a form and as parameters of the API.
//   status, category, priority, tags_all: comma-separated; requester, assignee: a name; assigned: true or false;
//   search; search_in; sort; within: days; from, to: local dates, both inclusive.

import { address, go } from "./address.js";
import { debounced, element, find } from "./dom.js";
import { inWords, label, number, VALUES } from "./labels.js";
import { localDate, startOf } from "./times.js";

export const FACETS = ["status", "priority", "category"];
export const PEOPLE = ["requester", "assignee", "assigned", "tags_all"]; // shown as chips, see filter_chips.js
const NAMES = [...FACETS, ...PEOPLE, "search", "search_in", "sort", "within", "from", "to"];
const ORDERS = ["sort", "search_in"]; // leave out no ticket by themselves
const NEWEST_FIRST = "-created_at";
export const WORK = { status: "open,in_progress", sort: "-priority" };

const form = find("#filters");
const WIDE = matchMedia("(min-width: 1081px)"); // the filters are always visible: tickets.css
let typing = false; // typing a search is one step of the browser's history

// Returns the filters of a URL. Without any it shows the open work; with some, exactly those, as it always did.
export function filtersOf(parameters = address()) {
  const given = NAMES.filter((name) => parameters.get(name));
  if (!given.length) return WORK;
  const filters = Object.fromEntries(given.map((name) => [name, parameters.get(name)]));
  if (filters.sort === NEWEST_FIRST) delete filters.sort;
  return filters;
}

// Returns the parameters of the URL for filters, the reverse of `filtersOf`.
export function asParameters(filters) {
  const parameters = Object.fromEntries(NAMES.map((name) => [name, filters[name] || null]));
  if (areEqual(filters, WORK)) return { ...parameters, ...Object.fromEntries(Object.keys(WORK).map((name) => [name, null])) };
  if (!NAMES.some((name) => filters[name])) parameters.sort = NEWEST_FIRST;
  return parameters;
}

export const areEqual = (some, others) => NAMES.every((name) => (some[name] || "") === (others[name] || ""));

export const isFiltered = (filters) => NAMES.some((name) => !ORDERS.includes(name) && filters[name]);

export const clearFilters = () => go(asParameters({}));

// Returns whether a ticket has the facets, people and tags that filters ask for. Its texts and times do not change their
// results often.
export function fits(ticket, filters) {
  const isPerson = (name, wanted) => !wanted || name?.toLowerCase() === wanted.toLowerCase();
  return (
    FACETS.every((field) => !filters[field] || filters[field].split(",").includes(ticket[field])) &&
    isPerson(ticket.requester, filters.requester) &&
    isPerson(ticket.assignee, filters.assignee) &&
    (!filters.assigned || String(ticket.assignee !== null) === filters.assigned) &&
    (!filters.tags_all || filters.tags_all.split(",").every((tag) => ticket.tags.includes(tag)))
  );
}

// Converts filters to the parameters of the API.
export function apiQuery(filters) {
  const query = new URLSearchParams();
  const set = (name, value) => value && query.set(name, value);
  for (const name of [...FACETS, ...PEOPLE, "search", "sort"]) set(name, filters[name]);
  if (filters.search) set("search_in", filters.search_in);
  const days = Number(filters.within);
  const from = days ? localDate(1 - days) : filters.from;
  if (from) set("created_since", startOf(from) ?? from);
  if (filters.to && !days) set("created_before", startOf(filters.to, 1) ?? filters.to);
  return query;
}

// Returns the words to highlight: those that a search includes.
export function searchWords(search) {
  const found = (search ?? "").matchAll(/(^|\s)(-?)(?:"([^"]*)"?|(\S+))/g);
  return [...found].map((match) => !match[2] && (match[3] ?? match[4])).filter(Boolean);
}

export function startFilters() {
  for (const name of FACETS) {
    find(`#filter-${name}`).append(
      ...VALUES[name].map((value) =>
        element(
          "label",
          { class: "choice" },
          element("input", { type: "checkbox", name, value }),
          label(name, value),
          element("span", { class: "count", "data-count": `${name} ${value}` }),
        ),
      ),
    );
  }
  const search = debounced(180, () => apply({ replace: typing }));
  form.search.addEventListener("input", () => search());
  form.addEventListener("change", (event) => {
    if (event.target !== form.search) apply();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    search.cancel();
    apply({ replace: typing });
  });
  find("#clear").addEventListener("click", clearFilters);
  const facets = find("#facets");
  const openIfWide = () => (facets.open = WIDE.matches);
  WIDE.addEventListener("change", openIfWide);
  openIfWide();
}

function apply({ replace = false } = {}) {
  const fields = new FormData(form);
  const isBetween = fields.get("within") === "between";
  const before = filtersOf();
  const filters = {
    ...Object.fromEntries(PEOPLE.map((name) => [name, before[name]])),
    ...Object.fromEntries(FACETS.map((name) => [name, fields.getAll(name).join(",")])),
    search: fields.get("search").trim(),
    search_in: fields.get("search").trim() && fields.get("search_in"),
    sort: fields.get("sort"),
    within: isBetween ? "" : fields.get("within"),
    from: isBetween ? fields.get("from") || localDate() : "",
    to: isBetween ? fields.get("to") : "",
  };
  if (areEqual(before, filters)) return;
  const isSearch = filters.search !== (before.search ?? "");
  go(asParameters(filters), { replace });
  typing = isSearch;
}

// Updates the form from the filters.
export function showFilters(filters) {
  for (const box of form.querySelectorAll("input[type=checkbox]")) {
    box.checked = (filters[box.name] ?? "").split(",").includes(box.value);
  }
  const given = filters.search ?? "";
  if (form.search.value.trim() !== given) form.search.value = given; // keep a trailing space that is being typed
  form.search_in.value = filters.search_in ?? "";
  form.sort.value = filters.sort ?? "";
  const isBetween = Boolean(filters.from || filters.to);
  form.within.value = isBetween ? "between" : (filters.within ?? "");
  find("#between").hidden = !isBetween;
  form.from.value = filters.from ?? "";
  form.to.value = filters.to ?? "";
  find("#clear").hidden = !isFiltered(filters);
  const set = NAMES.filter((name) => ![...PEOPLE, ...ORDERS, "search"].includes(name) && filters[name]);
  find("#filter-summary").textContent = set.length ? `Filters (${set.length})` : "Filters";
  find("#filter-summary").title = set.map(inWords).join(", ");
  typing &&= document.activeElement === form.search;
}

// Shows how many tickets each value of a facet would leave. Those that are not known stay empty.
export function showFacetCounts(counts) {
  for (const place of form.querySelectorAll("[data-count]")) {
    const [field, value] = place.dataset.count.split(" ");
    const count = counts[field]?.[value];
    place.textContent = count === undefined ? "" : number(count);
    place.classList.toggle("zero", count === 0);
  }
}
