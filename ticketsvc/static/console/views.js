// The named views of the queue: those of the console, and those that the user saved in this browser. A view is a name
// and filters; the address has the filters only, so that it can be shared.

import { withChanges } from "./address.js";
import { announce } from "./announcement.js";
import { element, find, setting } from "./dom.js";
import { areEqual, asParameters, filtersOf, WORK } from "./filters.js";
import { number } from "./labels.js";

const VIEWS = [
  { name: "Open work", filters: WORK },
  { name: "Urgent", filters: { ...WORK, priority: "critical,high" } },
  { name: "Recently changed", filters: { sort: "-updated_at" }, isUncounted: true }, // all tickets, in another order
  { name: "All tickets", filters: {} },
];
const stored = setting("views");
const [list, save, dialog, input] = ["#views", "#save-view", "#view-dialog", "#view-name"].map((id) => find(id));

// Returns the saved views that can be read: another version of the console, or a person, may have written them.
function savedViews() {
  try {
    const views = JSON.parse(stored.get() ?? "[]").filter(({ name, filters }) => name && filters);
    return views.map(({ name, filters }) => ({ name: String(name), filters, isSaved: true }));
  } catch {
    return [];
  }
}

function store(views) {
  stored.set(JSON.stringify(views.map(({ name, filters }) => ({ name, filters }))));
  showViews();
}

// Shows the views and which of them the address is.
export function showViews() {
  const [filters, views] = [filtersOf(), [...VIEWS, ...savedViews()]];
  list.replaceChildren(...views.map((view) => item(view, areEqual(view.filters, filters))));
  save.hidden = views.some((view) => areEqual(view.filters, filters));
}

function item(view, isCurrent) {
  const href = withChanges({ ...asParameters(view.filters), ticket: null, view: null });
  const link = element(
    "a",
    { href, "data-internal": true, "aria-current": isCurrent && "true" },
    element("span", { class: "view-name", dir: "auto" }, view.name),
    element("span", { class: "count" }),
  );
  const remove = () => {
    store(savedViews().filter((each) => each.name !== view.name));
    find("a", list).focus();
    announce(`The view “${view.name}” was removed`);
  };
  const button = { type: "button", class: "quiet remove", "aria-label": `Remove the view ${view.name}`, click: remove };
  return element("li", null, link, view.isSaved && element("button", button, "×"));
}

// Shows how many tickets each view has. `stats` is a counter.
export async function countViews(stats) {
  const views = [...VIEWS, ...savedViews()];
  await Promise.all(
    views.map(async (view, index) => {
      if (view.isUncounted || view.filters.search) return;
      const counted = await stats(view.filters).catch(() => null); // a saved view may have a filter that there is not
      const place = find(`li:nth-child(${index + 1}) .count`, list);
      if (place && counted) place.textContent = number(counted.total_tickets);
    }),
  );
}

export function startViews() {
  save.addEventListener("click", () => {
    input.value = "";
    dialog.showModal();
    input.focus();
  });
  find("form", dialog).addEventListener("submit", (event) => {
    event.preventDefault();
    const name = input.value.trim();
    if (!name) return;
    store([...savedViews().filter((view) => view.name !== name), { name, filters: filtersOf() }]);
    dialog.close();
    announce("The view is saved in this browser");
  });
  find("#view-cancel").addEventListener("click", () => dialog.close());
}
