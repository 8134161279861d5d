// The entry point: shows the view that the URL names and defines the shortcuts.

import { address, followLinks, go } from "./address.js";
import { runOffered, startAnnouncements } from "./announcement.js";
import { startDeletion } from "./deletion.js";
import { find } from "./dom.js";
import { pruneDrafts } from "./drafts.js";
import { startFeed } from "./feed.js";
import { resetForm, showFiling, startFiling } from "./filing.js";
import { filtersOf, showFilters, startFilters } from "./filters.js";
import { showChips, startChips } from "./filter_chips.js";
import { startKey } from "./key.js";
import { setLive, setTitle } from "./live.js";
import { startName } from "./me.js";
import { startNext, takeNext } from "./next_ticket.js";
import { refresh, reload, showEvents, showQueue, startQueue } from "./queue.js";
import { move } from "./queue_rows.js";
import { startSelection, toggleRow } from "./selection.js";
import { focusBar, startSelectionBar } from "./selection_bar.js";
import { startShortcuts } from "./shortcuts.js";
import { showStatistics, startStatistics, updateStatisticsSoon } from "./statistics.js";
import { checkForChanges, closeTicket, isOpen, openPanel, showTicket, showTicketEvents } from "./ticket.js";
import { startViews } from "./views.js";
import { showWebhooks, startWebhooks } from "./webhooks.js";

const VIEWS = { queue: "Queue", file: "New ticket", statistics: "Statistics", webhooks: "Webhooks" };
let view = null;
let isBehind = false; // the queue has missed events

function show() {
  const parameters = address();
  const wanted = parameters.get("view");
  const before = view;
  view = Object.hasOwn(VIEWS, wanted ?? "") ? wanted : "queue";
  setTitle(view === "queue" ? "Tickets" : `${VIEWS[view]} · Tickets`);
  for (const name of Object.keys(VIEWS)) find(`#view-${name}`).hidden = name !== view;
  for (const link of document.querySelectorAll("a[data-view]")) {
    if (link.dataset.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.body.dataset.view = view;
  showTicket(view === "queue" ? parameters.get("ticket") : null);
  if (view === "queue") {
    showFilters(filtersOf(parameters));
    showChips(filtersOf(parameters));
    showQueue();
    if (isBehind) refresh();
    isBehind = false;
  }
  if (view === "file" && before !== view) showFiling();
  if (view === "statistics") showStatistics();
  if (view === "webhooks" && before !== view) showWebhooks();
}

const inQueue = (action) => () => (view === "queue" ? action() : false);
const inTicket = (action) => inQueue(() => (openPanel() ? action(openPanel()) : false));
const openId = () => address().get("ticket");
const open = (name) => () => go({ view: name, ticket: null });

startAnnouncements();
startFilters();
startChips();
startViews();
startQueue();
startSelection();
startSelectionBar();
startNext();
startName();
startFiling();
startStatistics();
startWebhooks();
startDeletion();
pruneDrafts();
startKey(() => {
  resetForm();
  pruneDrafts({ all: true });
});
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
  { keys: ["s"], text: "Change the status", action: inTicket((panel) => panel.openMenu("status")) },
  { keys: ["p"], text: "Change the priority", action: inTicket((panel) => panel.openMenu("priority")) },
  { keys: ["c"], text: "Change the category", action: inTicket((panel) => panel.openMenu("category")) },
  { keys: ["m"], text: "Assign the ticket to me", action: inTicket((panel) => void panel.assignToMe()) },
  { keys: ["a"], text: "Change the assignee", action: inTicket((panel) => panel.editField("assignee")) },
  { keys: ["l"], text: "Change the tags", action: inTicket((panel) => panel.editField("tags")) },
  { keys: ["w"], text: "Write a reply or an internal note", action: inTicket((panel) => panel.startReply()) },
  { keys: ["e"], text: "Edit the title and the description", action: inTicket((panel) => panel.startEdit()) },
  { keys: ["d"], text: "Delete the ticket", action: inTicket((panel) => void panel.confirmDelete()) },
  { keys: ["z"], text: "Undo the last change", action: () => runOffered() },
  { keys: ["g"], text: "Next ticket to work on, assigned to me", action: inQueue(() => void takeNext()) },
  { keys: ["x"], text: "Select the row or not", action: inQueue(() => toggleRow(openId())) },
  { keys: ["X"], text: "Select the rows up to this one", action: inQueue(() => toggleRow(openId(), { toAnchor: true })) },
  { keys: ["b"], text: "Change the selected tickets", action: inQueue(focusBar) },
  { keys: ["r"], text: "Refresh the queue", action: inQueue(() => void reload()) },
  { keys: ["n"], text: "New ticket", action: open("file") },
  { keys: ["q"], text: "Go to the queue", action: open(null) },
  { keys: ["t"], text: "Go to the statistics", action: open("statistics") },
]);
addEventListener("address", show);
addEventListener("name", nameChanged);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && comeBack());
show();
startFeed(({ isLive, isReset, events = [] }) => {
  setLive(isLive);
  if (isReset) return comeBack();
  showTicketEvents(events);
  if (view === "queue") showEvents(events);
  else if (events.length) isBehind = true;
  if (view === "statistics" && events.length) updateStatisticsSoon();
});

// Shows what changed while another tab was visible, or that the feed has missed.
function comeBack() {
  checkForChanges();
  if (view === "queue") refresh();
  else isBehind = true;
}

function nameChanged() {
  openPanel()?.showName();
  if (view === "queue") showQueue();
}

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
