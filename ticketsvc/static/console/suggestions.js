// Triage while a ticket is written: what would be decided for it, how sure that is, and which words speak for it.

import { call } from "./api.js";
import { element, find } from "./dom.js";
import { inWords, label, percent, SOURCES, VALUES } from "./labels.js";
import { failure, isAbort } from "./notices.js";

const LEAST = 8; // characters: less says nothing
const place = find("#suggestion");
let calls = new AbortController();

export function startSuggestions() {
  for (const field of ["category", "priority"]) {
    const values = VALUES[field].map((value) => element("option", { value }, inWords(value)));
    find(`#filing-${field}`).append(element("option", { value: "" }, "As suggested"), ...values);
  }
}

// The title is read too, as when a ticket is filed. Answers that are outdated never show.
export async function suggestFor(title, description) {
  calls.abort();
  calls = new AbortController();
  const text = `${title.trim()}\n${description.trim()}`.trim();
  if (text.length < LEAST) {
    showOptions(null);
    place.replaceChildren();
    return;
  }
  place.setAttribute("aria-busy", "true");
  try {
    const { data } = await call("POST", "classify", { body: { description: text }, signal: calls.signal });
    showOptions(data);
    place.replaceChildren(...["category", "priority"].map((field) => suggested(field, data)), source(data));
  } catch (error) {
    if (isAbort(error)) return;
    showOptions(null);
    place.replaceChildren(failure(error, () => suggestFor(title, description)));
  }
  place.removeAttribute("aria-busy");
}

function showOptions(suggestion) {
  for (const field of ["category", "priority"]) {
    const option = find(`#filing-${field} option[value=""]`);
    option.textContent = suggestion ? `As suggested: ${inWords(suggestion[field]).toLowerCase()}` : "As suggested";
  }
}

function suggested(field, data) {
  const sure = data.confidence?.[field] ?? 0;
  const meter = element("meter", { min: 0, max: 1, value: sure, "aria-label": `How sure the ${field} is` });
  const words = data.reasons.filter((reason) => reason.field === field && reason.words);
  return element(
    "div",
    { class: "suggested", "data-field": field },
    element(
      "p",
      null,
      element("strong", null, label(field, data[field])),
      element("span", { class: "hint" }, `${percent(sure)} sure`),
    ),
    meter,
    words.length > 0 &&
      element(
        "ul",
        { class: "reasons" },
        words.map((reason) => because(reason, data[field])),
      ),
    !words.length && element("p", { class: "hint" }, "No word decides it."),
  );
}

function because(reason, decided) {
  const words = element("q", { dir: "auto" }, reason.words);
  return element("li", null, words, reason.label !== decided && ` speaks for ${inWords(reason.label).toLowerCase()}`);
}

const source = (data) => element("p", { class: "hint" }, `By ${SOURCES[data.source] ?? data.source}.`);
