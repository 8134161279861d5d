// The values of the enumerated fields, their names for users, and their icons. An icon always has a name, at least for
// screen readers, and differs from others by shape, not only by colour.

import { element, svgElement } from "./dom.js";

export const VALUES = {
  status: ["open", "in_progress", "resolved", "closed"],
  priority: ["critical", "high", "medium", "low"],
  category: ["billing", "technical", "account", "general"],
};

export const SOURCES = {
  "caller": "a person",
  offline: "the lexicon",
  encoder: "the encoder",
  learned: "past corrections",
  openai: "the model",
  default: "the default",
  reclassify: "a later run",
};

// "in_progress" -> "In progress"
export function inWords(value) {
  const words = String(value ?? "none").replaceAll("_", " ");
  return words[0].toUpperCase() + words.slice(1);
}

// Only a share of exactly 1 is 100 %: 0.996 is 99 %.
export const percent = (share) => `${share < 1 ? Math.min(99, Math.round(share * 100)) : 100}\u00a0%`;

export const number = (value) => value.toLocaleString("en");

const icon = (name, ...parts) =>
  svgElement("svg", { class: `icon ${name}`, viewBox: "0 0 16 16", "aria-hidden": "true" }, ...parts);

// Four bars. The number of filled ones shows the urgency.
function priorityIcon(priority) {
  const filled = 4 - VALUES.priority.indexOf(priority);
  const bars = [1, 2, 3, 4].map((bar) => {
    const height = 2 + bar * 3;
    const place = { x: bar * 4 - 3.5, y: 15 - height, width: 3, height, rx: 0.8 };
    return svgElement("rect", { ...place, class: bar <= filled ? "on" : "off" });
  });
  return icon(`priority-${priority}`, ...bars);
}

function statusIcon(status) {
  const circle = svgElement("circle", { cx: 8, cy: 8, r: 6.2, class: "ring" });
  const inside = {
    in_progress: [svgElement("path", { d: "M8 4a4 4 0 0 1 0 8z", class: "on" })],
    resolved: [svgElement("path", { d: "M4.9 8.2l2.2 2.2 4-4.6", class: "stroke" })],
    closed: [svgElement("path", { d: "M5 8h6", class: "stroke" })],
  };
  return icon(`status-${status}`, circle, ...(inside[status] ?? []));
}

// Returns an icon with its name. `bare` shows the name only to screen readers.
export function label(field, value, { bare = false } = {}) {
  const icons = { priority: priorityIcon, status: statusIcon };
  const word = element("span", bare ? { class: "visually-hidden" } : null, inWords(value));
  return element("span", { class: "label", title: bare && inWords(value) }, icons[field]?.(value), word);
}
