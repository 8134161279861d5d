// The filters of the queue, as a form, as parameters of the page's URL and as parameters of the API.
//   status, category, priority: comma-separated; search; sort; within: days; from, to: local dates, both inclusive.

import { address, go } from "./address.js";
import { debounced, element, find } from "./dom.js";
import { inWords, label, VALUES } from "./labels.js";
import { localDate, startOf } from "./times.js";

const NAMES = ["status", "category", "priority", "search", "sort", "within", "from", "to"];
const form = find("#filters");
const WIDE = matchMedia("(min-width: 1081px)"); // the filters are always visible: tickets.css
let typing = false; // typing a search is one step of the browser's history

export const isFiltered = (parameters) => NAMES.some((name) => name !== "sort" && parameters.get(name));

export const clearFilters = () => go(Object.fromEntries(NAMES.map((name) => [name, null])));

// Converts the parameters of the URL to those of the API.
export function apiQuery(parameters) {
  const query = new URLSearchParams();
  const set = (name, value) => value && query.set(name, value);
  for (const name of ["status", "category", "priority", "search", "sort"]) set(name, parameters.get(name));
  const days = Number(parameters.get("within"));
  const from = days ? localDate(1 - days) : parameters.get("from");
  if (from) set("created_since", startOf(from) ?? from);
  const to = parameters.get("to");
  if (to && !days) set("created_before", startOf(to, 1) ?? to);
  return query;
}

// Returns the words to highlight: those that a search includes.
export function searchWords(search) {
  const found = (search ?? "").matchAll(/(^|\s)(-?)(?:"([^"]*)"?|(\S+))/g);
  return [...found].map((match) => !match[2] && (match[3] ?? match[4])).filter(Boolean);
}

export function startFilters() {
  for (const name of ["status", "priority", "category"]) {
    find(`#filter-${name}`).append(
      ...VALUES[name].map((value) =>
        element("label", { class: "choice" }, element("input", { type: "checkbox", name, value }), label(name, value)),
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
  const changes = {
    ...Object.fromEntries(["status", "category", "priority"].map((name) => [name, fields.getAll(name).join(",")])),
    search: fields.get("search").trim(),
    sort: fields.get("sort"),
    within: isBetween ? "" : fields.get("within"),
    from: isBetween ? fields.get("from") || localDate() : "",
    to: isBetween ? fields.get("to") : "",
  };
  const before = address();
  if (NAMES.every((name) => (before.get(name) ?? "") === changes[name])) return;
  const isSearch = changes.search !== (before.get("search") ?? "");
  go(changes, { replace });
  typing = isSearch;
}

// Updates the form from the parameters of the URL.
export function showFilters(parameters) {
  for (const box of form.querySelectorAll("input[type=checkbox]")) {
    box.checked = (parameters.get(box.name) ?? "").split(",").includes(box.value);
  }
  const given = parameters.get("search") ?? "";
  if (form.search.value.trim() !== given) form.search.value = given; // keep a trailing space that is being typed
  form.sort.value = parameters.get("sort") ?? "";
  const isBetween = Boolean(parameters.get("from") || parameters.get("to"));
  form.within.value = isBetween ? "between" : (parameters.get("within") ?? "");
  find("#between").hidden = !isBetween;
  form.from.value = parameters.get("from") ?? "";
  form.to.value = parameters.get("to") ?? "";
  find("#clear").hidden = !isFiltered(parameters);
  const set = NAMES.filter((name) => !["search", "sort"].includes(name) && parameters.get(name));
  find("#filter-summary").textContent = set.length
    ? `Filters: ${set.map(inWords).join(", ").toLowerCase()}`
    : "Filters";
  typing &&= document.activeElement === form.search;
}
