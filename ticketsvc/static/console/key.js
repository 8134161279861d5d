// The API key, if the service requires one. It is stored only for this tab, until the tab is closed.

import { find } from "./dom.js";

const NAME = "ticket-console-key";
let pending = null;

export const key = () => sessionStorage.getItem(NAME);

export function forgetKey() {
  sessionStorage.removeItem(NAME);
  find("#forget-key").hidden = true;
}

// Asks for a key, once for all waiting requests. Resolves to whether there is a key, and dispatches "key" if so.
export function requestKey(reason) {
  pending ??= new Promise((resolve) => {
    const dialog = find("#key-dialog");
    const input = find("#key-input");
    find("#key-reason").textContent = reason;
    input.value = "";
    const submit = (event) => {
      event.preventDefault();
      if (input.value.trim()) sessionStorage.setItem(NAME, input.value.trim());
      dialog.close();
    };
    const form = find("form", dialog);
    form.addEventListener("submit", submit);
    dialog.addEventListener(
      "close",
      () => {
        form.removeEventListener("submit", submit);
        input.value = "";
        find("#forget-key").hidden = !key();
        pending = null;
        resolve(Boolean(key()));
        if (key()) dispatchEvent(new Event("key"));
      },
      { once: true },
    );
    dialog.showModal();
    input.focus();
  });
  return pending;
}

// `clear` removes what the user wrote with the key.
export function startKey(clear) {
  const forget = find("#forget-key");
  forget.hidden = !key();
  forget.addEventListener("click", () => {
    forgetKey();
    clear();
    location.reload(); // removes everything that was read with the key
  });
  find("#key-cancel").addEventListener("click", () => find("#key-dialog").close());
}
