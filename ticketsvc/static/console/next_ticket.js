// Takes the next ticket to work on: the service chooses the most urgent one that nobody has, among those that match the
// filters, and assigns it to the user. No two people get the same one.

import { go } from "./address.js";
import { request } from "./api.js";
import { announce } from "./announcement.js";
import { find } from "./dom.js";
import { apiQuery, filtersOf } from "./filters.js";
import { meOrAsk } from "./me.js";
import { recount } from "./queue.js";

let isRunning = false;

export async function takeNext() {
  if (isRunning) return;
  isRunning = true;
  try {
    const assignee = await meOrAsk();
    if (assignee) await claim(assignee);
  } catch (problem) {
    announce(`No ticket was assigned. ${problem.detail}`);
  }
  isRunning = false;
}

// A claim takes only open tickets without an assignee, so filters for these would only exclude all.
async function claim(assignee) {
  const filters = { ...filtersOf(), status: "", assignee: "", assigned: "", sort: "" };
  const { data } = await request("POST", "claim/", { query: apiQuery(filters).toString(), body: { assignee } });
  if (!data) return announce("No open, unassigned ticket matches the filters");
  go({ view: null, ticket: data.id });
  recount();
  announce("The ticket is assigned to you");
}

export function startNext() {
  find("#next-ticket").addEventListener("click", takeNext);
}
