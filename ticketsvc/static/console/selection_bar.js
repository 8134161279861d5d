// The bar above the list that changes the selected tickets together, or all that match the filters. It says what became
// of it, offers Undo, and leaves selected what was not changed.

import { announce } from "./announcement.js";
import { request } from "./api.js";
import { changeEach, changeMatching, changesOf } from "./changes.js";
import { element, find } from "./dom.js";
import { changesBetween, tagsOf } from "./fields.js";
import { apiQuery, filtersOf, isFiltered } from "./filters.js";
import { inWords, label, number, VALUES } from "./labels.js";
import { me } from "./me.js";
import { menu } from "./menu.js";
import { failure } from "./notices.js";
import { recount, reload } from "./queue.js";
import { focusRow } from "./queue_rows.js";
import { clearSelection, listTotal, selectedAll, selectedTickets, selectEverything, selectOnly } from "./selection.js";
import { showChanged } from "./ticket.js";

const [bar, dialog] = ["#selection-bar", "#bulk-dialog"].map((id) => find(id));
const count = element("p", { class: "selected-count", role: "status" });
const everything = element("button", {
  type: "button",
  class: "quiet everything",
  click: takeEverything,
  hidden: true,
});
const outcome = element("div", { class: "outcome" });
const menus = ["status", "priority", "category"].map(fieldMenu);
const form = valueForm();
let isRunning = false;

const tickets = (many) => (many === 1 ? "1 ticket" : `${number(many)} tickets`);

function fieldMenu(field) {
  const show = (value) => label(field, value);
  const choose = (value) => change(field, value);
  return menu({ id: `selected-${field}`, name: inWords(field), values: VALUES[field], show, choose });
}

// A form in the bar for a value that is typed: an assignee or tags.
function valueForm() {
  const input = element("input", {
    id: "selected-value",
    dir: "auto",
    autocomplete: "off",
    list: "selected-tags",
    maxlength: 255,
  });
  const [name, options] = [element("label", { for: input.id }), element("datalist", { id: "selected-tags" })];
  const root = element(
    "form",
    { class: "selected-form", hidden: true },
    name,
    input,
    options,
    element("button", { type: "submit", class: "primary" }, "Apply"),
    element("button", { type: "button", click: close }, "Cancel"),
  );
  let opened = null; // { field, button }

  function open(field, text, event) {
    opened = { field, button: event.currentTarget };
    name.textContent = text;
    input.value = field === "assignee" ? (me() ?? "") : "";
    const tags = field === "remove_tags" ? [...new Set(selectedTickets().flatMap((ticket) => ticket.tags))] : [];
    options.replaceChildren(...tags.sort().map((tag) => element("option", { value: tag })));
    root.hidden = false;
    input.select();
  }

  function close() {
    root.hidden = true;
    opened?.button.focus();
  }

  root.addEventListener("submit", (event) => {
    event.preventDefault();
    const { field } = opened;
    const value = field === "assignee" ? input.value.trim() || null : tagsOf(input.value);
    close();
    if (field === "assignee" || value.length) change(field, value);
  });
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  });
  return { root, open };
}

function show() {
  const chosen = selectedTickets();
  const [hadFocus, wasHidden] = [bar.contains(document.activeElement), bar.hidden];
  bar.hidden = !chosen.length;
  if (bar.hidden) {
    if (!wasHidden) outcome.replaceChildren();
    if (hadFocus) focusRow();
    return;
  }
  if (!isRunning) count.textContent = `${number(selectedAll() ? listTotal() : chosen.length)} selected`;
  const isWholePage = chosen.length === find("#rows").children.length;
  everything.hidden = selectedAll() || !isWholePage || !isFiltered(filtersOf()) || !(listTotal() > chosen.length);
  everything.textContent = `Select all ${number(listTotal() ?? 0)} that match`;
}

function takeEverything() {
  selectEverything();
  menus[0].button.focus(); // the button disappears
}

// Changes the selected tickets.
async function change(field, value) {
  if (isRunning) return;
  if (selectedAll()) return changeAll(field, value);
  const chosen = selectedTickets();
  const { changed } = await run(chosen, (ticket) => changesOf(ticket, field, value));
  const before = new Map(changed.map((each) => [each.after.id, each.before]));
  const undo = async () => {
    const undone = await run(
      changed.map(({ after }) => after),
      (after) => changesBetween(after, before.get(after.id)),
    );
    announce(`Undone for ${tickets(undone.changed.length)}`);
  };
  announce(`${tickets(changed.length)} changed`, changed.length > 0 && { name: "Undo", run: undo });
}

// Changes each of the tickets. Afterwards those are selected that were not changed.
async function run(chosen, changes) {
  let done = 0;
  const progress = () => (count.textContent = `Changing ${number((done += 1))} of ${number(chosen.length)} …`);
  isRunning = true;
  bar.setAttribute("aria-busy", "true");
  const result = await changeEach(chosen, changes, progress);
  for (const { after } of result.changed) showChanged(after);
  for (const ticket of result.conflicts) await showAgain(ticket);
  bar.removeAttribute("aria-busy");
  isRunning = false;
  recount();
  const left = [...result.conflicts, ...result.failed.map(({ ticket }) => ticket)];
  selectOnly(left.map(({ id }) => id));
  showOutcome(result);
  return result;
}

// Shows what someone else made of a ticket.
async function showAgain(ticket) {
  try {
    showChanged((await request("GET", ticket.id)).data);
  } catch {
    // It was deleted, or there is no connection: the outcome says that it was not changed.
  }
}

// Says what was not changed, and why. These tickets stay selected.
function showOutcome({ conflicts, failed }) {
  const [first] = failed;
  const lines = [
    conflicts.length &&
      `${tickets(conflicts.length)} changed by someone else meanwhile. The list shows the current state.`,
    failed.length && `${tickets(failed.length)} not changed. ${first.problem.detail}`,
  ];
  outcome.replaceChildren(
    ...lines.filter(Boolean).map((line) => element("p", { class: "error", role: "alert" }, line)),
  );
}

// Changes all tickets that match the filters, after showing how many these are.
async function changeAll(field, value) {
  const query = apiQuery(filtersOf());
  const body = { [field]: value };
  isRunning = true;
  outcome.replaceChildren();
  try {
    const many = await changeMatching(query, body, { isDryRun: true });
    if (!many) announce("All these tickets have it already");
    else if (await confirmed(many, field, value)) {
      const changed = await changeMatching(query, body);
      clearSelection();
      await reload();
      focusRow();
      announce(`${tickets(changed)} changed`);
    }
  } catch (problem) {
    outcome.replaceChildren(failure(problem));
  }
  isRunning = false;
}

function confirmed(many, field, value) {
  const name = { add_tags: "Add tags", remove_tags: "Remove tags" }[field] ?? inWords(field);
  const text = field in VALUES ? inWords(value) : [value ?? "nobody"].flat().join(", ");
  find("#bulk-change").textContent = `${name}: ${text}`;
  find("#bulk-text").textContent = `This changes ${tickets(many)}. It cannot be undone in one step.`;
  find("#bulk-confirm").textContent = `Change ${tickets(many)}`;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "change"), { once: true });
  });
}

// Moves the focus to the bar. Returns whether rows are selected.
export function focusBar() {
  if (!bar.hidden) menus[0].button.focus();
  return !bar.hidden;
}

export function startSelectionBar() {
  const opener = (text, field, question) =>
    element("button", { type: "button", click: (event) => form.open(field, question, event) }, text);
  bar.append(
    count,
    element("button", { type: "button", class: "quiet", click: clearSelection }, "Clear"),
    everything,
    element(
      "div",
      { class: "buttons" },
      menus.map(({ root }) => root),
      opener("Assign", "assignee", "Assign to (blank for nobody)"),
      opener("Add tag", "add_tags", "Tags to add"),
      opener("Remove tag", "remove_tags", "Tags to remove"),
    ),
    form.root,
    outcome,
  );
  find("#bulk-confirm").addEventListener("click", () => dialog.close("change"));
  find("#bulk-cancel").addEventListener("click", () => dialog.close());
  addEventListener("selection", show);
}
