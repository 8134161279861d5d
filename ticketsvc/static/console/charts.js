// Charts. Their numbers are also available as text: in labels or in a table.

import { element, svgElement } from "./dom.js";
import { number } from "./labels.js";
import { dayName } from "./times.js";

const HEIGHT = 220;
const MARGIN = { top: 12, right: 8, bottom: 26, left: 40 };

// Shows created tickets per day as bars and resolved ones as a line. Redraws when the width changes.
// Calls `point(day)` with the day under the pointer, or with null.
export function dailyChart(days, point) {
  const figure = element("div", { class: "chart" });
  const totals = { created: sum(days, "created"), resolved: sum(days, "resolved") };
  const name = `${number(totals.created)} created and ${number(totals.resolved)} resolved in ${days.length} days.`;
  new ResizeObserver(([entry]) => figure.replaceChildren(draw(days, entry.contentRect.width, name, point))).observe(
    figure,
  );
  return figure;
}

const sum = (days, kind) => days.reduce((total, day) => total + day[kind].total, 0);

function draw(days, width, name, point) {
  const inner = {
    width: Math.max(40, width - MARGIN.left - MARGIN.right),
    height: HEIGHT - MARGIN.top - MARGIN.bottom,
  };
  const step = inner.width / days.length;
  const top = niceTop(Math.max(...days.flatMap((day) => [day.created.total, day.resolved.total])));
  const x = (index) => MARGIN.left + (index + 0.5) * step;
  const y = (value) => MARGIN.top + inner.height * (1 - value / top);
  const bar = step < 4 ? step : step * 0.66; // thin bars with gaps would flicker
  const rule = svgElement("line", { class: "rule", y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom, visibility: "hidden" });
  const bars = days.map((day, index) => {
    const value = day.created.total;
    return svgElement("rect", {
      class: "created",
      x: x(index) - bar / 2,
      y: y(value),
      width: bar,
      height: y(0) - y(value),
      rx: Math.min(2, bar / 3),
    });
  });
  const line = days.map(
    (day, index) => `${index ? "L" : "M"}${x(index).toFixed(1)} ${y(day.resolved.total).toFixed(1)}`,
  );
  const dots =
    step < 12
      ? []
      : days.map((day, index) =>
          svgElement("circle", { class: "dot", cx: x(index), cy: y(day.resolved.total), r: 2.6 }),
        );
  const picture = svgElement(
    "svg",
    { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-label": `Per day: ${name}` },
    grid(top, y, width),
    dates(days, x, inner.width),
    bars,
    svgElement("path", { class: "resolved", d: line.join("") }),
    dots,
    rule,
  );
  const move = (event) => {
    const index = Math.floor((event.offsetX - MARGIN.left) / step);
    const day = days[index];
    rule.setAttribute("visibility", day ? "visible" : "hidden");
    if (day) for (const end of ["x1", "x2"]) rule.setAttribute(end, x(index));
    point(day ?? null);
  };
  picture.addEventListener("pointermove", move);
  picture.addEventListener("pointerdown", move);
  picture.addEventListener("pointerleave", () => {
    rule.setAttribute("visibility", "hidden");
    point(null);
  });
  return picture;
}

// Returns the smallest round number that is at least the value and divisible by four.
function niceTop(value) {
  for (let unit = 1; ; unit *= 10)
    for (const factor of [4, 8, 12, 16, 20, 24, 32]) if (factor * unit >= value) return factor * unit;
}

function grid(top, y, width) {
  return [0, 1, 2, 3, 4].map((line) => {
    const value = (top * line) / 4;
    return svgElement(
      "g",
      null,
      svgElement("line", {
        class: line ? "grid" : "base",
        x1: MARGIN.left,
        x2: width - MARGIN.right,
        y1: y(value),
        y2: y(value),
      }),
      svgElement("text", { x: MARGIN.left - 8, y: y(value) + 4, "text-anchor": "end" }, number(value)),
    );
  });
}

function dates(days, x, width) {
  const every = Math.max(1, Math.ceil(days.length / Math.max(2, width / 84)));
  return days.flatMap((day, index) => {
    const fromEnd = days.length - 1 - index;
    if (fromEnd % every) return [];
    const anchor = fromEnd ? "middle" : "end";
    return [
      svgElement(
        "text",
        { x: fromEnd ? x(index) : x(index) + 8, y: HEIGHT - 8, "text-anchor": anchor },
        dayName(day.date),
      ),
    ];
  });
}

// Draws a bar for each row of { name, value, text }, relative to the largest value.
export function barList(rows) {
  const largest = Math.max(1, ...rows.map((row) => row.value));
  return barred("bars", rows, ({ value }) => {
    const bar = element("span", { class: "fill" });
    bar.style.inlineSize = `${(100 * value) / largest}%`;
    return [bar];
  });
}

// Draws a range for each row of { name, from, to, text }. The scale is logarithmic: resolution takes minutes to weeks.
export function rangeList(rows) {
  const scale = (value) => Math.log10(Math.max(1, value));
  const values = rows
    .flatMap((row) => [row.from, row.to])
    .filter((value) => value != null)
    .map(scale);
  const [least, most] = [Math.min(...values) - 0.15, Math.max(...values) + 0.15];
  const place = (value) => `${(100 * (scale(value) - least)) / (most - least)}%`;
  return barred("bars ranges", rows, ({ from, to }) => (from == null ? [] : range(place(from), place(to))));
}

function barred(name, rows, draw) {
  const row = (each) => [
    element("span", { class: "bar-name" }, each.name),
    element("span", { class: "track", "aria-hidden": "true" }, draw(each)),
    element("span", { class: "bar-value" }, each.text),
  ];
  return element(
    "ul",
    { class: name },
    rows.map((each) => element("li", null, row(each))),
  );
}

function range(from, to) {
  const line = element("span", { class: "line" });
  line.style.insetInlineStart = from;
  line.style.inlineSize = `calc(${to} - ${from})`;
  const [median, p90] = [element("span", { class: "median" }), element("span", { class: "p90" })];
  median.style.insetInlineStart = from;
  p90.style.insetInlineStart = to;
  return [line, median, p90];
}

// Builds a table. The first cell of each row is its heading.
export function table(caption, head, rows) {
  return element(
    "table",
    null,
    element("caption", null, caption),
    element(
      "thead",
      null,
      element(
        "tr",
        null,
        head.map((text) => element("th", { scope: "col" }, text)),
      ),
    ),
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
