// A chart of created tickets as bars and resolved ones as a line, by day or week, and the same numbers as a table.

import { table } from "./charts.js";
import { element, svgElement } from "./dom.js";
import { inWords, number } from "./labels.js";

const HEIGHT = 220;
const MARGIN = { top: 12, right: 8, bottom: 26, left: 40 };
const KINDS = ["created", "resolved"];

// `buckets` are { name, tick, note, created, resolved }, oldest first. A note says why one is unfinished. Returns null if
// all are zero.
export function timeChart(buckets, zone) {
  const sum = Object.fromEntries(KINDS.map((kind) => [kind, buckets.reduce((all, each) => all + each[kind], 0)]));
  if (!sum.created && !sum.resolved) return null;
  const readout = element("p", { class: "readout" });
  const point = (bucket) => {
    const key = (kind) =>
      element("span", { class: `key ${kind}` }, `${inWords(kind)} `, element("strong", null, number((bucket ?? sum)[kind])));
    const note = bucket?.note && ` (${bucket.note})`;
    readout.replaceChildren(
      element("span", { class: "when" }, bucket ? bucket.name : "In all", note || ""),
      ...KINDS.map(key),
      ...(buckets.some((each) => each.note) ? [element("span", { class: "key unfinished" }, "Unfinished")] : []),
    );
  };
  point(null);
  const chart = element("div", { class: "chart" });
  const name = `${number(sum.created)} created and ${number(sum.resolved)} resolved.`;
  new ResizeObserver(([entry]) => chart.replaceChildren(draw(buckets, entry.contentRect.width, name, point))).observe(chart);
  return element("div", null, readout, chart, asTable(buckets, zone));
}

function asTable(buckets, zone) {
  const caption = `Tickets created and first resolved, ${zone}`;
  const rows = buckets
    .toReversed()
    .map(({ name, note, created, resolved }) => [note ? `${name} (${note})` : name, number(created), number(resolved)]);
  const region = { class: "scroll", tabindex: 0, role: "region", "aria-label": caption };
  return element(
    "details",
    null,
    element("summary", null, "As a table"),
    element("div", region, table(caption, ["", "Created", "Resolved"], rows)),
  );
}

function draw(buckets, width, name, point) {
  const inner = {
    width: Math.max(40, width - MARGIN.left - MARGIN.right),
    height: HEIGHT - MARGIN.top - MARGIN.bottom,
  };
  const step = inner.width / buckets.length;
  const top = niceTop(Math.max(...buckets.flatMap(({ created, resolved }) => [created, resolved])));
  const x = (index) => MARGIN.left + (index + 0.5) * step;
  const y = (value) => MARGIN.top + inner.height * (1 - value / top);
  const rule = svgElement("line", { class: "rule", y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom, visibility: "hidden" });
  const picture = svgElement(
    "svg",
    { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-label": name },
    grid(top, y, width),
    ticks(buckets, x, inner.width),
    bars(buckets, x, y, step),
    lines(buckets, x, y, step),
    rule,
  );
  const move = (event) => {
    const index = Math.floor((event.offsetX - MARGIN.left) / step);
    const bucket = buckets[index];
    rule.setAttribute("visibility", bucket ? "visible" : "hidden");
    if (bucket) for (const end of ["x1", "x2"]) rule.setAttribute(end, x(index));
    point(bucket ?? null);
  };
  picture.addEventListener("pointermove", move);
  picture.addEventListener("pointerdown", move);
  picture.addEventListener("pointerleave", () => {
    rule.setAttribute("visibility", "hidden");
    point(null);
  });
  return picture;
}

function bars(buckets, x, y, step) {
  const width = step * 0.66;
  return buckets.map(({ created, note }, index) =>
    svgElement("rect", {
      class: note ? "created unfinished" : "created",
      x: x(index) - width / 2,
      y: y(created),
      width,
      height: y(0) - y(created),
      rx: Math.min(2, width / 3),
    }),
  );
}

// Draws the line. Its pieces from and to an unfinished bucket are dashed.
function lines(buckets, x, y, step) {
  const at = (index) => [x(index), y(buckets[index].resolved)];
  const pieces = buckets.slice(1).map((bucket, index) => {
    const [[x1, y1], [x2, y2]] = [at(index), at(index + 1)];
    const isDashed = bucket.note || buckets[index].note;
    return svgElement("line", { class: isDashed ? "resolved unfinished" : "resolved", x1, y1, x2, y2 });
  });
  const dots = step < 12 ? [] : buckets.map((_, index) => svgElement("circle", { class: "dot", cx: at(index)[0], cy: at(index)[1], r: 2.6 }));
  return [...pieces, ...dots];
}

// Returns the smallest round number that is at least the value and divisible by four.
function niceTop(value) {
  const usual = [4, 8, 12, 16, 20, 24, 32];
  for (let unit = 1; ; unit *= 10) {
    const factor = (unit > 1 ? [4, 6, 8] : usual).find((each) => each * unit >= value);
    if (factor) return factor * unit;
  }
}

function grid(top, y, width) {
  return [0, 1, 2, 3, 4].map((line) => {
    const value = (top * line) / 4;
    const ends = { x1: MARGIN.left, x2: width - MARGIN.right, y1: y(value), y2: y(value) };
    return svgElement(
      "g",
      null,
      svgElement("line", { class: line ? "grid" : "base", ...ends }),
      svgElement("text", { x: MARGIN.left - 8, y: y(value) + 4, "text-anchor": "end" }, number(value)),
    );
  });
}

function ticks(buckets, x, width) {
  const every = Math.max(1, Math.ceil(buckets.length / Math.max(2, width / 84)));
  return buckets.flatMap(({ tick }, index) => {
    const fromEnd = buckets.length - 1 - index;
    if (fromEnd % every) return [];
    const place = { x: fromEnd ? x(index) : x(index) + 8, y: HEIGHT - 8, "text-anchor": fromEnd ? "middle" : "end" };
    return [svgElement("text", place, tick)];
  });
}
