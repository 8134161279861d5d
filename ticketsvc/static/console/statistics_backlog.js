// What is to do now, how old it is, and whether it grows.

import { queueLink } from "./address.js";
import { element } from "./dom.js";
import { asParameters } from "./filters.js";
import { number } from "./labels.js";
import { changeText, sumOf } from "./statistics_sums.js";
import { age, exactTime } from "./times.js";

export function backlog([work, [oldest]], { category }) {
  if (!work.total_tickets) return null;
  const link = (status) => queueLink(asParameters({ status, category, sort: "-priority" }));
  const oldestAge = oldest ? age((Date.now() - new Date(oldest.created_at)) / 1000) : "none";
  const note = oldest && ["since ", exactTime(oldest.created_at)];
  return totals(
    fact("Open", number(work.open_tickets), { href: link("open") }),
    fact("In progress", number(work.total_tickets - work.open_tickets), { href: link("in_progress") }),
    fact("Oldest", oldestAge, { href: oldest && `?ticket=${oldest.id}`, note }),
  );
}

export function flow([{ days }, { days: before }], { category }) {
  const [created, resolved] = ["created", "resolved"].map((kind) => sumOf(days, kind, category));
  const [createdBefore, resolvedBefore] = ["created", "resolved"].map((kind) => sumOf(before, kind, category));
  if (!created && !resolved) return null;
  return totals(
    fact("Created", number(created), { note: changeText(created, createdBefore) }),
    fact("Resolved", number(resolved), { note: changeText(resolved, resolvedBefore) }),
    fact("Trend", ...trend(created - resolved)),
  );
}

const totals = (...facts) => element("dl", { class: "totals" }, facts);

function fact(name, value, { href, note, kind } = {}) {
  return element(
    "div",
    { class: kind },
    element("dt", null, name),
    element("dd", null, href ? element("a", { href, "data-internal": true }, value) : value),
    note && element("dd", { class: "note" }, note),
  );
}

// Tells whether the backlog grows. A ticket that is opened again counts as resolved once, so this is no exact balance.
function trend(difference) {
  if (!difference) return ["±0", { note: "the backlog is steady" }];
  const kind = difference > 0 ? "growing" : "shrinking";
  return [`${difference > 0 ? "+" : "−"}${number(Math.abs(difference))}`, { kind, note: `the backlog is ${kind}` }];
}
