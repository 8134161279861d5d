// Bars and tables.

import { element } from "./dom.js";

// Draws a bar for each row of { name, href, value, text, note }, relative to the largest value.
export function barList(rows) {
  const largest = Math.max(1, ...rows.map((row) => row.value));
  return element(
    "ul",
    { class: "bars" },
    rows.map((row) => element("li", null, barred(row, largest))),
  );
}

function barred({ name, href, value, text, note }, largest) {
  const bar = element("span", { class: "fill" });
  bar.style.inlineSize = `${(100 * value) / largest}%`;
  const parts = [
    element("span", { class: "bar-name" }, name),
    element("span", { class: "track", "aria-hidden": "true" }, bar),
    element("span", { class: "bar-value" }, text, note && element("span", { class: "note" }, ` ${note}`)),
  ];
  return href ? element("a", { class: "bar", href, "data-internal": true }, parts) : element("span", { class: "bar" }, parts);
}

// Builds a table. The first cell of each row is its heading.
export function table(caption, [corner, ...head], rows) {
  const headings = [
    corner ? element("th", { scope: "col" }, corner) : element("td", null),
    ...head.map((text) => element("th", { scope: "col" }, text)),
  ];
  return element(
    "table",
    null,
    element("caption", null, caption),
    element("thead", null, element("tr", null, headings)),
    element(
      "tbody",
      null,
      rows.map(([name, ...cells]) =>
        element(
          "tr",
          null,
          element("th", { scope: "row" }, name),
          cells.map((cell) => element("td", null, cell)),
        ),
      ),
    ),
  );
}
