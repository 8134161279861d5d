// What is shown where something else would be: nothing there, still loading, or a call that failed.

import { element } from "./dom.js";

export function failure(problem, again) {
  return element(
    "div",
    { class: "notice failed", role: "alert" },
    element("p", { class: "notice-title" }, problem.title ?? "This page has a defect"),
    element("p", null, problem.detail ?? String(problem)),
    problem.requestId && element("p", { class: "hint" }, "Request ", element("code", null, problem.requestId)),
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
  element("div", { class: "loading", role: "status" }, element("span", { class: "unseen" }, "Loading"), bars(lines));

const bars = (lines) => Array.from({ length: lines }, () => element("div", { class: "bar", "aria-hidden": "true" }));

// True when a call ended because nobody waits for its answer any more.
export const isAbort = (error) => error.name === "AbortError";
