// The requester, the assignee, the tags and the metadata of a ticket: values that filter the list, and a form in place of
// each that changes it.

import { element, find, svgElement } from "./dom.js";
import { areSame, metadataChange, tagsOf } from "./fields.js";
import { filterButton } from "./filter_chips.js";
import { me, meOrAsk } from "./me.js";

const PERSON_LENGTH = 255;
const MOST_MEMBERS = 50;

// `save(changes)` sends changes and resolves to whether they are saved.
export function ticketFields(save) {
  const toMe = element(
    "button",
    { type: "button", class: "quiet small", click: assignToMe, title: "Assign to me (m)" },
    "Assign to me",
  );
  const fields = {
    requester: field(
      "requester",
      personView("requester"),
      textEditor({ maxlength: PERSON_LENGTH, read: (text) => text || null }),
    ),
    assignee: field(
      "assignee",
      personView("assignee"),
      textEditor({ maxlength: PERSON_LENGTH, read: (text) => text || null }),
      toMe,
    ),
    tags: field(
      "tags",
      tagsView,
      textEditor({ help: "Separate tags by commas.", write: tagsText, read: tagsOf, caretAtEnd: true }),
    ),
    metadata: field("metadata", metadataView, metadataEditor()),
  };
  const root = element(
    "div",
    { class: "people" },
    Object.values(fields).map((each) => each.root),
  );

  function field(name, view, editor, ...more) {
    return editableField({ name, view, editor, more, save });
  }

  function show(ticket) {
    for (const each of Object.values(fields)) each.show(ticket);
    toMe.hidden = Boolean(me()) && ticket.assignee?.toLowerCase() === me().toLowerCase();
  }

  async function assignToMe() {
    const name = await meOrAsk();
    if (!name) return;
    const hadFocus = document.activeElement === toMe;
    await save({ assignee: name });
    if (hadFocus && toMe.hidden) fields.assignee.focus(); // the button disappeared
  }

  const isBusy = () => Object.values(fields).some((each) => each.isOpen());
  return { root, show, isBusy, assignToMe, edit: (name) => fields[name].open() };
}

const pencil = () =>
  svgElement(
    "svg",
    { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" },
    svgElement("path", {
      d: "M3 13l.7-3L10.5 3.2a1.3 1.3 0 0 1 1.8 0l.5.5a1.3 1.3 0 0 1 0 1.8L6 12.3z",
      class: "stroke",
    }),
  );

function editableField({ name, view, editor, more, save }) {
  const value = element("div", { class: "field-value" });
  const change = element("button", { type: "button", class: "quiet small", click: open });
  const read = element("div", { class: "field-read" }, value, change, more);
  const form = element(
    "form",
    { class: "field-form", hidden: true },
    editor.root,
    element(
      "div",
      { class: "buttons" },
      element("button", { type: "submit", class: "primary small" }, "Save"),
      element("button", { type: "button", class: "small", click: close }, "Cancel"),
    ),
  );
  const title = element("h3", { class: "name", id: `field-${name}` }, name[0].toUpperCase() + name.slice(1));
  const root = element(
    "div",
    { class: `person ${name}`, role: "group", "aria-labelledby": title.id },
    title,
    read,
    form,
  );
  let shown = null;

  function show(ticket) {
    const isSame = shown && areSame(shown[name], ticket[name]);
    shown = ticket;
    if (isSame) return; // what has the focus stays
    const nodes = view(ticket[name]);
    value.replaceChildren(...nodes);
    change.setAttribute("aria-label", `${nodes.length ? "Change" : "Add"} ${name}`);
    change.replaceChildren(nodes.length ? pencil() : "Add");
  }

  function open() {
    if (form.hidden) editor.write(shown[name]);
    read.hidden = true;
    form.hidden = false;
    editor.focus();
  }

  function close() {
    read.hidden = false;
    form.hidden = true;
    change.focus();
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const changed = editor.read(shown[name]);
    if (changed === undefined || (await save({ [name]: changed }))) close();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation(); // closes the form, not the ticket
    close();
  });
  return { root, show, open, isOpen: () => !form.hidden, focus: () => change.focus() };
}

const personView = (field) => (name) => (name === null ? [] : [filterButton(field, name)]);

const tagsView = (tags) => tags.map((tag) => element("span", { class: "tag" }, filterButton("tags_all", tag)));

// Ends in a separator, so that what is typed next is one more tag.
const tagsText = (tags) => tags.map((tag) => `${tag}, `).join("");

const metadataView = (metadata) =>
  Object.entries(metadata).map(([key, value]) =>
    element("span", { class: "member" }, element("code", null, key), " ", element("bdi", null, value)),
  );

// An editor has `write(value)`, which fills it, and `read(value)`, which returns what to send, or undefined if that is the
// value it had. The text is selected when the editor gets the focus, or the caret is at its end.
function textEditor({ maxlength, help, write = (value) => value ?? "", read, caretAtEnd = false }) {
  const input = element("input", { maxlength, dir: "auto", autocomplete: "off", spellcheck: "false" });
  const root = element(
    "label",
    null,
    element("span", { class: "visually-hidden" }, "New value"),
    input,
    help && element("span", { class: "hint" }, help),
  );
  return {
    root,
    write: (value) => (input.value = write(value)),
    read: (value) => {
      const text = input.value.trim();
      return text === write(value).trim() ? undefined : read(text);
    },
    focus: () => {
      input.select();
      if (caretAtEnd) input.setSelectionRange(input.value.length, input.value.length);
    },
  };
}

// Rows of a key and a value each. A row without a key is left out.
function metadataEditor() {
  const rows = element("ul", { class: "members" });
  const add = element(
    "button",
    { type: "button", class: "quiet small", click: () => append("", "").focus() },
    "Add a row",
  );
  const root = element("div", null, rows, add);

  function append(key, value) {
    const name = element("input", {
      "aria-label": "Key",
      maxlength: 40,
      pattern: "[A-Za-z0-9_.\\-]+",
      title: "Letters, digits, _ . and -",
      value: key,
      spellcheck: "false",
    });
    const text = element("input", { "aria-label": "Value", maxlength: 500, dir: "auto", value });
    const remove = element(
      "button",
      { type: "button", class: "quiet small", "aria-label": "Remove this row", click: () => take(row) },
      "×",
    );
    const row = element("li", null, name, text, remove);
    rows.append(row);
    add.hidden = rows.children.length >= MOST_MEMBERS;
    return name;
  }

  function take(row) {
    row.remove();
    add.hidden = false;
    (find("input", rows) ?? add).focus();
  }

  return {
    root,
    write: (metadata) => {
      rows.replaceChildren();
      for (const [key, value] of Object.entries(metadata)) append(key, value);
      append("", "");
    },
    read: (metadata) => {
      const pairs = [...rows.children].map((row) =>
        [...row.querySelectorAll("input")].map((input) => input.value.trim()),
      );
      const changed = metadataChange(metadata, Object.fromEntries(pairs.filter(([key]) => key)));
      return Object.keys(changed).length ? changed : undefined;
    },
    focus: () => find("li:last-child input", rows).focus(),
  };
}
