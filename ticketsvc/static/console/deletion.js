// The question before something is deleted. The safe button has the focus.

import { find } from "./dom.js";

const dialog = find("#delete-dialog");

// Resolves to whether the user confirmed. `quote` is the beginning of what would be deleted.
export function confirmDeletion({ title, text, quote }) {
  find("#delete-title").textContent = title;
  find("#delete-text").textContent = text;
  find("#delete-name").textContent = quote;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "delete"), { once: true });
  });
}

export function startDeletion() {
  find("#delete-confirm").addEventListener("click", () => dialog.close("delete"));
  find("#delete-cancel").addEventListener("click", () => dialog.close());
}
