// The closed vocabularies of a ticket, their words for people, and their signs. A sign never stands without its word,
// at least for screen readers, and differs by shape, not by colour alone.

import { drawing, element } from "./dom.js";

export const VALUES = {
  status: ["open", "in_progress", "resolved", "closed"],
  priority: ["critical", "high", "medium", "low"],
  category: ["billing", "technical", "account", "general"],
};

export const SOURCES = {
  caller: "a person",
  offline: "the lexicon",
  learned: "past corrections",
  openai: "the model",
  default: "the default",
  reclassify: "a later look",
};

// "in_progress" -> "In progress"
export function inWords(value) {
  const words = String(value ?? "none").replaceAll("_", " ");
  return words[0].toUpperCase() + words.slice(1);
}

// A share that is not whole is not called so: 0.996 is 99 %.
export const percent = (share) => `${share < 1 ? Math.min(99, Math.round(share * 100)) : 100} %`;

export const number = (value) => value.toLocaleString("en");

const sign = (name, ...parts) =>
  drawing("svg", { class: `sign ${name}`, viewBox: "0 0 16 16", "aria-hidden": "true" }, ...parts);

// Four bars, as many of them filled as it is urgent.
function prioritySign(priority) {
  const filled = 4 - VALUES.priority.indexOf(priority);
  const bars = [1, 2, 3, 4].map((bar) => {
    const height = 2 + bar * 3;
    const place = { x: bar * 4 - 3.5, y: 15 - height, width: 3, height, rx: 0.8 };
    return drawing("rect", { ...place, class: bar <= filled ? "on" : "off" });
  });
  return sign(`priority-${priority}`, ...bars);
}

function statusSign(status) {
  const circle = drawing("circle", { cx: 8, cy: 8, r: 6.2, class: "ring" });
  const inside = {
    in_progress: [drawing("path", { d: "M8 4a4 4 0 0 1 0 8z", class: "on" })],
    resolved: [drawing("path", { d: "M4.9 8.2l2.2 2.2 4-4.6", class: "stroke" })],
    closed: [drawing("path", { d: "M5 8h6", class: "stroke" })],
  };
  return sign(`status-${status}`, circle, ...(inside[status] ?? []));
}

// A sign with its word; `bare` hides the word from those who see the sign.
export function label(field, value, { bare = false } = {}) {
  const signs = { priority: prioritySign, status: statusSign };
  const word = element("span", bare ? { class: "unseen" } : null, inWords(value));
  return element("span", { class: "label", title: bare && inWords(value) }, signs[field]?.(value), word);
}
