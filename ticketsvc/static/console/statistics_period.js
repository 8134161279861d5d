// The period and the category that the statistics are about, in the URL and in a form.
//   days: 7, 30, 90 or 365 up to today, or from and to: local dates, both inclusive; category.

import { address, go } from "./address.js";
import { element, find } from "./dom.js";
import { inWords, VALUES } from "./labels.js";
import { datesBetween, isDate, laterDate, localDate, startOf, timeZone } from "./times.js";

const SPANS = ["7", "30", "90", "365"];
const USUAL = "30";
const WEEKS_FROM = 90; // days; shorter periods are shown by day
const form = find("#period");

// Returns { from, to, days, category, isByWeek, before: the period of the same length that ends where this one starts }.
export function periodOf(parameters = address()) {
  const given = ["from", "to"].map((name) => parameters.get(name)).filter(isDate);
  const span = SPANS.includes(parameters.get("days")) ? parameters.get("days") : USUAL;
  const [from, to] = given.length === 2 ? given.toSorted() : [localDate(1 - span), localDate()];
  const days = datesBetween(from, to);
  const category = VALUES.category.includes(parameters.get("category")) ? parameters.get("category") : "";
  const isByWeek = days >= WEEKS_FROM;
  const before = { from: laterDate(from, -days), to: laterDate(from, -1) };
  return { from, to, days, category, isByWeek, before, span: given.length === 2 ? "between" : span };
}

// Returns the parameters of the API for the tickets created in a period.
export const created = ({ from, to }) => ({ created_since: startOf(from), created_before: startOf(to, 1) });

export const daily = ({ from, to }) => ({ tz: timeZone, since: from, before: laterDate(to, 1) });

export function showPeriod(period) {
  form.days.value = period.span;
  form.category.value = period.category;
  find("#period-between").hidden = period.span !== "between";
  [form.from.value, form.to.value] = [period.from, period.to];
}

export function startPeriod() {
  form.category.append(...VALUES.category.map((value) => element("option", { value }, inWords(value))));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", ({ target }) => {
    const isBetween = form.days.value === "between";
    if (isBetween && !(form.from.value && form.to.value)) return;
    if (form.from.value > form.to.value) form[target === form.to ? "from" : "to"].value = target.value;
    go({
      days: isBetween || form.days.value === USUAL ? null : form.days.value,
      from: isBetween ? form.from.value : null,
      to: isBetween ? form.to.value : null,
      category: form.category.value,
    });
  });
}
