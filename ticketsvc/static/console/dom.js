// Elements and their text. What a ticket says goes into the page as text nodes only: nothing of it is read as HTML.

const SVG = "http://www.w3.org/2000/svg";

export const find = (selector, within = document) => within.querySelector(selector);

export const element = (name, attributes, ...children) => complete(document.createElement(name), attributes, children);

export const drawing = (name, attributes, ...children) =>
  complete(document.createElementNS(SVG, name), attributes, children);

// A function among the attributes listens to the event of that name; false and null leave an attribute or a child out.
function complete(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child != null && child !== false));
  return made;
}

// Text with the places marked where one of the words occurs.
export function marked(text, words) {
  if (!words.length) return [text];
  const escaped = words.map((word) => word.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"));
  const parts = text.split(new RegExp(`(${escaped.join("|")})`, "iu"));
  return parts.map((part, index) => (index % 2 ? element("mark", null, part) : part));
}

// What people who cannot see the page are told without being asked, and others for a few seconds.
let silence;
export function say(text) {
  const said = find("#said");
  said.textContent = text;
  said.classList.add("shown");
  clearTimeout(silence);
  silence = setTimeout(() => said.classList.remove("shown"), 5000);
}

// Calls an action once nobody has asked for it for so many milliseconds.
export function debounced(milliseconds, action) {
  let timer;
  const later = (...values) => {
    clearTimeout(timer);
    timer = setTimeout(action, milliseconds, ...values);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
}
