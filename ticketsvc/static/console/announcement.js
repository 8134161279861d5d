// A short message at the bottom of the page, also for screen readers. It can offer one action, such as Undo.

import { find } from "./dom.js";

const [place, text, button] = ["#announcement", "#announcement-text", "#announcement-action"].map((id) => find(id));
let hideTimer;
let run = null;

// `action` is { name, run }. The message stays longer with one, and while the pointer or the focus is on it.
export function announce(message, action = null) {
  text.textContent = message;
  run = action?.run ?? null;
  button.textContent = action?.name ?? "";
  button.hidden = !action;
  place.classList.add("shown");
  hideLater();
}

// Runs the offered action, as the shortcut does. Returns whether there was one.
export function runOffered() {
  const offered = run;
  hide();
  offered?.();
  return Boolean(offered);
}

function hideLater() {
  clearTimeout(hideTimer);
  hideTimer = setTimeout(() => (place.matches(":hover, :focus-within") ? hideLater() : hide()), run ? 10_000 : 5000);
}

function hide() {
  clearTimeout(hideTimer);
  run = null;
  button.hidden = true;
  place.classList.remove("shown");
}

export function startAnnouncements() {
  button.addEventListener("click", runOffered);
}
