// Shows the difference between two texts. The common start and end are shortened to a few characters of context.

import { element } from "./dom.js";

const CONTEXT = 40;

const isLetter = (character) => character !== undefined && !/\s/.test(character);

export function difference(from, to) {
  const [before, after] = [[...(from ?? "")], [...(to ?? "")]]; // code points, so that no surrogate pair is split
  const shortest = Math.min(before.length, after.length);
  let start = 0;
  while (start < shortest && before[start] === after[start]) start += 1;
  while (isLetter(before[start - 1]) && (isLetter(before[start]) || isLetter(after[start]))) start -= 1; // whole words
  let end = 0;
  while (end < shortest - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  while (end && isLetter(before.at(-end)) && (isLetter(before.at(-1 - end)) || isLetter(after.at(-1 - end)))) end -= 1;
  const [removed, added] = [before, after].map((text) => text.slice(start, text.length - end).join(""));
  const head = before.slice(Math.max(0, start - CONTEXT), start).join("");
  const tail = end ? before.slice(before.length - end, before.length - end + CONTEXT).join("") : "";
  return element(
    "p",
    { class: "difference", dir: "auto" },
    start > CONTEXT && "…",
    head,
    removed && element("del", null, removed),
    added && element("ins", null, added),
    tail,
    end > CONTEXT && "…",
  );
}
