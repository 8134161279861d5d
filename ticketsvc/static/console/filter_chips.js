// The filters for a requester, an assignee and tags: chips that can be removed, a field that adds one, and buttons in a
// ticket that filter by what it has.

import { go } from "./address.js";
import { element, find } from "./dom.js";
import { asParameters, filtersOf, PEOPLE } from "./filters.js";

const NAMES = { requester: "Requester", assignee: "Assignee", tags_all: "Tag" };
const NARROW = matchMedia("(max-width: 720px)"); // the ticket covers the list: tickets.css
const [chips, form] = ["#filter-chips", "#add-filter"].map((id) => find(id));

const valuesOf = (name, filters) =>
  name === "tags_all" ? (filters[name] || "").split(",").filter(Boolean) : [filters[name]];

// Adds a filter to those of the list. A ticket has one requester and one assignee, but several tags.
export function filterBy(name, value) {
  const filters = { ...filtersOf(), [name]: value };
  if (name === "assignee") delete filters.assigned;
  if (name === "tags_all") filters.tags_all = [...new Set([...valuesOf(name, filtersOf()), value])].join(",");
  go({ ...asParameters(filters), ...(NARROW.matches && { ticket: null }) });
  if (NARROW.matches) find("button", chips).focus();
}

// Returns a button in a ticket that filters by a value.
export const filterButton = (name, value) =>
  element(
    "button",
    {
      type: "button",
      class: "filter-by",
      title: "Only tickets with this",
      dir: "auto",
      click: () => filterBy(name, value),
    },
    value,
  );

function remove(name, value) {
  const filters = filtersOf();
  const kept = valuesOf(name, filters).filter((each) => each !== value);
  go(asParameters({ ...filters, [name]: kept.join(",") }));
  (find("button", chips) ?? find("#search")).focus();
}

// Shows the filters as chips.
export function showChips(filters) {
  const made = PEOPLE.filter((name) => filters[name]).flatMap((name) =>
    valuesOf(name, filters).map((value) => chip(name, value)),
  );
  chips.hidden = !made.length;
  chips.replaceChildren(...made);
}

function chip(name, value) {
  const text =
    name === "assigned"
      ? [value === "false" ? "Unassigned" : "Assigned"]
      : [NAMES[name], " ", element("bdi", null, value)];
  const button = {
    type: "button",
    "aria-label": `Remove the filter ${name === "assigned" ? text[0] : `${NAMES[name]} ${value}`}`,
    click: () => remove(name, value),
  };
  return element("li", { class: "chip" }, element("span", null, text), element("button", button, "×"));
}

export function startChips() {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const value = form.value.value.trim();
    if (!value) return;
    form.value.value = "";
    const name = form.by.value;
    filterBy(name, name === "tags_all" ? value.toLowerCase() : value);
  });
}
