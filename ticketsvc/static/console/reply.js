// The reply box of a ticket. What is written stays as a draft until it was sent. A submission has an idempotency key, so
// trying again after an error cannot post it twice.

import { announce } from "./announcement.js";
import { element } from "./dom.js";
import { loadDraft, removeDraft, saveDraft } from "./drafts.js";
import { keyed } from "./idempotency.js";
import { askName, me } from "./me.js";
import { failure } from "./notices.js";

const KINDS = {
  send: { name: "Send", fields: { internal: false }, done: "The reply was sent" },
  resolve: {
    name: "Send and resolve",
    fields: { internal: false, status: "resolved" },
    done: "The reply was sent, the ticket is resolved",
  },
  note: { name: "Internal note", fields: { internal: true }, done: "The internal note was added" },
};

// `send(body, key)` creates the comment and resolves to it, or throws Problem; `sent(comment)` is called afterwards.
export function replyBox({ id, send, sent: whenSent }) {
  const draft = loadDraft(id);
  let sent = draft?.sent ?? null; // the last body that was sent, and its key
  const text = element("textarea", {
    id: "reply",
    rows: 4,
    dir: "auto",
    placeholder: "Write a reply or an internal note",
    "aria-describedby": "reply-help",
  });
  text.value = typeof draft?.text === "string" ? draft.text : "";
  const state = element("div", { class: "reply-state" });
  const name = element("button", { type: "button", class: "link", click: () => askName() });
  const buttons = Object.fromEntries(
    Object.entries(KINDS).map(([kind, { name: words }]) => [kind, button(kind, words)]),
  );
  buttons.send.classList.add("primary");
  buttons.note.classList.add("note");
  const root = element(
    "form",
    { class: "reply" },
    element("label", { for: text.id }, "Reply"),
    text,
    state,
    element("div", { class: "buttons" }, Object.values(buttons)),
    element(
      "p",
      { class: "hint", id: "reply-help" },
      name,
      element(
        "span",
        { class: "keys" },
        " ",
        element("kbd", null, "Ctrl"),
        " ",
        element("kbd", null, "Enter"),
        " sends, with ",
        element("kbd", null, "Shift"),
        " as an internal note.",
      ),
    ),
  );

  function button(kind, words) {
    return element("button", { type: "button", click: () => submit(kind) }, words);
  }

  const store = () => (text.value.trim() ? saveDraft(id, { text: text.value, sent }) : removeDraft(id));

  async function submit(kind) {
    if (root.getAttribute("aria-busy")) return;
    const { fields, done } = KINDS[kind];
    if (!text.value.trim()) {
      state.replaceChildren(element("p", { class: "error", role: "alert" }, "Enter a text."));
      return text.focus();
    }
    const body = { body: text.value.trim(), ...fields, ...(me() && { author: me() }) };
    sent = keyed(body, sent);
    store();
    root.setAttribute("aria-busy", "true");
    text.readOnly = true;
    state.replaceChildren();
    try {
      const comment = await send(body, sent.key);
      [text.value, sent] = ["", null];
      removeDraft(id);
      announce(`${done}.`);
      if (root.isConnected) whenSent(comment);
    } catch (problem) {
      state.replaceChildren(failure(problem, () => submit(kind)));
      if (!root.isConnected) announce(`A reply was not sent. ${problem.detail} It is kept as a draft.`);
    }
    text.readOnly = false;
    root.removeAttribute("aria-busy");
  }

  // Shows what depends on the ticket and on the user's name.
  function show(ticket) {
    const hadFocus = document.activeElement === buttons.resolve;
    buttons.resolve.hidden = ["resolved", "closed"].includes(ticket.status);
    if (hadFocus && buttons.resolve.hidden) text.focus();
    name.replaceChildren(...(me() ? ["You write as ", element("bdi", null, me()), "."] : ["Sign with your name."]));
    name.setAttribute("title", "Change your name");
  }

  text.addEventListener("input", () => {
    state.replaceChildren();
    store();
  });
  root.addEventListener("submit", (event) => event.preventDefault());
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event.shiftKey ? "note" : "send");
    if (event.key !== "Escape") return;
    event.stopPropagation(); // leaves the text, not the ticket
    text.blur();
    root.closest("article")?.querySelector("h2").focus({ preventScroll: true });
  });
  const isBusy = () => root.hasAttribute("aria-busy");
  return { root, show, isBusy, hasText: () => Boolean(text.value.trim()), start: () => text.focus() };
}
