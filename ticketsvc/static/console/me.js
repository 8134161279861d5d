// The name of the user: tickets are assigned to it, and comments are signed with it. The service knows no users, so
// the console asks once. The name is kept in this browser.

import { find, setting } from "./dom.js";

const stored = setting("name");
const [dialog, input] = ["#name-dialog", "#name-input"].map((id) => find(id));
let name = stored.get() || null; // also where the browser stores nothing

export const me = () => name;

// Resolves to the name, or to null if the user does not give one.
export const meOrAsk = async () => name ?? askName();

// Lets the user enter or change the name. Dispatches "name" if it has changed.
export function askName() {
  input.value = name ?? "";
  dialog.returnValue = "";
  dialog.showModal();
  input.select();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "save" ? name : null), { once: true });
  });
}

export function startName() {
  find("form", dialog).addEventListener("submit", (event) => {
    event.preventDefault();
    const given = input.value.trim();
    if (!given) return;
    name = given;
    stored.set(given);
    dialog.close("save");
    dispatchEvent(new Event("name"));
  });
  find("#name-cancel").addEventListener("click", () => dialog.close());
}
