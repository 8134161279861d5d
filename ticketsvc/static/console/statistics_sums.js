// Sums of the daily statistics, and comparisons of two numbers.

import { number } from "./labels.js";
import { dayName, localDate, weekday } from "./times.js";

export const FEW = 30; // below that a share says little, so the numbers are shown instead

// Returns how many tickets of a category ("" for all) were created or resolved in a day's entry.
const count = (day, kind, category) => (category ? day[kind].category_breakdown[category] : day[kind].total);

export const sumOf = (days, kind, category) => days.reduce((sum, day) => sum + count(day, kind, category), 0);

// Groups days into the bars of a chart: days, or weeks from Monday. Unfinished are today, and weeks that are cut off.
export function buckets(days, { isByWeek, category }) {
  const groups = [];
  for (const day of days) {
    if (isByWeek && groups.length && weekday(day.date) > 0) groups.at(-1).push(day);
    else groups.push([day]);
  }
  const today = localDate();
  return groups.map((group) => {
    const [first, last] = [group[0].date, group.at(-1).date];
    const isNow = last >= today;
    return {
      name: isByWeek ? `${dayName(first)} to ${dayName(last)}` : dayName(first),
      tick: dayName(first),
      note: isNow ? "so far" : isByWeek && group.length < 7 ? `${group.length} days` : "",
      created: sumOf(group, "created", category),
      resolved: sumOf(group, "resolved", category),
    };
  });
}

// "+8 %", or the earlier number where it is small.
export function changeText(now, before) {
  if (now === before) return now ? "as before" : "";
  if (before < FEW) return `before: ${number(before)}`;
  const change = Math.round((100 * (now - before)) / before);
  return `${change < 0 ? "−" : "+"}${number(Math.abs(change))} %`;
}
