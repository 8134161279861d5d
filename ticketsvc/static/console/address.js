// The URL of the page is its state, so it can be shared and the back button works.
//   view=file, view=statistics or view=webhooks (default: the queue), ticket=ID (the open ticket), and the filters of filters.js.

export const address = () => new URLSearchParams(location.search);

// Returns the URL with changed parameters. "" and null remove a parameter.
export function withChanges(changes) {
  const parameters = address();
  for (const name of Object.keys(changes)) parameters.delete(name);
  for (const [name, value] of Object.entries(changes)) if (value) parameters.set(name, value); // in this order
  const query = parameters.toString().replaceAll("%2C", ",");
  return query ? `?${query}` : location.pathname;
}

// Returns the URL of the queue with these parameters only.
export function queueLink(parameters) {
  const given = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value));
  return `?${given.toString().replaceAll("%2C", ",")}`;
}

export function go(changes, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", withChanges(changes));
  dispatchEvent(new Event("address"));
}

// Makes links within the console change the URL without reloading the page, except when they open a new tab or window.
export function followLinks() {
  addEventListener("popstate", () => dispatchEvent(new Event("address")));
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-internal]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    if (link.href !== location.href) history.pushState(null, "", link.href);
    dispatchEvent(new Event("address"));
  });
}
