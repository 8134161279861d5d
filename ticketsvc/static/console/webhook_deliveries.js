// The deliveries of a webhook, the newest first, and a button that repeats each.

import { nextPage, request } from "./api.js";
import { announce } from "./announcement.js";
import { element } from "./dom.js";
import { inWords } from "./labels.js";
import { failure, isAbort, loading } from "./notices.js";
import { exactTime, time } from "./times.js";

const PAGE = 20;

// `path` is that of the deliveries in the API. `toggle` shows or hides them and returns which.
export function deliveries(path) {
  const list = element("ol", { class: "deliveries", "aria-label": "Deliveries, the newest first" });
  const state = element("div", null);
  const more = element("button", { type: "button", class: "quiet", click: () => load(next), hidden: true }, "Show earlier deliveries");
  const refresh = element("button", { type: "button", class: "quiet", click: () => load() }, "Refresh");
  const root = element("div", { class: "log", hidden: true }, refresh, state, list, more);
  let next = null; // the query of the next page

  async function load(query = null) {
    if (!list.children.length) state.replaceChildren(loading(2));
    try {
      const { data, headers } = await request("GET", path, { query: query ?? `limit=${PAGE}` });
      if (!query) list.replaceChildren();
      list.append(...data.map((each) => row(each, redeliver)));
      next = nextPage(headers);
      more.hidden = !next;
      const isEmpty = !list.children.length && element("p", { class: "hint" }, "Nothing was delivered yet.");
      state.replaceChildren(...(isEmpty ? [isEmpty] : []));
    } catch (problem) {
      if (!isAbort(problem)) state.replaceChildren(failure(problem, () => load(query)));
    }
  }

  async function redeliver(delivery, item) {
    try {
      const { data } = await request("POST", `${path}${encodeURIComponent(delivery.id)}/redeliver/`);
      const repeated = row(data, redeliver);
      item.replaceWith(repeated);
      repeated.focus();
      announce("It will be delivered again");
    } catch (problem) {
      state.replaceChildren(failure(problem));
    }
  }

  function toggle() {
    root.hidden = !root.hidden;
    if (!root.hidden) load();
    return !root.hidden;
  }

  return { root, toggle };
}

function row(delivery, redeliver) {
  const { id, type, ticket_id, state, attempts, created_at, next_attempt_at, last_attempt_at, last_duration_ms } = delivery;
  const result = [delivery.last_status && `Status ${delivery.last_status}`, delivery.last_error].filter(Boolean).join(": ");
  const attempted = [`${attempts} ${attempts === 1 ? "attempt" : "attempts"}`, last_duration_ms != null && `${last_duration_ms} ms`];
  const item = element(
    "li",
    { tabindex: -1 },
    element("strong", { class: `delivery-${state}` }, inWords(state)),
    element("a", { href: `?ticket=${ticket_id}`, "data-internal": true }, type),
    time(created_at),
    element("span", { class: "hint" }, attempted.filter(Boolean).join(", ")),
    last_attempt_at && result && element("span", { class: "hint result", dir: "auto" }, result),
    next_attempt_at && element("span", { class: "hint" }, "Next attempt ", exactTime(next_attempt_at)),
    element("code", { class: "hint" }, id),
    !["pending", "sending"].includes(state) &&
      element("button", { type: "button", class: "small", "aria-label": `Redeliver ${id}`, click: () => redeliver(delivery, item) }, "Redeliver"),
  );
  return item;
}
