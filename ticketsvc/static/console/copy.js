// A button that copies a text to the clipboard.

import { announce } from "./announcement.js";
import { element } from "./dom.js";

export const copyButton = (name, text) =>
  element("button", { type: "button", class: "quiet copy", click: () => copy(text()).then(() => announce("Copied")) }, name);

// Browsers offer navigator.clipboard only on HTTPS and localhost.
async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = element("textarea", { class: "visually-hidden" });
  area.value = text;
  const before = document.activeElement;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
  before?.focus();
}
