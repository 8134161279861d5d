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
export async function showHistory(place, id, signal) {
  if (!place.children.length) place.replaceChildren(loading(2));
  try {
    const entries = element("ol", { class: "history" });
    const page = await historyOf(id, { signal });
    place.replaceChildren(entries);
    addPage(place, entries, id, page, signal);
  } catch (error) {
    if (!isAbort(error)) place.replaceChildren(failure(error, () => showHistory(place, id, signal)));
  }
}

function addPage(place, entries, id, page, signal) {
  entries.append(...page.data.map(entry));
  const query = nextPage(page.headers);
  if (!query) return;
  const more = element("button", { type: "button", class: "quiet" }, "Show later changes");
  more.addEventListener("click", async () => {
    more.disabled = true;
    try {
      const following = await historyOf(id, { query, signal });
      more.remove();
      addPage(place, entries, id, following, signal);
    } catch (error) {
      if (!isAbort(error)) more.replaceWith(failure(error, () => showHistory(place, id, signal)));
    }
  });
  place.append(more);
}

function entry(item) {
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
    item.event === "created" && created(item),
  );
}

function created({ changes, triage }) {
  const named = Object.keys(VALUES).filter((field) => changes[field]?.to);
  const isSuggested = (field) => !["caller", "default"].includes(triage?.[field]?.source ?? "caller");
  const suggested = named.filter(isSuggested).map((field, index) => (index ? field : inWords(field)));
  return [
    element(
      "p",
      { class: "change" },
      named.map((field) => label(field, changes[field].to)),
    ),
    suggested.length > 0 && element("p", { class: "hint" }, `${suggested.join(" and ")} suggested automatically`),
  ].filter(Boolean);
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
