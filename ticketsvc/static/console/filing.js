// The form for a new ticket. Creating one is idempotent (idempotency.js), and the form survives a reload of the page.

import { go } from "./address.js";
import { request } from "./api.js";
import { announce } from "./announcement.js";
import { debounced, find } from "./dom.js";
import { keyed } from "./idempotency.js";
import { number } from "./labels.js";
import { failure } from "./notices.js";
import { reload } from "./queue.js";
import { similarTo } from "./similar.js";
import { startSuggestions, suggestFor } from "./suggestions.js";

const TITLE_LENGTH = 200;
const DESCRIPTION_LENGTH = 65_536;
const DRAFT = "ticket-console-draft";
const [form, state, submit] = ["#filing", "#filing-state", "#submit-filing"].map((selector) => find(selector));
const { title, description } = { title: find("#title"), description: find("#description") };
let sent = { body: null, key: null }; // the last body that was sent, and its key

export function showFiling() {
  title.focus();
  suggest();
}

export function startFiling() {
  startSuggestions();
  restore();
  form.addEventListener("input", () => {
    countTitle();
    updateLater();
  });
  form.addEventListener("change", saveDraft);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submitTicket();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  find("#clear-filing").addEventListener("click", () => {
    resetForm();
    title.focus();
  });
  countTitle();
}

function suggest() {
  suggestFor(title.value, description.value);
  similarTo(title.value, description.value);
}

const updateLater = debounced(350, () => {
  saveDraft();
  suggest();
});

const lengthOf = (text) => [...text.trim()].length; // code points, as the service counts them

function countTitle() {
  const left = TITLE_LENGTH - lengthOf(title.value);
  find("#title-left").textContent = left < 40 ? `${number(left)} characters left` : "";
}

// Omits labels that the user did not choose: the service suggests them and learns from corrections.
function body() {
  const fields = { title: title.value.trim(), description: description.value.trim() };
  for (const name of ["category", "priority", "requester"]) {
    const value = form[name].value.trim();
    if (value) fields[name] = value;
  }
  return fields;
}

function lengthError(name, length, limit) {
  if (!length) return `Enter a ${name}.`;
  return length > limit ? `A ${name} has at most ${number(limit)} characters, this one has ${number(length)}.` : "";
}

function validate() {
  showError(title, lengthError("title", lengthOf(title.value), TITLE_LENGTH));
  showError(description, lengthError("description", lengthOf(description.value), DESCRIPTION_LENGTH));
  const wrong = find("[aria-invalid]", form);
  wrong?.focus();
  return !wrong;
}

function showError(input, error) {
  const place = find(`#${input.id}-error`);
  place.textContent = error || "";
  place.hidden = !error;
  if (error) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

async function submitTicket() {
  if (submit.disabled || !validate()) return;
  const fields = body();
  sent = keyed(fields, sent);
  saveDraft();
  submit.disabled = true;
  submit.textContent = "Creating …";
  state.replaceChildren();
  try {
    const { data } = await request("POST", "", { body: fields, headers: { "Idempotency-Key": sent.key } });
    resetForm();
    reload();
    go({ view: null, ticket: data.id });
    announce("Ticket created");
  } catch (problem) {
    state.replaceChildren(failure(problem, submitTicket));
  }
  submit.disabled = false;
  submit.textContent = "Create ticket";
}

// Empties the form and removes the draft.
export function resetForm() {
  form.reset();
  updateLater.cancel();
  sent = { body: null, key: null };
  sessionStorage.removeItem(DRAFT);
  state.replaceChildren();
  for (const input of [title, description]) showError(input, "");
  countTitle();
  suggest();
}

const saveDraft = () => sessionStorage.setItem(DRAFT, JSON.stringify({ fields: body(), sent }));

function restore() {
  const draft = JSON.parse(sessionStorage.getItem(DRAFT) ?? "null");
  if (!draft) return;
  for (const [name, value] of Object.entries(draft.fields)) find(`[name="${name}"]`, form).value = value;
  sent = draft.sent;
}
