// Resolution times as a table with a logarithmic scale: they range from minutes to months.

import { element } from "./dom.js";
import { label, number, VALUES } from "./labels.js";
import { FEW } from "./statistics_sums.js";
import { duration } from "./times.js";

const [MINUTE, HOUR, DAY] = [60, 3600, 86_400];
const TICKS = [
  ...[1, 10].map((minutes) => [minutes * MINUTE, `${minutes} min`]),
  ...[1, 3, 12].map((hours) => [hours * HOUR, `${hours} h`]),
  ...[1, 2, 4, 7, 14, 30, 90, 365].map((days) => [days * DAY, `${days} d`]),
];
const BETWEEN_TICKS = 9; // percent of the scale

export function resolutionFigures([data]) {
  if (!data.count) return null;
  const rows = [
    { name: "All", times: data },
    ...["priority", "category"].flatMap((field) =>
      VALUES[field].map((value) => ({ name: label(field, value), times: data[`${field}_breakdown`][value] })),
    ),
  ].filter(({ times }) => times.count);
  const place = scale(rows.flatMap(({ times }) => [times.median_seconds, times.p90_seconds]));
  const hasFew = rows.some(({ times }) => times.count < FEW);
  return element(
    "div",
    null,
    table(rows, place),
    hasFew && element("p", { class: "hint" }, `Paler rows have fewer than ${FEW} tickets, which says little.`),
  );
}

// Returns a function from seconds to the place on the scale, in percent.
function scale(values) {
  const logs = values.map((value) => Math.log(Math.max(1, value)));
  const [least, most] = [Math.min(...logs) - 0.4, Math.max(...logs) + 0.4];
  return (value) => (100 * (Math.log(Math.max(1, value)) - least)) / (most - least);
}

// Returns the ticks that are on the scale and leave room for each other's text.
function ticksOn(place) {
  const chosen = [];
  for (const [seconds, text] of TICKS) {
    const isOnScale = place(seconds) > 3 && place(seconds) < 97;
    if (isOnScale && place(seconds) - (chosen.at(-1)?.percent ?? -BETWEEN_TICKS) >= BETWEEN_TICKS) {
      chosen.push({ percent: place(seconds), text });
    }
  }
  return chosen;
}

function table(rows, place) {
  const head = (text, name) => element("th", { scope: "col", class: name }, text);
  const ticks = ticksOn(place);
  return element(
    "table",
    { class: "ranges" },
    element("caption", null, "From creation to the first resolution, logarithmic. Half were faster than the median."),
    element(
      "thead",
      null,
      element(
        "tr",
        null,
        element("td", null),
        element("td", { class: "track", "aria-hidden": "true" }, ticks.map(({ percent, text }) => at("tick", percent, text))),
        head("Median", "median-head"),
        head("90 % within", "p90-head"),
        head("Tickets"),
      ),
    ),
    element(
      "tbody",
      null,
      rows.map(({ name, times }) => row(name, times, place, ticks)),
    ),
  );
}

function row(name, times, place, ticks) {
  const [median, p90] = [times.median_seconds, times.p90_seconds].map(place);
  const line = at("line", median);
  line.style.inlineSize = `${p90 - median}%`;
  return element(
    "tr",
    { class: times.count < FEW && "few" },
    element("th", { scope: "row" }, name),
    element(
      "td",
      { class: "track", "aria-hidden": "true" },
      ticks.map(({ percent }) => at("grid-line", percent)),
      line,
      at("median", median),
      at("p90", p90),
    ),
    element("td", null, duration(times.median_seconds)),
    element("td", null, duration(times.p90_seconds)),
    element("td", null, number(times.count)),
  );
}

function at(name, percent, text = "") {
  const made = element("span", { class: name }, text);
  made.style.insetInlineStart = `${percent}%`;
  return made;
}
