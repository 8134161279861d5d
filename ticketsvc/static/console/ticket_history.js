// The history of a ticket, oldest entry first. The entry of its creation says which labels triage set; those of comments
// do not repeat their texts.

import { nextPage, request } from "./api.js";
import { difference } from "./difference.js";
import { element } from "./dom.js";
import { inWords, label, VALUES } from "./labels.js";
import { failure, isAbort, loading } from "./notices.js";
import { ticketLink } from "./similar.js";
import { timeAndAgo } from "./times.js";

const EVENTS = { created: "Created", changed: "Changed", deleted: "Deleted" };
const COMMENT_EVENTS = {
  commented: ["Comment", "Internal note"],
  comment_deleted: ["Comment deleted", "Internal note deleted"],
};
const PEOPLE = ["requester", "assignee"];

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
    element("p", null, element("strong", null, nameOf(item)), by(item), ", ", timeAndAgo(item.at)),
    changes.map(([field, { from, to }]) => change(field, from, to)),
    item.event === "created" && created(item),
  );
}

const nameOf = ({ event, comment }) =>
  COMMENT_EVENTS[event]?.[Number(comment?.internal ?? false)] ?? EVENTS[event] ?? inWords(event);

// Says who caused an entry. The author of a comment may be another name than that of the API key.
function by({ event, by: key, comment }) {
  const author = event === "commented" ? comment?.author : null;
  if (author && key && author !== key) return [" by ", element("bdi", null, author), `, with the key ${key}`];
  return (author ?? key) && [" by ", element("bdi", null, author ?? key)];
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
    ...[...PEOPLE, "tags", "metadata"]
      .filter((field) => changes[field])
      .map((field) => change(field, changes[field].from, changes[field].to)),
    suggested.length > 0 && element("p", { class: "hint" }, `${suggested.join(" and ")} suggested automatically`),
  ].filter(Boolean);
}

// Shows the change of one field: old and new value, or the difference of two texts.
export function change(field, from, to) {
  if (field in VALUES) {
    const values = [label(field, from), element("span", { class: "arrow" }, " → "), label(field, to)];
    return element("p", { class: "change" }, element("span", { class: "name" }, inWords(field)), values);
  }
  if (PEOPLE.includes(field)) return valueChange(inWords(field), from, to);
  if (field === "duplicate_of") return valueChange(inWords(field), from && ticketLink(from, from), to && ticketLink(to, to));
  if (field === "tags") return valueChange("Tags", removed(from, to), removed(to, from));
  if (field === "metadata") {
    const keys = Object.keys({ ...from, ...to }).filter((key) => from?.[key] !== to?.[key]);
    return element(
      "div",
      null,
      keys.map((key) => valueChange(key, from?.[key], to?.[key])),
    );
  }
  const text = from == null && to == null ? element("p", { class: "hint" }, "Text removed") : difference(from, to);
  return element("div", { class: "change long" }, element("span", { class: "name" }, inWords(field)), text);
}

const removed = (tags, others) => (tags ?? []).filter((tag) => !others?.includes(tag)).join(", ");

function valueChange(name, from, to) {
  const values = [
    from && element("del", { dir: "auto" }, from),
    from && to && element("span", { class: "arrow" }, " → "),
    to && element("ins", { dir: "auto" }, to),
  ];
  return element(
    "p",
    { class: "change" },
    element("span", { class: "name" }, element("bdi", null, name)),
    values,
    !from && !to && element("span", { class: "hint" }, "Text removed"),
  );
}
