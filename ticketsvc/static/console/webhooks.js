// The webhooks: addresses to which the service sends each event. The service shows a secret only in the response that
// makes it, so the page shows it until the user leaves.

import { request } from "./api.js";
import { announce } from "./announcement.js";
import { copyButton } from "./copy.js";
import { confirmDeletion } from "./deletion.js";
import { element, find } from "./dom.js";
import { number } from "./labels.js";
import { empty, failure, isAbort, loading } from "./notices.js";
import { exactTime, time } from "./times.js";
import { deliveries } from "./webhook_deliveries.js";

const PATH = "../webhooks/";
const [form, list, state] = ["#webhook-form", "#webhooks", "#webhooks-state"].map((id) => find(id));
let pending = new AbortController();

export async function showWebhooks() {
  pending.abort();
  pending = new AbortController();
  if (!list.children.length) state.replaceChildren(loading(2));
  try {
    const { data } = await request("GET", PATH, { signal: pending.signal });
    list.replaceChildren(...data.map((webhook) => card(webhook).root));
    showEmpty();
  } catch (problem) {
    if (!isAbort(problem)) state.replaceChildren(failure(problem, showWebhooks));
  }
}

const showEmpty = () =>
  state.replaceChildren(
    ...(list.children.length ? [] : [empty("No webhooks yet", "Each change of a ticket is sent to the webhooks that are added here.")]),
  );

export function startWebhooks() {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    add();
  });
}

async function add() {
  const errors = find("#webhook-errors");
  const fields = new FormData(form);
  const body = { url: fields.get("url").trim(), types: fields.getAll("types"), filters: fields.get("filters").trim() };
  errors.replaceChildren();
  try {
    const { data } = await request("POST", PATH, { body });
    const { root, showSecret } = card(data);
    list.append(root);
    form.reset();
    showEmpty();
    showSecret(data.secret);
  } catch (problem) {
    errors.replaceChildren(failure(problem));
  }
}

function card(webhook) {
  let shown = webhook;
  const address = PATH + webhook.id;
  const heading = element("h2", { dir: "ltr", tabindex: -1 });
  const facts = element("div", { class: "hint" });
  const messages = element("div", null);
  const log = deliveries(`${address}/deliveries/`);
  const toggle = element(
    "button",
    { type: "button", "aria-expanded": "false", click: () => toggle.setAttribute("aria-expanded", String(log.toggle())) },
    "Deliveries",
  );
  const switcher = button("", change);
  const root = element(
    "li",
    { class: "webhook" },
    heading,
    facts,
    messages,
    element("div", { class: "buttons" }, toggle, switcher, button("Rotate secret", rotate), button("Delete", remove)),
    log.root,
  );

  function button(name, action) {
    return element("button", { type: "button", class: "quiet", click: () => attempt(action) }, name);
  }

  function show(data) {
    shown = data;
    heading.textContent = data.url;
    switcher.textContent = data.enabled ? "Disable" : "Enable";
    root.classList.toggle("disabled", !data.enabled);
    facts.replaceChildren(...description(data).map((parts) => element("p", null, parts)));
  }

  async function attempt(action) {
    messages.replaceChildren();
    try {
      await action();
    } catch (problem) {
      messages.replaceChildren(failure(problem));
    }
  }

  async function change() {
    const { data } = await request("PATCH", address, { body: { enabled: !shown.enabled } });
    show(data);
    announce(data.enabled ? "The webhook is enabled" : "The webhook is disabled");
  }

  async function rotate() {
    const { data } = await request("POST", `${address}/rotate/`);
    show(data);
    showSecret(data.secret);
  }

  async function remove() {
    const text = "This cannot be undone. Its deliveries are removed, too, also those that are still to be sent.";
    if (!(await confirmDeletion({ title: "Delete this webhook?", text, quote: shown.url }))) return;
    await request("DELETE", address);
    root.remove();
    showEmpty();
    find("input", form).focus();
    announce("The webhook was deleted");
  }

  function showSecret(secret) {
    const notice = element(
      "div",
      { class: "notice", role: "group", "aria-label": "Secret", tabindex: -1 },
      element("p", { class: "notice-title" }, "The secret of this webhook"),
      element("p", null, "The receiver checks signatures with it. It is not shown again."),
      element("p", { class: "secret" }, element("code", null, secret), copyButton("Copy secret", () => secret)),
    );
    messages.replaceChildren(notice);
    notice.focus();
  }

  show(webhook);
  return { root, showSecret };
}

// Returns lines about a webhook: its state, what it gets, and what became of that.
function description(webhook) {
  const { enabled, disabled_reason, disabled_at, failing_since, next_attempt_at, previous_secret_until } = webhook;
  const types = webhook.types?.join(", ") ?? "All events";
  const counts = ["delivered", "failed"].map((name) => `${number(webhook[`${name}_total`])} ${name}`);
  return [
    enabled && !failing_since && ["Enabled"],
    enabled && failing_since && ["Failing since ", time(failing_since), next_attempt_at && [", next attempt ", exactTime(next_attempt_at)]].flat(2),
    !enabled && ["Disabled ", time(disabled_at), `. ${disabled_reason}`],
    [types, webhook.filters && [" of tickets with ", element("code", null, webhook.filters)], webhook.public_only && " without internal notes"].flat(),
    [`${counts.join(", ")}, ${number(webhook.pending)} to be sent`],
    previous_secret_until && ["The secret before signs, too, until ", exactTime(previous_secret_until)],
  ]
    .filter(Boolean)
    .map((parts) => parts.filter(Boolean));
}
