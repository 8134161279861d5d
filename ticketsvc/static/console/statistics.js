// The statistics as charts. Each part loads and fails independently.

import { address, go } from "./address.js";
import { request } from "./api.js";
import { barList, dailyChart, rangeList, table } from "./charts.js";
import { element, find } from "./dom.js";
import { inWords, label, number, VALUES } from "./labels.js";
import { empty, failure, isAbort, loading } from "./notices.js";
import { triageFigures } from "./statistics_triage.js";
import { dayName, duration, localDate, startOf, timeZone } from "./times.js";

const span = find("#span");
const figures = find("#figures");
let pending = new AbortController();

const PARTS = [
  { title: "Queue", path: "stats/", query: createdSince, draw: drawTotals, wide: true },
  { title: "Created and resolved each day", path: "stats/daily/", query: sinceDay, draw: drawDaily, wide: true },
  { title: "By priority", path: "stats/", query: createdSince, draw: (data) => breakdown(data, "priority") },
  { title: "By category", path: "stats/", query: createdSince, draw: (data) => breakdown(data, "category") },
  {
    title: "Time to the first resolution",
    path: "stats/resolution/",
    query: createdSince,
    draw: drawResolution,
    wide: true,
  },
  {
    title: "Triage: suggested and final labels",
    path: "stats/triage/",
    query: createdSince,
    draw: triageFigures,
    wide: true,
  },
];

export function startStatistics() {
  span.addEventListener("change", () => go({ days: span.value === "30" ? null : span.value }));
}

export function showStatistics(parameters) {
  const wanted = parameters.get("days");
  span.value = [...span.options].some((option) => option.value === wanted) ? wanted : "30";
  pending.abort();
  pending = new AbortController();
  const responses = new Map(); // parts that need the same request share it, so that they agree
  const fetchOnce = (path, query) => {
    const name = `${path}?${query}`;
    if (!responses.has(name)) responses.set(name, request("GET", path, { query, signal: pending.signal }));
    return responses.get(name);
  };
  figures.replaceChildren(...PARTS.map((part) => show(part, fetchOnce)));
}

function show(part, fetchOnce) {
  const place = element("div", { class: "figure-body" }, loading(3));
  fill(part, place, fetchOnce);
  return element("section", { class: part.wide ? "figure wide" : "figure" }, element("h2", null, part.title), place);
}

async function fill(part, place, fetchOnce) {
  try {
    const { data } = await fetchOnce(part.path, part.query(Number(span.value)));
    place.replaceChildren(part.draw(data));
  } catch (error) {
    if (!isAbort(error)) place.replaceChildren(failure(error, () => showStatistics(address())));
  }
}

function createdSince(days) {
  return new URLSearchParams({ created_since: startOf(localDate(1 - days)) }).toString();
}

function sinceDay(days) {
  return new URLSearchParams({ tz: timeZone, since: localDate(1 - days), before: localDate(1) }).toString();
}

function drawTotals(data) {
  const facts = [
    [number(data.total_tickets), "tickets created"],
    [number(data.open_tickets), "of them open"],
    [number(data.avg_tickets_per_day), "a day on average"],
  ];
  return element(
    "dl",
    { class: "totals" },
    facts.map(([value, name]) => element("div", null, element("dt", null, name), element("dd", null, value))),
  );
}

function drawDaily({ days, tz }) {
  const readout = element("p", { class: "readout" });
  const showReadout = (day) => {
    const total = (kind) => day?.[kind].total ?? days.reduce((all, each) => all + each[kind].total, 0);
    const key = (kind) =>
      element("span", { class: `key ${kind}` }, `${inWords(kind)} `, element("strong", null, number(total(kind))));
    readout.replaceChildren(
      element("span", { class: "when" }, day ? dayName(day.date) : `${days.length} days`),
      key("created"),
      key("resolved"),
    );
  };
  showReadout(null);
  const rows = days
    .toReversed()
    .map((day) => [dayName(day.date), number(day.created.total), number(day.resolved.total)]);
  const caption = `Tickets created and first resolved each day, ${tz}`;
  return element(
    "div",
    null,
    readout,
    dailyChart(days, showReadout),
    element(
      "details",
      null,
      element("summary", null, "As a table"),
      element(
        "div",
        { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
        table(caption, ["Day", "Created", "Resolved"], rows),
      ),
    ),
  );
}

function breakdown(data, field) {
  const counts = data[`${field}_breakdown`];
  const total = data.total_tickets || 1;
  return barList(
    VALUES[field].map((value) => ({
      name: label(field, value),
      value: counts[value],
      text: `${number(counts[value])} · ${Math.round((100 * counts[value]) / total)} %`,
    })),
  );
}

function drawResolution(data) {
  if (!data.count) return empty("Nothing resolved yet", "No ticket created in this period has been resolved.");
  const row = (name, times) => ({
    name,
    from: times.median_seconds,
    to: times.p90_seconds,
    text: times.count ? `${duration(times.median_seconds)} · ${duration(times.p90_seconds)}` : "none yet",
  });
  const rows = ["priority", "category"].flatMap((field) =>
    VALUES[field].map((value) => row(label(field, value), data[`${field}_breakdown`][value])),
  );
  const key = element(
    "p",
    { class: "readout" },
    element("span", { class: "key median" }, "Median: half were faster"),
    element("span", { class: "key p90" }, "90th percentile: nine of ten were faster"),
  );
  return element("div", null, key, rangeList([row(`All ${number(data.count)}`, data), ...rows]));
}
