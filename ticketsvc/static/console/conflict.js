// An edit conflict: someone else changed the ticket first. Shows both changes, and lets the user apply or discard their
// own. The change is sent again with the ETag of the version shown here, so nothing is overwritten unseen.

import { element } from "./dom.js";
import { changedFields, changedValue } from "./fields.js";
import { inWords } from "./labels.js";
import { time } from "./times.js";
import { change, historyOf } from "./ticket_history.js";

// Resolves to true if the user applies the change `wanted` to `now`, and to false if they discard it.
export async function resolveConflict(place, before, now, wanted) {
  const theirs = changedFields(before, now);
  const author = await lastAuthor(now);
  return new Promise((resolve) => {
    const decide = (isApplied) => () => {
      place.replaceChildren();
      resolve(isApplied);
    };
    const notice = element(
      "section",
      { class: "notice conflict", role: "alertdialog", "aria-labelledby": "conflict-title", tabindex: -1 },
      element("h2", { id: "conflict-title" }, "Someone else changed this ticket"),
      element("p", null, "Your change has not been saved yet."),
      element("h3", null, "Their change", author),
      theirs.map((field) => change(field, before[field], now[field])),
      !theirs.length && element("p", null, "All fields are as you saw them."),
      element("h3", null, "Your change"),
      Object.entries(wanted).map(([field, value]) => change(field, now[field], changedValue(now, field, value))),
      overlap(theirs, wanted),
      element(
        "div",
        { class: "buttons" },
        element("button", { type: "button", class: "primary", click: decide(true) }, "Apply my change"),
        element("button", { type: "button", click: decide(false) }, "Discard my change"),
      ),
    );
    place.replaceChildren(notice);
    notice.focus();
  });
}

function overlap(theirs, wanted) {
  const both = theirs.filter((field) => field in wanted).map((field) => inWords(field).toLowerCase());
  return (
    both.length > 0 &&
    element("p", { class: "error" }, `Both change the ${both.join(" and the ")}: applying yours replaces theirs.`)
  );
}

async function lastAuthor(now) {
  try {
    const { data } = await historyOf(now.id, { query: "limit=500" });
    const entry = data.find((each) => each.version === now.version);
    return entry && element("small", null, entry.by && ` by ${entry.by}`, ", ", time(entry.at));
  } catch {
    return null; // the author is optional information
  }
}
