// How one ticket looks: its text, its fields as controls that change it in place, and room for its history.

import { element, find, say } from "./dom.js";
import { inWords, percent, SOURCES, VALUES } from "./labels.js";
import { failure } from "./notices.js";
import { exactTime, time } from "./times.js";

const TITLE_LENGTH = 200;

// `save(changes)` and `remove()` send; they throw Problem. The panel stays the same while its ticket changes, so that
// nobody loses the focus.
export function ticketPanel({ save, remove }) {
  const heading = element("h2", { dir: "auto", tabindex: -1 });
  const text = element("p", { class: "text", dir: "auto" });
  const facts = element("p", { class: "hint facts" });
  const [race, faults, history] = ["race-place", "faults", "history-place"].map((name) =>
    element("div", { class: name }),
  );
  const controls = Object.keys(VALUES).map((field) => control(field, attempt));
  const edit = element("button", { type: "button", click: startEdit, title: "Edit (e)" }, "Edit");
  const drop = element(
    "button",
    { type: "button", class: "quiet", click: confirmDelete, title: "Delete (d)" },
    "Delete",
  );
  const read = element("div", { class: "read" }, text);
  const { form, title, description } = editForm(saveTexts, endEdit);
  const root = element(
    "article",
    null,
    race,
    faults,
    heading,
    element(
      "div",
      { class: "controls" },
      controls.map((made) => made.root),
    ),
    read,
    form,
    element("div", { class: "buttons" }, edit, drop),
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
    const changed = ticket.version > 1 ? [" Changed ", time(ticket.updated_at), "."] : [];
    facts.replaceChildren(
      "Filed ",
      exactTime(ticket.created_at),
      ".",
      ...changed,
      " ",
      element("code", null, ticket.id),
    );
  }

  // Runs a call, and shows why it failed. Answers whether it went well.
  async function attempt(action) {
    running += 1;
    root.setAttribute("aria-busy", "true");
    faults.replaceChildren();
    try {
      await action();
      return true;
    } catch (problem) {
      const hint =
        problem.status === 404 ? { title: "This ticket is gone", detail: "Somebody has deleted it." } : problem;
      faults.replaceChildren(failure(hint));
      if (!root.isConnected) say(`“${shown.title}” was not saved. ${hint.detail}`);
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
    for (const part of [read, edit, drop]) part.hidden = is;
    heading.classList.toggle("unseen", is); // the outline of the page keeps it
    if (is) description.rows = Math.min(24, 4 + description.value.length / 60);
  }

  // Sends the texts that were changed, and only those.
  async function saveTexts() {
    const values = { title: title.value.trim(), description: description.value.trim() };
    const changes = Object.fromEntries(Object.entries(values).filter(([field, value]) => value !== shown[field]));
    if (!Object.keys(changes).length || (await attempt(() => save(changes)))) endEdit();
  }

  async function confirmDelete() {
    if (await isDeleteMeant(shown.title)) attempt(remove);
  }

  function control(field, sending) {
    return selectControl(field, (value) => sending(() => save({ [field]: value })));
  }

  const focusField = (field) => find(`[data-field="${field}"]`, root).focus();
  const isBusy = () => running > 0 || !form.hidden;
  return { root, heading, race, history, show, isBusy, startEdit, confirmDelete, focusField };
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

// Who decided a label, as the ticket tells it.
function decisionText(decision) {
  if (!decision) return "";
  if (decision.suggested) return `Corrected, ${decision.suggested} was suggested`;
  if (decision.source === "caller") return "Chosen by a person";
  return `Suggested by ${SOURCES[decision.source] ?? decision.source}, ${percent(decision.confidence ?? 0)} sure`;
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

function isDeleteMeant(title) {
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
