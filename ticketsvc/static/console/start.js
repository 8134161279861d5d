// The entry point: shows the view that the URL names and defines the shortcuts.

import { address, followLinks, go } from "./address.js";
import { find } from "./dom.js";
import { resetForm, showFiling, startFiling } from "./filing.js";
import { showFilters, startFilters } from "./filters.js";
import { startKey } from "./key.js";
import { move, reload, showQueue, startQueue } from "./queue.js";
import { startShortcuts } from "./shortcuts.js";
import { showStatistics, startStatistics } from "./statistics.js";
import { checkForChanges, closeTicket, isOpen, openPanel, showTicket } from "./ticket.js";
import { startDeleteDialog } from "./ticket_panel.js";

const VIEWS = { queue: "Queue", file: "New ticket", statistics: "Statistics" };
let view = null;

function show() {
  const parameters = address();
  const wanted = parameters.get("view");
  const before = view;
  view = Object.hasOwn(VIEWS, wanted ?? "") ? wanted : "queue";
  document.title = view === "queue" ? "Tickets" : `${VIEWS[view]} · Tickets`;
  for (const name of Object.keys(VIEWS)) find(`#view-${name}`).hidden = name !== view;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.body.dataset.view = view;
  showTicket(view === "queue" ? parameters.get("ticket") : null);
  if (view === "queue") {
    showFilters(parameters);
    showQueue(parameters);
  }
  if (view === "file" && before !== view) showFiling();
  if (view === "statistics") showStatistics(parameters);
}

const inQueue = (action) => () => (view === "queue" ? action() : false);
const inTicket = (action) => inQueue(() => (openPanel() ? action(openPanel()) : false));
const open = (name) => () => go({ view: name, ticket: null });

startFilters();
startQueue();
startFiling();
startStatistics();
startDeleteDialog();
startKey(resetForm);
followLinks();
startShortcuts([
  {
    keys: ["/"],
    text: "Search",
    action: () => {
      if (view !== "queue") go({ view: null });
      find("#search").select();
    },
  },
  { keys: ["j"], text: "Next ticket in the queue", action: inQueue(() => step(1)) },
  { keys: ["k"], text: "Previous ticket in the queue", action: inQueue(() => step(-1)) },
  { keys: ["Enter"], text: "Open the ticket", action: () => false }, // rows are links
  { keys: ["Esc"], text: "Close the ticket or leave the search", action: inQueue(leave) },
  { keys: ["s"], text: "Change the status", action: inTicket((panel) => panel.focusField("status")) },
  { keys: ["p"], text: "Change the priority", action: inTicket((panel) => panel.focusField("priority")) },
  { keys: ["c"], text: "Change the category", action: inTicket((panel) => panel.focusField("category")) },
  { keys: ["e"], text: "Edit the title and the description", action: inTicket((panel) => panel.startEdit()) },
  { keys: ["d"], text: "Delete the ticket", action: inTicket((panel) => void panel.confirmDelete()) },
  { keys: ["r"], text: "Refresh the queue", action: inQueue(() => void reload()) },
  { keys: ["n"], text: "New ticket", action: open("file") },
  { keys: ["q"], text: "Go to the queue", action: open(null) },
  { keys: ["t"], text: "Go to the statistics", action: open("statistics") },
]);
addEventListener("address", show);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && checkForChanges());
show();

// Opens the next ticket if one is open, otherwise moves the focus.
function step(by) {
  const row = move(by);
  if (row && isOpen()) row.click();
}

function leave() {
  const active = document.activeElement;
  if (active === find("#search")) active.blur();
  else if (isOpen()) closeTicket();
  else return false;
}
