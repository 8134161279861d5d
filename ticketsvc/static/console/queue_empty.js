// What stands in place of an empty list: what to do next.

import { go } from "./address.js";
import { element } from "./dom.js";
import { areEqual, asParameters, clearFilters, WORK } from "./filters.js";
import { number } from "./labels.js";
import { empty } from "./notices.js";

const button = (text, click) => element("button", { type: "button", click }, text);

// `stats` is a counter, or null.
export function emptyQueue(filters, stats) {
  const place = element("div", null);
  const show = (all) => place.replaceChildren(noticeFor(filters, all?.total_tickets));
  if (stats) stats({}).then(show, () => show(null));
  else show(null);
  return place;
}

function noticeFor(filters, all) {
  if (all === 0) return firstTicket();
  if (areEqual(filters, WORK)) {
    const text = `No ticket is open or in progress. ${all ? `All ${number(all)} tickets are resolved or closed.` : ""}`;
    return empty("Nothing to do", text, button("Show all tickets", clearFilters));
  }
  const search = { search: filters.search, search_in: filters.search_in };
  const isNarrowed = filters.search && !areEqual(search, { ...filters, sort: "" });
  return empty(
    "No matching tickets",
    "No ticket matches the search and all filters.",
    filters.search &&
      !filters.search_in &&
      button("Search comments, too", () => go(asParameters({ ...filters, search_in: "all" }))),
    isNarrowed && button("Search all tickets", () => go(asParameters(search))),
    button("Clear all filters", clearFilters),
  );
}

function firstTicket() {
  const body = '{"title": "Charged twice", "description": "My card was charged twice for the May invoice."}';
  const curl = `curl ${new URL("api/tickets/", location.href.split("?")[0])} \\\n  -H 'Content-Type: application/json' \\\n  -d '${body}'`;
  return empty(
    "No tickets yet",
    "Tickets that are created here or through the API appear in this list.",
    element("a", { href: "?view=file", "data-internal": true, class: "button primary" }, "New ticket"),
    element("p", null, "To create one through the API:"),
    command(curl),
    element("p", null, "To load 200 sample tickets, on the computer of the service:"),
    command("script/flask tickets demo 200"),
  );
}

const command = (text) => element("pre", { class: "command", tabindex: 0 }, element("code", null, text));
