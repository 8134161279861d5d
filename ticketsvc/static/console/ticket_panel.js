// The view of one ticket: its texts, controls that change its fields, and a place for its history.

import { announce, element, find } from "./dom.js";
import { inWords, percent, SOURCES, VALUES } from "./labels.js";
import { failure } from "./notices.js";
import { exactTime, time } from "./times.js";

const TITLE_LENGTH = 200;

// `save(changes)` and `remove()` send requests and throw Problem. The elements stay when the ticket changes, so that
// the focus is not lost.
export function ticketPanel({ save, remove }) {
  const heading = element("h2", { dir: "auto", tabindex: -1 });
  const text = element("p", { class: "text", dir: "auto" });
  const facts = element("p", { class: "hint facts" });
  const [conflict, errors, history] = ["conflict-place", "errors", "history-place"].map((name) =>
    element("div", { class: name }),
  );
  const controls = Object.keys(VALUES).map((field) => control(field, attempt));
  const edit = element("button", { type: "button", click: startEdit, title: "Edit (e)" }, "Edit");
  const deleteButton = element(
    "button",
    { type: "button", class: "quiet", click: confirmDelete, title: "Delete (d)" },
    "Delete",
  );
  const read = element("div", { class: "read" }, text);
  const { form, title, description } = editForm(saveTexts, endEdit);
  const root = element(
    "article",
    null,
    conflict,
    errors,
    heading,
    element(
      "div",
      { class: "controls" },
      controls.map((made) => made.root),
    ),
    read,
    form,
    element("div", { class: "buttons" }, edit, deleteButton),
    facts,
    element("h3", null, "History"),
    history,
  );
  let shown = null;
  let running = 0;

  function show(ticket) {
    shown = ticket;
    heading.textContent = ticket.title;
    text.textContent = ticket.description;
    for (const made of controls) made.show(ticket);
    const changed = ticket.version > 1 ? [" Updated ", time(ticket.updated_at), "."] : [];
    facts.replaceChildren(
      "Created ",
      exactTime(ticket.created_at),
      ".",
      ...changed,
      " ",
      element("code", null, ticket.id),
    );
  }

  // Runs an action and shows its error. Returns whether it succeeded.
  async function attempt(action) {
    running += 1;
    root.setAttribute("aria-busy", "true");
    errors.replaceChildren();
    try {
      await action();
      return true;
    } catch (problem) {
      const hint =
        problem.status === 404 ? { title: "Ticket deleted", detail: "Someone else deleted this ticket." } : problem;
      errors.replaceChildren(failure(hint));
      if (!root.isConnected) announce(`“${shown.title}” was not saved. ${hint.detail}`);
      for (const made of controls) made.show(shown);
      return false;
    } finally {
      running -= 1;
      if (!running) root.removeAttribute("aria-busy");
    }
  }

  function startEdit() {
    title.value = shown.title;
    description.value = shown.description;
    setEditing(true);
    title.focus();
  }

  function endEdit() {
    setEditing(false);
    edit.focus();
  }

  function setEditing(is) {
    form.hidden = !is;
    for (const part of [read, edit, deleteButton]) part.hidden = is;
    heading.classList.toggle("visually-hidden", is); // stays in the outline of the page
    if (is) description.rows = Math.min(24, 4 + description.value.length / 60);
  }

  // Sends only the texts that were changed.
  async function saveTexts() {
    const values = { title: title.value.trim(), description: description.value.trim() };
    const changes = Object.fromEntries(Object.entries(values).filter(([field, value]) => value !== shown[field]));
    if (!Object.keys(changes).length || (await attempt(() => save(changes)))) endEdit();
  }

  async function confirmDelete() {
    if (await confirmDeletion(shown.title)) attempt(remove);
  }

  function control(field, sending) {
    return selectControl(field, (value) => sending(() => save({ [field]: value })));
  }

  const focusField = (field) => find(`[data-field="${field}"]`, root).focus();
  const isBusy = () => running > 0 || !form.hidden;
  return { root, heading, conflict, history, show, isBusy, startEdit, confirmDelete, focusField };
}

function selectControl(field, change) {
  const options = VALUES[field].map((value) => element("option", { value }, inWords(value)));
  const select = element("select", { "data-field": field, id: `ticket-${field}` }, options);
  select.addEventListener("change", () => change(select.value));
  const decision = element("p", { class: "hint" });
  const show = (ticket) => {
    select.value = ticket[field];
    decision.textContent = decisionText(ticket.triage?.[field]);
  };
  return { root: labelled(inWords(field), select, decision), show };
}

const labelled = (text, control, ...more) =>
  element("div", { class: "field" }, element("label", { for: control.id }, text), control, more);

// Describes who decided a label.
function decisionText(decision) {
  if (!decision) return "";
  if (decision.suggested) return `Corrected. Suggested: ${decision.suggested}`;
  if (decision.source === "caller") return "Chosen by a person";
  return `Suggested by ${SOURCES[decision.source] ?? decision.source}, ${percent(decision.confidence ?? 0)} confidence`;
}

function editForm(save, cancel) {
  const title = element("input", {
    name: "title",
    id: "edit-title",
    maxlength: TITLE_LENGTH,
    dir: "auto",
    required: true,
  });
  const description = element("textarea", { name: "description", id: "edit-description", dir: "auto", required: true });
  const form = element(
    "form",
    { class: "edit", hidden: true },
    labelled("Title", title),
    labelled("Description", description),
    element(
      "div",
      { class: "buttons" },
      element("button", { type: "submit", class: "primary" }, "Save"),
      element("button", { type: "button", click: cancel }, "Cancel"),
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    if (event.key === "Escape") {
      event.stopPropagation();
      cancel();
    }
  });
  return { form, title, description };
}

function confirmDeletion(title) {
  const dialog = find("#delete-dialog");
  find("#delete-name").textContent = title;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "delete"), { once: true });
  });
}

export function startDeleteDialog() {
  const dialog = find("#delete-dialog");
  find("#delete-confirm").addEventListener("click", () => dialog.close("delete"));
  find("#delete-cancel").addEventListener("click", () => dialog.close());
}
