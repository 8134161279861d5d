// Times and durations as text. Dates contain the name of the month, so day and month cannot be confused.

import { element } from "./dom.js";

const EXACT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const WITH_YEAR = { day: "numeric", month: "short", year: "numeric" };
const DATE = new Intl.DateTimeFormat("en-GB", WITH_YEAR);
const DATE_OF_DAY = new Intl.DateTimeFormat("en-GB", { ...WITH_YEAR, timeZone: "UTC" });
const AGO = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "long" });
const SHORT_AGO = new Intl.RelativeTimeFormat("en", { numeric: "always", style: "narrow" });
const UNITS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

export const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC";

// Shows the time relative to now for the last 30 days, then the date. The tooltip has the exact time.
export function time(text, { isShort = false } = {}) {
  const at = new Date(text);
  return element("time", { datetime: text, title: EXACT.format(at) }, ago(at, isShort ? SHORT_AGO : AGO));
}

export const exactTime = (text) => element("time", { datetime: text }, EXACT.format(new Date(text)));

// "3 May 2026, 10:12 (2 hours ago)"
export function timeAndAgo(text) {
  const at = new Date(text);
  const words = ago(at);
  return element("time", { datetime: text }, EXACT.format(at), words === DATE.format(at) ? "" : ` (${words})`);
}

function ago(at, format = AGO) {
  const seconds = (Date.now() - at) / 1000;
  if (seconds > 30 * 86400) return DATE.format(at);
  for (const [unit, length] of UNITS) if (seconds >= length) return format.format(-Math.floor(seconds / length), unit);
  return "just now";
}

// "2026-03-01" -> "1 Mar"
export const dayName = (date) => DAY.format(new Date(`${date}T00:00:00Z`));

// "2026-03-01" -> "1 Mar 2026"
export const dateName = (date) => DATE_OF_DAY.format(midnight(date));

// Formats seconds with at most two units: "2 d 4 h".
export function duration(seconds) {
  if (seconds == null) return "none";
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24];
  if (days) return `${days} d${hours ? ` ${hours} h` : ""}`;
  return hours ? `${hours} h${minutes % 60 ? ` ${minutes % 60} min` : ""}` : `${minutes} min`;
}

// Formats seconds roughly: "184 d", "5 h".
export function age(seconds) {
  for (const [unit, length] of UNITS) if (seconds >= length) return `${Math.floor(seconds / length)} ${unit === "minute" ? "min" : unit[0]}`;
  return "0 min";
}

// Returns the local date `days` days from today, as "YYYY-MM-DD".
export function localDate(days = 0) {
  const at = new Date();
  const pad = (value) => String(value).padStart(2, "0");
  at.setDate(at.getDate() + days);
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
}

// Calculations with dates as "YYYY-MM-DD".
const DAY_LENGTH = 86_400_000;
const midnight = (date) => Date.parse(`${date}T00:00:00Z`);
export const isDate = (text) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(midnight(text));
export const laterDate = (date, days) => new Date(midnight(date) + days * DAY_LENGTH).toISOString().slice(0, 10);
export const datesBetween = (from, to) => (midnight(to) - midnight(from)) / DAY_LENGTH + 1; // both inclusive
export const weekday = (date) => (new Date(midnight(date)).getUTCDay() + 6) % 7; // 0 is Monday

// Returns the start of the local day `later` days after `date`, in UTC. null means that the date does not exist.
export function startOf(date, later = 0) {
  const [year, month, day] = date.split("-").map(Number);
  const at = new Date(year, month - 1, day + later);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}
