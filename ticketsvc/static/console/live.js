// Says whether changes appear by themselves (feed.js), and how many new tickets there are: above the list and in the title.
// Without the feed it looks for new tickets while the page is visible.

import { request } from "./api.js";
import { find, throttled } from "./dom.js";
import { number } from "./labels.js";

const INTERVAL = 15_000; // milliseconds
const LONGEST_INTERVAL = 300_000;
const [button, indicator, report] = ["#fresh", "#live", "#live-report"].map((id) => find(id));
let isLive = false;
let watched = null; // { query, before: how many there were when the list was loaded }
let interval = INTERVAL;
let timer;
let title = document.title;
let fresh = 0;
let unreported = 0;

export function setTitle(text) {
  title = text;
  document.title = fresh ? `(${fresh}) ${title}` : title;
}

export const newTickets = (count) => `${number(count)} new ${count === 1 ? "ticket" : "tickets"}`;

// Offers to show new tickets that would move what is read.
export function offer(count) {
  fresh = count;
  button.hidden = !count;
  button.textContent = count ? `${newTickets(count)}: show` : "";
  setTitle(title);
}

// Tells screen readers how many rows appeared by themselves.
export function reportRows(count) {
  unreported += count;
  reportSoon();
}

const reportSoon = throttled(() => 10_000, () => {
  report.textContent = newTickets(unreported);
  unreported = 0;
});

// Shows whether changes appear by themselves. If they do not, it looks for new tickets.
export function setLive(is) {
  indicator.hidden = false;
  indicator.classList.toggle("on", is);
  indicator.title = is ? "Changes appear by themselves" : "Changes appear when you refresh the list";
  find("span", indicator).textContent = is ? "Live" : "Not live";
  if (is === isLive) return;
  isLive = is;
  lookLater();
}

// Watches the list that a response has just shown. The clock of the service decides what is new.
export async function watch(query, headers) {
  const parameters = new URLSearchParams(query);
  const now = new Date(headers.get("Date") ?? Date.now()).toISOString();
  const [from, to] = ["created_since", "created_before"].map((name) => parameters.get(name) ?? "");
  stopWatching();
  offer(0);
  if (to && to <= now) return;
  parameters.set("created_since", from > now ? from : now);
  for (const [name, value] of Object.entries({ sort: "-created_at", limit: 1, count: true })) parameters.set(name, value);
  const started = { query: parameters.toString(), before: null };
  watched = started;
  interval = INTERVAL;
  if (!isLive) await check();
}

export function stopWatching() {
  clearTimeout(timer);
  watched = null;
}

// Looks once, and again after the interval. The first look counts what the list already has of the current second.
async function check() {
  const current = watched;
  if (!current) return;
  try {
    const { headers } = await request("GET", "", { query: current.query, inBackground: true });
    if (watched !== current) return;
    const found = Number(headers.get("X-Total-Count"));
    current.before = Math.min(current.before ?? found, found); // fewer: some were changed or deleted
    offer(found - current.before);
    interval = INTERVAL;
  } catch (problem) {
    if (watched !== current) return;
    if (!problem.isTemporary) return stopWatching(); // such as a revoked key: the user's next request says so
    interval = Math.max(1000 * problem.retryAfter, Math.min(2 * interval, LONGEST_INTERVAL));
  }
  lookLater();
}

function lookLater() {
  clearTimeout(timer);
  if (watched && !isLive) timer = setTimeout(() => document.visibilityState === "visible" && check(), interval);
}
