// The statistics: first what is to do now, then what happened in a period, compared with the one before.

import { address, go, queueLink } from "./address.js";
import { request } from "./api.js";
import { barList } from "./charts.js";
import { element, find, throttled } from "./dom.js";
import { asParameters, WORK } from "./filters.js";
import { label, number, VALUES } from "./labels.js";
import { empty, failure, isAbort, loading } from "./notices.js";
import { backlog, flow } from "./statistics_backlog.js";
import { created, daily, periodOf, showPeriod, startPeriod } from "./statistics_period.js";
import { resolutionFigures } from "./statistics_resolution.js";
import { buckets, changeText } from "./statistics_sums.js";
import { triageFigures } from "./statistics_triage.js";
import { timeChart } from "./time_chart.js";
import { dateName, timeZone } from "./times.js";

const figures = find("#figures");
let pending = new AbortController();

// Each section has a title and the requests that it needs, as [path, query]. Sections that need the same response share
// it, so that they agree.
const SECTIONS = [
  {
    title: () => "Backlog now",
    needs: ({ category }) => [
      ["stats", { status: WORK.status, category }],
      ["", { status: WORK.status, category, sort: "created_at", limit: 1 }],
    ],
    draw: backlog,
  },
  {
    title: () => "In this period",
    needs: (period) => [
      ["stats/daily", daily(period)],
      ["stats/daily", daily(period.before)],
    ],
    draw: flow,
  },
  {
    title: ({ isByWeek }) => `Created and resolved each ${isByWeek ? "week" : "day"}`,
    isWide: true,
    needs: (period) => [["stats/daily", daily(period)]],
    draw: ([{ days }], period) => timeChart(buckets(days, period), timeZone),
  },
  ...["priority", "category"].map((field) => ({
    title: () => `Created, by ${field}`,
    needs: (period) => [period, period.before].map((each) => ["stats", { ...created(each), category: period.category }]),
    draw: (data, period) => breakdown(field, data, period),
  })),
  {
    title: () => "Time to the first resolution",
    isWide: true,
    needs: (period) => [["stats/resolution", { ...created(period), category: period.category }]],
    draw: resolutionFigures,
  },
  {
    title: ({ category }) => `Triage: suggested and final labels${category ? ", all categories" : ""}`,
    isWide: true,
    needs: (period) => [["stats/triage", created(period)]],
    draw: triageFigures,
  },
];

export const startStatistics = startPeriod;

// Shows the statistics. With `isUpdate` the old figures stay until all new ones are there.
export async function showStatistics({ isUpdate = false } = {}) {
  const period = periodOf();
  showPeriod(period);
  pending.abort();
  pending = new AbortController();
  const { signal } = pending;
  const get = getter(signal, isUpdate);
  const text = `From ${dateName(period.from)} to ${dateName(period.to)}, compared with the ${period.days} days before.`;
  find("#period-text").textContent = text;
  const sections = SECTIONS.map((section) => place(section, period));
  const draw = () => figures.replaceChildren(...sections.map(({ root }) => root));
  if (!isUpdate) draw();
  await Promise.all(sections.map((section) => fill(section, period, get, isUpdate)));
  if (isUpdate && !sections.some(({ hasFailed }) => hasFailed)) draw();
  if (!signal.aborted && sections.every(({ isEmpty }) => isEmpty)) figures.replaceChildren(nothing());
}

// After a change elsewhere. Figures that someone reads with the keyboard, or as a table, stay.
export const updateStatisticsSoon = throttled(() => 30_000, () => {
  const isUsed = figures.closest("[hidden]") || figures.contains(document.activeElement) || find("details[open]", figures);
  if (!isUsed) showStatistics({ isUpdate: true });
});

function getter(signal, inBackground) {
  const responses = new Map();
  return async ([path, parameters]) => {
    const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value)).toString();
    const name = `${path}?${query}`;
    if (!responses.has(name)) responses.set(name, request("GET", path, { query, signal, inBackground }));
    return (await responses.get(name)).data;
  };
}

function place(section, period) {
  const body = element("div", { class: "figure-body" }, loading(3));
  const root = element(
    "section",
    { class: section.isWide ? "figure wide" : "figure" },
    element("h2", null, section.title(period)),
    body,
  );
  return { ...section, root, body, isEmpty: false };
}

// Draws a section. One that fails gives way to a notice, which says once what several have in common.
async function fill(section, period, get, isUpdate) {
  try {
    const drawn = section.draw(await Promise.all(section.needs(period).map(get)), period);
    section.isEmpty = drawn === null;
    section.body.replaceChildren(drawn ?? element("p", { class: "hint" }, "None."));
  } catch (error) {
    section.hasFailed = true;
    if (isAbort(error) || isUpdate) return;
    section.root.remove();
    const isSaid = [...figures.querySelectorAll(".failed")].some((notice) => notice.textContent.includes(error.detail));
    if (!isSaid) figures.prepend(failure(error, () => showStatistics()));
  }
}

const nothing = () =>
  empty(
    "Nothing in this period",
    "No ticket was created or resolved in it, and none is open.",
    address().get("days") !== "365" &&
      element(
        "button",
        { type: "button", click: () => go({ days: "365", from: null, to: null, category: null }) },
        "Show the last 365 days",
      ),
    element("a", { href: "?view=file", "data-internal": true, class: "button" }, "New ticket"),
  );

function breakdown(field, [now, before], { from, to, category }) {
  const [counts, earlier] = [now, before].map((data) => data[`${field}_breakdown`]);
  if (!now.total_tickets) return null;
  const rows = VALUES[field].map((value) => ({
    name: label(field, value),
    href: queueLink(asParameters({ category, from, to, [field]: value })),
    value: counts[value],
    text: `${number(counts[value])} · ${Math.round((100 * counts[value]) / now.total_tickets)} %`,
    note: changeText(counts[value], earlier[value]),
  }));
  return barList(rows.filter((row, index) => !category || field !== "category" || VALUES[field][index] === category));
}
