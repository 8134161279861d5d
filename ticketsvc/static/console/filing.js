// Filing a ticket. The Idempotency-Key belongs to what is filed: sending the same once more, after an answer that never
// came or a reload of the page, files it once.

import { go } from "./address.js";
import { call } from "./api.js";
import { debounced, find, say } from "./dom.js";
import { number } from "./labels.js";
import { failure } from "./notices.js";
import { reload } from "./queue.js";
import { startSuggestions, suggestFor } from "./suggestions.js";

const TITLE_LENGTH = 200;
const DRAFT = "ticket-console-draft";
const [form, state, submit] = ["#filing", "#filing-state", "#submit-filing"].map((selector) => find(selector));
const { title, description } = { title: find("#title"), description: find("#description") };
let sent = { body: null, key: null }; // what was last sent, and its key

export function showFiling() {
  title.focus();
  suggest();
}

export function startFiling() {
  startSuggestions();
  restore();
  form.addEventListener("input", () => {
    countTitle();
    later();
  });
  form.addEventListener("change", keep);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    file();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  find("#clear-filing").addEventListener("click", () => {
    startAfresh();
    title.focus();
  });
  countTitle();
}

const suggest = () => suggestFor(title.value, description.value);
const later = debounced(350, () => {
  keep();
  suggest();
});

const lengthOf = (text) => [...text.trim()].length; // code points, as the service counts

function countTitle() {
  const left = TITLE_LENGTH - lengthOf(title.value);
  find("#title-left").textContent = left < 40 ? `${number(left)} characters left` : "";
}

// Labels that nobody chose are left out: the service decides them when it files, and learns from corrections later.
function body() {
  const fields = { title: title.value.trim(), description: description.value.trim() };
  for (const name of ["category", "priority"]) if (form[name].value) fields[name] = form[name].value;
  return fields;
}

function check() {
  const length = lengthOf(title.value);
  const isLong =
    length > TITLE_LENGTH && `A title has at most ${TITLE_LENGTH} characters, this one has ${number(length)}.`;
  show(title, length ? isLong : "Say in a few words what it is about.");
  show(description, lengthOf(description.value) ? "" : "Describe it: the triage reads this too.");
  const wrong = find("[aria-invalid]", form);
  wrong?.focus();
  return !wrong;
}

function show(input, fault) {
  const place = find(`#${input.id}-fault`);
  place.textContent = fault || "";
  place.hidden = !fault;
  if (fault) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

async function file() {
  if (submit.disabled || !check()) return;
  const fields = body();
  const text = JSON.stringify(fields);
  if (sent.body !== text) sent = { body: text, key: randomKey() };
  keep();
  submit.disabled = true;
  submit.textContent = "Filing …";
  state.replaceChildren();
  try {
    const { data } = await call("POST", "", { body: fields, headers: { "Idempotency-Key": sent.key } });
    startAfresh();
    reload();
    go({ view: null, ticket: data.id });
    say("Filed");
  } catch (problem) {
    state.replaceChildren(failure(problem, file));
  }
  submit.disabled = false;
  submit.textContent = "File the ticket";
}

// Not crypto.randomUUID(): browsers have that on https and localhost only.
const randomKey = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

function startAfresh() {
  form.reset();
  later.cancel();
  sent = { body: null, key: null };
  sessionStorage.removeItem(DRAFT);
  state.replaceChildren();
  for (const input of [title, description]) show(input, "");
  countTitle();
  suggest();
}

const keep = () => sessionStorage.setItem(DRAFT, JSON.stringify({ fields: body(), sent }));

function restore() {
  const draft = JSON.parse(sessionStorage.getItem(DRAFT) ?? "null");
  if (!draft) return;
  for (const [name, value] of Object.entries(draft.fields)) find(`[name="${name}"]`, form).value = value;
  sent = draft.sent;
}
