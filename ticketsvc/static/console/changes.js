// Changes of several tickets: each by a request of its own with its ETag, a few at a time, or all tickets that match
// filters at once.

import { request } from "./api.js";
import { areSame } from "./fields.js";

const CONCURRENT = 4;

// What can be done with several tickets. `field` names a field, "add_tags" or "remove_tags", as in the API.
export function changesOf(ticket, field, value) {
  const tags = {
    add_tags: () => [...new Set([...ticket.tags, ...value])].sort(),
    remove_tags: () => ticket.tags.filter((tag) => !value.includes(tag)),
  }[field]?.();
  const [name, wanted] = tags ? ["tags", tags] : [field, value];
  return areSame(ticket[name], wanted) ? {} : { [name]: wanted };
}

// Sends the changes of each ticket, as `changes(ticket)` returns them. Calls `progress` after each. Resolves to
// { changed: [{ before, after }], conflicts: [ticket], failed: [{ ticket, problem }] }.
export async function changeEach(tickets, changes, progress) {
  const outcome = { changed: [], conflicts: [], failed: [] };
  const waiting = [...tickets];
  const work = async () => {
    for (let ticket = waiting.shift(); ticket; ticket = waiting.shift()) {
      await changeOne(ticket, changes(ticket), outcome);
      progress();
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, work));
  return outcome;
}

async function changeOne(before, body, outcome) {
  if (!Object.keys(body).length) return;
  try {
    const headers = { "If-Match": `"${before.version}"` };
    const { data } = await request("PATCH", before.id, { body, headers });
    outcome.changed.push({ before, after: data });
  } catch (problem) {
    if (problem.status === 412) outcome.conflicts.push(before);
    else outcome.failed.push({ ticket: before, problem });
  }
}

// Changes all tickets that match a query, in one transaction. Resolves to how many tickets that changes.
export async function changeMatching(query, body, { isDryRun = false } = {}) {
  const parameters = new URLSearchParams(query);
  parameters.delete("sort");
  if (isDryRun) parameters.set("dry_run", "true");
  const { data } = await request("PATCH", "", { query: parameters.toString(), body });
  return data.changed;
}
