// A button that opens a list of values: a select-only combobox, as the ARIA Authoring Practices describe it. Moving in
// the list chooses nothing, unlike in a native select, so a change is made once, with Enter or a click.

import { element } from "./dom.js";

// `show(value)` returns the content for a value, `choose(value)` is called for another value than the current one. Until
// `set` has been called there is none, and the button shows the name.
export function menu({ id, name, values, show, choose }) {
  const options = values.map((value, index) =>
    element(
      "li",
      { role: "option", id: `${id}-${value}`, "data-value": value, "aria-selected": "false" },
      show(value),
      element("kbd", { "aria-hidden": "true" }, String(index + 1)),
    ),
  );
  const list = element("ul", { role: "listbox", id: `${id}-list`, class: "menu", hidden: true }, options);
  const button = element("button", {
    type: "button",
    role: "combobox",
    id,
    class: "menu-button",
    "aria-label": name,
    "aria-haspopup": "listbox",
    "aria-expanded": "false",
    "aria-controls": list.id,
  });
  list.setAttribute("aria-labelledby", id);
  button.append(name);
  let [current, active, before] = [null, 0, null];

  function set(value) {
    current = value;
    button.replaceChildren(show(value));
    for (const option of options) option.setAttribute("aria-selected", String(option.dataset.value === value));
  }

  // Opens the list. With `from`, closing it returns the focus there.
  function open(from = null) {
    before = from;
    button.focus();
    list.hidden = false;
    button.setAttribute("aria-expanded", "true");
    moveTo(values.indexOf(current));
  }

  function close() {
    if (list.hidden) return;
    list.hidden = true;
    button.setAttribute("aria-expanded", "false");
    button.removeAttribute("aria-activedescendant");
    if (document.activeElement === button && before?.isConnected) before.focus();
    before = null;
  }

  function moveTo(index) {
    active = Math.max(0, Math.min(values.length - 1, index));
    for (const [each, option] of options.entries()) option.classList.toggle("active", each === active);
    button.setAttribute("aria-activedescendant", options[active].id);
    list.scrollIntoView({ block: "nearest" });
  }

  function take(index) {
    const value = values[index];
    close();
    if (value !== current) choose(value);
  }

  // Returns whether the key was for the open list. A letter moves to the next value that starts with it.
  function handle(key) {
    const steps = { ArrowDown: active + 1, ArrowUp: active - 1, Home: 0, End: values.length - 1 };
    if (key in steps) moveTo(steps[key]);
    else if (key === "Enter" || key === " ") take(active);
    else if (key === "Escape" || key === "Tab") close();
    else if (values[key - 1]) moveTo(key - 1);
    else {
      const following = [...values.keys()].map((index) => (active + 1 + index) % values.length);
      const found = following.find((index) => values[index].startsWith(key.toLowerCase()));
      if (found === undefined) return false;
      moveTo(found);
    }
    return key !== "Tab";
  }

  button.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (list.hidden) {
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      open();
      event.preventDefault();
    } else if (handle(event.key)) event.preventDefault();
    event.stopPropagation(); // no shortcut of the page
  });
  button.addEventListener("click", () => (list.hidden ? open() : close()));
  button.addEventListener("blur", close);
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // keeps the focus
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) take(options.indexOf(option));
  });
  return { root: element("div", { class: "menu-place" }, button, list), button, open, isOpen: () => !list.hidden, set };
}
