// Notices for failed requests, empty lists and loading.

import { element } from "./dom.js";

// `again` is what the button "Try again" does; `more` are further elements.
export function failure(problem, again, ...more) {
  return element(
    "div",
    { class: "notice failed", role: "alert" },
    element("p", { class: "notice-title" }, problem.title ?? "Unexpected error"),
    element("p", null, problem.detail ?? String(problem)),
    problem.requestId && element("p", { class: "hint" }, "Request ", element("code", null, problem.requestId)),
    ...more,
    again && element("button", { type: "button", click: again }, "Try again"),
  );
}

export function empty(title, text, ...actions) {
  return element(
    "div",
    { class: "notice" },
    element("p", { class: "notice-title" }, title),
    element("p", null, text),
    ...actions,
  );
}

export const loading = (lines) =>
  element(
    "div",
    { class: "loading", role: "status" },
    element("span", { class: "visually-hidden" }, "Loading"),
    bars(lines),
  );

const bars = (lines) => Array.from({ length: lines }, () => element("div", { class: "bar", "aria-hidden": "true" }));

// Returns whether a request was aborted because its response is no longer needed.
export const isAbort = (error) => error.name === "AbortError";
