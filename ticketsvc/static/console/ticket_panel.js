// The view of one ticket: its texts, controls that change its fields, the conversation, and a place for its history.

import { announce } from "./announcement.js";
import { conversation } from "./conversation.js";
import { copyButton } from "./copy.js";
import { confirmDeletion } from "./deletion.js";
import { element } from "./dom.js";
import { inWords, label, percent, VALUES } from "./labels.js";
import { menu } from "./menu.js";
import { failure } from "./notices.js";
import { replyBox } from "./reply.js";
import { similarTickets } from "./similar.js";
import { formatted } from "./text.js";
import { ticketFields } from "./ticket_fields.js";
import { timeAndAgo } from "./times.js";

const TITLE_LENGTH = 200;
const DELETED = { title: "Ticket deleted", detail: "Someone else deleted this ticket." };
const UNSURE = 0.5; // a suggestion with less confidence stands out

// `save(changes)`, `remove()`, `reply(body, key)` and `removeComment(comment)` send requests and throw Problem. The
// elements stay when the ticket changes, so that neither the focus nor what is being written is lost.
export function ticketPanel({ id, signal, save, remove, reply, removeComment }) {
  const heading = element("h2", { dir: "auto", tabindex: -1 });
  const text = element("div", { class: "text", dir: "auto" });
  const facts = element("div", { class: "hint facts" });
  const copyId = copyButton("Copy id", () => shown.id);
  const copyLink = copyButton("Copy link", () => new URL(`?ticket=${shown.id}`, location.href).href);
  const [conflict, errors, history] = ["conflict-place", "errors", "history-place"].map((name) =>
    element("div", { class: name }),
  );
  const controls = Object.fromEntries(Object.keys(VALUES).map((field) => [field, control(field)]));
  const edit = element("button", { type: "button", click: startEdit, title: "Edit (e)" }, "Edit");
  const deleteButton = element(
    "button",
    { type: "button", class: "quiet", click: confirmDelete, title: "Delete (d)" },
    "Delete",
  );
  const read = element("div", { class: "read" }, text);
  const { form, title, description } = editForm(saveTexts, endEdit);
  const fields = ticketFields((changes) => attempt(() => save(changes)));
  const comments = conversation({ id, signal, remove: (comment) => attempt(() => removeComment(comment)) });
  const box = replyBox({ id, send: reply, sent: (comment) => comments.focus(comment.id) });
  const similar = similarTickets({ id, signal, mark: (other) => attempt(() => save({ duplicate_of: other })) });
  const root = element(
    "article",
    null,
    conflict,
    errors,
    heading,
    element(
      "div",
      { class: "controls" },
      Object.values(controls).map((made) => made.root),
    ),
    fields.root,
    read,
    form,
    element("div", { class: "buttons" }, edit, deleteButton),
    comments.root,
    box.root,
    similar.root,
    facts,
    element("h3", null, "History"),
    history,
  );
  let shown = null;
  let running = 0;

  function show(ticket) {
    if (shown?.title !== ticket.title) heading.textContent = ticket.title;
    if (shown?.description !== ticket.description) text.replaceChildren(...formatted(ticket.description));
    shown = ticket;
    for (const made of Object.values(controls)) made.show(ticket);
    fields.show(ticket);
    box.show(ticket);
    similar.show(ticket);
    const changed = ticket.version > 1 && element("p", null, "Updated ", timeAndAgo(ticket.updated_at));
    const times = [["First response", ticket.first_response_at], ["Resolved", ticket.resolved_at]].filter(([, at]) => at);
    facts.replaceChildren(
      element("p", null, "Created ", timeAndAgo(ticket.created_at)),
      ...times.map(([name, at]) => element("p", null, `${name} `, timeAndAgo(at))),
      ...(changed ? [changed] : []),
      element("p", { class: "id" }, element("code", null, ticket.id), copyId, copyLink),
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
      const hint = problem.status === 404 ? DELETED : problem;
      errors.replaceChildren(failure(hint));
      if (!root.isConnected) announce(`“${shown.title}” was not saved. ${hint.detail}`);
      for (const made of Object.values(controls)) made.show(shown);
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
    const text = "This cannot be undone. The title, the description and the comments are removed.";
    if (await confirmDeletion({ title: "Delete this ticket?", text, quote: shown.title })) attempt(remove);
  }

  function control(field) {
    return fieldMenu(field, (value) => attempt(() => save({ [field]: value })));
  }

  const openMenu = (field) => controls[field].open(document.activeElement);
  const parts = [fields, box, ...Object.values(controls)];
  const isBusy = () => running > 0 || !form.hidden || parts.some((part) => part.isBusy());
  const { edit: editField, assignToMe } = fields;
  const showName = () => shown && [fields, box].forEach((part) => part.show(shown));
  const refreshConversation = comments.refresh;
  const showDeleted = () => errors.replaceChildren(failure(DELETED));
  const actions = { startEdit, confirmDelete, openMenu, editField, assignToMe, startReply: box.start };
  return { root, heading, conflict, history, show, showName, attempt, isBusy, hasReply: box.hasText, refreshConversation, showDeleted, ...actions };
}

function fieldMenu(field, choose) {
  const name = inWords(field);
  const { root, open, isOpen, set } = menu({ id: `ticket-${field}`, name, values: VALUES[field], show: (value) => label(field, value), choose });
  const decision = element("p", { class: "hint decision" });
  const show = (ticket) => {
    const decided = ticket.triage?.[field];
    set(ticket[field]);
    decision.textContent = decisionText(decided);
    decision.classList.toggle("unsure", decided?.confidence < UNSURE);
  };
  return { root: element("div", { class: "field" }, element("span", { class: "name", "aria-hidden": "true" }, name), root, decision), show, open, isBusy: isOpen };
}

const labelled = (text, control, ...more) =>
  element("div", { class: "field" }, element("label", { for: control.id }, text), control, more);

// Describes who decided a label.
function decisionText(decision) {
  if (!decision) return "";
  if (decision.suggested) return `Corrected. Suggested: ${decision.suggested}`;
  if (decision.source === "caller") return "Chosen by a person";
  if (decision.source === "default") return "The default";
  return `Suggested automatically (${percent(decision.confidence ?? 0)})`;
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
