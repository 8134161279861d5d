// The page's address says what is shown: it can be shared, and the browser's back button works.
//   view=file | view=statistics, else the queue; ticket=ID beside the queue; the filters of filters.js.

export const address = () => new URLSearchParams(location.search);

// The address with some parameters changed; "" and null remove one.
export function withChanges(changes) {
  const parameters = address();
  for (const [name, value] of Object.entries(changes)) {
    if (value) parameters.set(name, value);
    else parameters.delete(name);
  }
  const query = parameters.toString().replaceAll("%2C", ",");
  return query ? `?${query}` : location.pathname;
}

export function go(changes, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", withChanges(changes));
  dispatchEvent(new Event("address"));
}

// Links within the console change the address without loading the page anew, unless a new tab or window is wanted.
export function followLinks() {
  addEventListener("popstate", () => dispatchEvent(new Event("address")));
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-inside]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    if (link.href !== location.href) history.pushState(null, "", link.href);
    dispatchEvent(new Event("address"));
  });
}
