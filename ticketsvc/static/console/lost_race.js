// A change that came too late: somebody else's was there first. Shows both, and lets a person apply theirs on top or
// drop it. Nothing is overwritten unseen: applied again, the change carries the ETag of what is shown here.

import { element } from "./dom.js";
import { inWords } from "./labels.js";
import { time } from "./times.js";
import { change, historyOf } from "./ticket_history.js";

const FIELDS = ["status", "category", "priority", "title", "description"];

// Resolves to true: apply `wanted` on top of `now`; false: drop it.
export async function askAboutRace(place, before, now, wanted) {
  const theirs = FIELDS.filter((field) => before[field] !== now[field]);
  const author = await lastAuthor(now);
  return new Promise((resolve) => {
    const decide = (answer) => () => {
      place.replaceChildren();
      resolve(answer);
    };
    const notice = element(
      "section",
      { class: "notice race", role: "alertdialog", "aria-labelledby": "race-title", tabindex: -1 },
      element("h2", { id: "race-title" }, "Somebody else was faster"),
      element("p", null, "This ticket was changed while you were changing it. Your change was not saved yet."),
      element("h3", null, "Their change", author),
      theirs.map((field) => change(field, before[field], now[field])),
      !theirs.length && element("p", null, "It left every field as you saw it."),
      element("h3", null, "Your change"),
      Object.keys(wanted).map((field) => change(field, now[field], wanted[field])),
      overlap(theirs, wanted),
      element(
        "div",
        { class: "buttons" },
        element("button", { type: "button", class: "primary", click: decide(true) }, "Apply mine on top"),
        element("button", { type: "button", click: decide(false) }, "Drop mine"),
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
    element("p", { class: "fault" }, `Both change the ${both.join(" and the ")}: applying yours replaces theirs.`)
  );
}

async function lastAuthor(now) {
  try {
    const { data } = await historyOf(now.id, { query: "limit=500" });
    const entry = data.find((happened) => happened.event === "changed" && happened.version === now.version);
    return entry && element("small", null, entry.by && ` by ${entry.by}`, ", ", time(entry.at));
  } catch {
    return null; // who it was is good to know, no more
  }
}
