// The API key, where the service asks for one. It is kept for this tab until it is closed, and nowhere else.

import { find } from "./dom.js";

const NAME = "ticket-console-key";
let asking = null;

export const key = () => sessionStorage.getItem(NAME);

export function forgetKey() {
  sessionStorage.removeItem(NAME);
  find("#forget-key").hidden = true;
}

// Asks for a key, once for all calls that wait for one. Answers whether there is one now.
export function requestKey(reason) {
  asking ??= new Promise((resolve) => {
    const dialog = find("#key-dialog");
    const input = find("#key-input");
    find("#key-reason").textContent = reason;
    input.value = "";
    const answer = (event) => {
      event.preventDefault();
      if (input.value.trim()) sessionStorage.setItem(NAME, input.value.trim());
      dialog.close();
    };
    const form = find("form", dialog);
    form.addEventListener("submit", answer);
    dialog.addEventListener(
      "close",
      () => {
        form.removeEventListener("submit", answer);
        input.value = "";
        find("#forget-key").hidden = !key();
        asking = null;
        resolve(Boolean(key()));
      },
      { once: true },
    );
    dialog.showModal();
    input.focus();
  });
  return asking;
}

export function startKey() {
  const forget = find("#forget-key");
  forget.hidden = !key();
  forget.addEventListener("click", () => {
    forgetKey();
    location.reload(); // so that nothing read with the key stays on the page
  });
  find("#key-cancel").addEventListener("click", () => find("#key-dialog").close());
}
