// The named views of the queue: those of the console, and those that the user saved in this browser. A view is a name
// and filters; the address has the filters only, so that it can be shared.

import { go, withChanges } from "./address.js";
import { announce } from "./announcement.js";
import { element, find, setting } from "./dom.js";
import { areEqual, asParameters, filtersOf, WORK } from "./filters.js";
import { number } from "./labels.js";
import { askName, me, meOrAsk } from "./me.js";

const BUILT_IN = [
  { name: "Open work", filters: WORK },
  { name: "Mine", isMine: true },
  { name: "Unassigned", filters: { ...WORK, assigned: "false" } },
  { name: "Urgent", filters: { ...WORK, priority: "critical,high" } },
  { name: "Recently changed", filters: { sort: "-updated_at" }, isUncounted: true }, // all tickets, in another order
  { name: "All tickets", filters: {} },
];
const stored = setting("views");
const [list, save, dialog, input] = ["#views", "#save-view", "#view-dialog", "#view-name"].map((id) => find(id));

// What is assigned to the user. Without a name it has no filters.
const mine = () => (me() ? { ...WORK, assignee: me() } : null);
const allViews = () => [
  ...BUILT_IN.map((view) => (view.isMine ? { ...view, filters: mine() } : view)),
  ...savedViews(),
];

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
  const [filters, views] = [filtersOf(), allViews()];
  const isCurrent = (view) => view.filters !== null && areEqual(view.filters, filters);
  const focused = [...list.querySelectorAll("a, button")].indexOf(document.activeElement);
  list.replaceChildren(...views.map((view) => item(view, isCurrent(view))));
  [...list.querySelectorAll("a, button")][focused]?.focus();
  save.hidden = views.some(isCurrent);
}

function item(view, isCurrent) {
  const href = withChanges({ ...asParameters(view.filters ?? {}), ticket: null, view: null });
  const link = element(
    "a",
    {
      href,
      "data-internal": view.filters !== null,
      click: view.filters === null && askFirst,
      "aria-current": isCurrent && "true",
    },
    element("span", { class: "view-name", dir: "auto" }, view.name),
    element("span", { class: "count" }),
  );
  const remove = () => {
    store(savedViews().filter((each) => each.name !== view.name));
    find("a", list).focus();
    announce(`The view “${view.name}” was removed`);
  };
  const button = { type: "button", class: "quiet remove", "aria-label": `Remove the view ${view.name}`, click: remove };
  return element("li", null, link, view.isSaved && element("button", button, "×"), view.isMine && me() && nameButton());
}

const nameButton = () =>
  element(
    "button",
    {
      type: "button",
      class: "quiet my-name",
      "aria-label": `Change your name, ${me()}`,
      title: "Change your name",
      click: askName,
    },
    element("bdi", null, me()),
  );

// Shows the view of the user's tickets after asking for the name.
async function askFirst(event) {
  event.preventDefault();
  if (await meOrAsk()) go({ ...asParameters(mine()), ticket: null, view: null });
}

// Shows how many tickets each view has. `stats` is a counter.
export async function countViews(stats) {
  await Promise.all(
    allViews().map(async (view, index) => {
      if (view.isUncounted || !view.filters || view.filters.search) return;
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
