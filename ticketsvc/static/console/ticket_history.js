// The history of a ticket, oldest entry first. The entry of its creation says which labels triage set.

import { nextPage, request } from "./api.js";
import { difference } from "./difference.js";
import { element } from "./dom.js";
import { inWords, label, VALUES } from "./labels.js";
import { failure, isAbort, loading } from "./notices.js";
import { timeAndAgo } from "./times.js";

const EVENTS = { created: "Created", changed: "Changed", deleted: "Deleted" };

export const historyOf = (id, options) => request("GET", `${id}/history`, options);

// Shows a ticket's history in an element. Loads further pages on request.
export async function showHistory(place, ticket, signal) {
  if (!place.children.length) place.replaceChildren(loading(2));
  try {
    const entries = element("ol", { class: "history" });
    const page = await historyOf(ticket.id, { signal });
    place.replaceChildren(entries);
    addPage(place, entries, ticket, page, signal);
  } catch (error) {
    if (!isAbort(error)) place.replaceChildren(failure(error, () => showHistory(place, ticket, signal)));
  }
}

function addPage(place, entries, ticket, page, signal) {
  entries.append(...page.data.map(entry));
  const query = nextPage(page.headers);
  if (!query) return;
  const more = element("button", { type: "button", class: "quiet" }, "Show later changes");
  more.addEventListener("click", async () => {
    more.disabled = true;
    try {
      const following = await historyOf(ticket.id, { query, signal });
      more.remove();
      addPage(place, entries, ticket, following, signal);
    } catch (error) {
      if (!isAbort(error)) more.replaceWith(failure(error, () => showHistory(place, ticket, signal)));
    }
  });
  place.append(more);
}

function entry(item, ticket) {
  const changes = item.event === "created" ? [] : Object.entries(item.changes);
  return element(
    "li",
    { class: `event ${item.event}` },
    element(
      "p",
      null,
      element("strong", null, EVENTS[item.event] ?? inWords(item.event)),
      item.by && ` by ${item.by}`,
      ", ",
      timeAndAgo(item.at),
    ),
    changes.map(([field, { from, to }]) => change(field, from, to)),
    item.event === "created" && created(item.changes, ticket),
  );
}

function created(fields, ticket) {
  const named = Object.keys(VALUES).filter((field) => fields[field]?.to);
  const suggested = named.filter((field) => isSuggested(fields[field].to, ticket[field], ticket.triage?.[field]));
  const names = suggested.map((field) => inWords(field)).join(" and ");
  return [
    element(
      "p",
      { class: "change" },
      named.map((field) => label(field, fields[field].to)),
    ),
    suggested.length > 0 && element("p", { class: "hint" }, `${names} suggested automatically`),
  ].filter(Boolean);
}

// Returns whether triage set the first label. A ticket that was classified later keeps its label and has no correction.
function isSuggested(first, current, decision) {
  if (!decision || decision.source === "default") return false;
  if (decision.source !== "caller") return first === current;
  return first === decision.suggested && first !== current;
}

// Shows the change of one field: old and new value, or the difference of two texts.
export function change(field, from, to) {
  if (field in VALUES) {
    const values = [label(field, from), element("span", { class: "arrow" }, " → "), label(field, to)];
    return element("p", { class: "change" }, element("span", { class: "name" }, inWords(field)), values);
  }
  const text = from == null && to == null ? element("p", { class: "hint" }, "Text removed") : difference(from, to);
  return element("div", { class: "change long" }, element("span", { class: "name" }, inWords(field)), text);
}
