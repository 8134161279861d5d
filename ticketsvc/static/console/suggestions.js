// Suggestions while the user writes a ticket: labels, confidences and reasons.

import { request } from "./api.js";
import { element, find } from "./dom.js";
import { inWords, label, percent, SOURCES, VALUES } from "./labels.js";
import { failure, isAbort } from "./notices.js";

const MIN_LENGTH = 8; // characters
const place = find("#suggestion");
let pending = new AbortController();

export function startSuggestions() {
  for (const field of ["category", "priority"]) {
    const values = VALUES[field].map((value) => element("option", { value }, inWords(value)));
    find(`#filing-${field}`).append(element("option", { value: "" }, "As suggested"), ...values);
  }
}

// Classifies the title and the description, as the service does for new tickets. Aborts pending requests.
export async function suggestFor(title, description) {
  pending.abort();
  pending = new AbortController();
  const text = `${title.trim()}\n${description.trim()}`.trim();
  if (text.length < MIN_LENGTH) {
    showOptions(null);
    place.replaceChildren();
    return;
  }
  place.setAttribute("aria-busy", "true");
  try {
    const { data } = await request("POST", "classify", { body: { description: text }, signal: pending.signal });
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
  const confidence = data.confidence?.[field] ?? 0;
  const meter = element("meter", { min: 0, max: 1, value: confidence, "aria-label": `Confidence of the ${field}` });
  const words = data.reasons.filter((reason) => reason.field === field && reason.words);
  return element(
    "div",
    { class: "suggested", "data-field": field },
    element(
      "p",
      null,
      element("strong", null, label(field, data[field])),
      element("span", { class: "hint" }, `${percent(confidence)} confidence`),
    ),
    meter,
    words.length > 0 &&
      element(
        "ul",
        { class: "reasons" },
        words.map((reason) => reasonItem(reason, data[field])),
      ),
    !words.length && element("p", { class: "hint" }, "No words of the text support this label."),
  );
}

function reasonItem(reason, decided) {
  const words = element("q", { dir: "auto" }, reason.words);
  return element("li", null, words, reason.label !== decided && ` suggests ${inWords(reason.label).toLowerCase()}`);
}

const source = (data) => element("p", { class: "hint" }, `By ${SOURCES[data.source] ?? data.source}.`);
