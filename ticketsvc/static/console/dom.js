// DOM helpers. Ticket contents become text nodes only and are never parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

export const find = (selector, within = document) => within.querySelector(selector);

export const element = (name, attributes, ...children) => complete(document.createElement(name), attributes, children);

export const svgElement = (name, attributes, ...children) =>
  complete(document.createElementNS(SVG, name), attributes, children);

// An attribute whose value is a function becomes an event listener. false and null omit an attribute or a child.
function complete(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child != null && child !== false));
  return made;
}

// Returns a function that runs the action when it was not called for the given number of milliseconds.
export function debounced(milliseconds, action) {
  let timer;
  const delayed = (...values) => {
    clearTimeout(timer);
    timer = setTimeout(action, milliseconds, ...values);
  };
  delayed.cancel = () => clearTimeout(timer);
  return delayed;
}

// Returns a function that runs the action soon, and again only after `interval()` milliseconds: once for all calls meanwhile.
// All browsers hear of an event at once, so how soon differs.
export function throttled(interval, action) {
  let [timer, earliest] = [null, 0];
  const run = () => {
    [timer, earliest] = [null, Date.now() + interval()];
    action();
  };
  return () => (timer ??= setTimeout(run, Math.max(200 * Math.random(), earliest - Date.now())));
}

// Changes the open ticket, and scrolls it so that the control with the focus stays where it is on the screen.
export function withoutMoving(change) {
  const focused = document.activeElement;
  const place = () => focused.getBoundingClientRect().top;
  const before = place();
  change();
  for (const scroller of [find("#ticket"), document.scrollingElement]) scroller.scrollBy(0, place() - before); // narrow: the page
}

// A setting of this browser. It is lost where the browser stores nothing for the page.
export function setting(name) {
  const key = `ticket-console-${name}`;
  const attempt = (action) => {
    try {
      return action();
    } catch {
      return null; // the browser forbids storage, or it is full
    }
  };
  return {
    get: () => attempt(() => localStorage.getItem(key)),
    set: (value) => attempt(() => localStorage.setItem(key, value)),
  };
}
