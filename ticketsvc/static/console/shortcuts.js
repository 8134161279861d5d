// Keyboard shortcuts. They can be turned off (WCAG 2.1.4), because speech input may trigger them.

import { element, find, setting } from "./dom.js";

const stored = setting("shortcuts");
const dialog = find("#shortcuts-dialog");
const enabled = find("#shortcuts-on");

// Each shortcut is { keys, text, action }. An action returns false if it does not handle the key.
export function startShortcuts(shortcuts) {
  const list = [...shortcuts, { keys: ["?"], text: "Show these shortcuts", action: showShortcuts }];
  const byKey = new Map(list.flatMap((shortcut) => shortcut.keys.map((key) => [key, shortcut])));
  find("#shortcut-list").append(
    ...list.flatMap(({ keys, text }) => [
      element(
        "dt",
        null,
        keys.flatMap((key, index) => [index > 0 && " or ", element("kbd", null, key)]),
      ),
      element("dd", null, text),
    ]),
  );
  enabled.checked = stored.get() !== "off";
  enabled.addEventListener("change", () => stored.set(enabled.checked ? "on" : "off"));
  find("#show-shortcuts").addEventListener("click", showShortcuts);
  find("#close-shortcuts").addEventListener("click", () => dialog.close());
  document.addEventListener("keydown", (event) => {
    const shortcut = byKey.get(event.key === "Escape" ? "Esc" : event.key);
    if (!shortcut || isForOtherControl(event)) return;
    if (shortcut.action() !== false) event.preventDefault();
  });
}

function isForOtherControl(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || find("dialog[open]")) return true;
  if (event.key === "Escape") return false;
  if (!enabled.checked) return true;
  return Boolean(event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]"));
}

function showShortcuts() {
  dialog.showModal();
  find("#close-shortcuts").focus();
}
