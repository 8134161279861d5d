// Texts of tickets as elements: addresses become links, and quoted mails are collapsed. Everything is a text node.

import { element } from "./dom.js";

const ADDRESS = /\bhttps?:\/\/[^\s<>"'`\p{C}]{1,2000}/giu;
const QUOTED = /^\s?>/;
const INTRODUCTION = /^(On\b.{5,200}\bwrote|Am\b.{5,200}\bschrieb.{0,200}|Le\b.{5,200}a écrit)\s*:\s*$/u;
const ORIGINAL = /^-{2,} ?(Original Message|Forwarded message|Ursprüngliche Nachricht|Message d'origine) ?-{2,}$/iu;

// Returns the elements and texts for a text. Their contents together are the text, apart from the summaries.
export function formatted(text) {
  const parts = split(text.split("\n"));
  const isAllQuoted = parts.every((part) => part.isQuoted || !part.lines.join("").trim());
  return parts.flatMap(({ isQuoted, lines }, index) => {
    const content = linked(lines.join("\n") + (index < parts.length - 1 ? "\n" : ""));
    if (!isQuoted) return content;
    const summary = `Quoted text, ${lines.length} ${lines.length === 1 ? "line" : "lines"}`;
    return [element("details", { class: "quoted", open: isAllQuoted }, element("summary", null, summary), element("div", null, content))];
  });
}

// Splits lines into parts that are quoted or not. An introduction ("On Monday Ann wrote:") belongs to its quotation.
function split(lines) {
  const parts = [];
  const isBeforeQuoted = quotedNext(lines);
  const original = lines.findIndex((line) => ORIGINAL.test(line.trim()));
  for (const [index, line] of lines.entries()) {
    const isQuoted =
      QUOTED.test(line) ||
      (original >= 0 && index >= original) ||
      (isBeforeQuoted[index] && INTRODUCTION.test(line.trim())) ||
      (isBeforeQuoted[index] && !line.trim() && Boolean(parts.at(-1)?.isQuoted));
    if (parts.at(-1)?.isQuoted === isQuoted) parts.at(-1).lines.push(line);
    else parts.push({ isQuoted, lines: [line] });
  }
  return parts;
}

// Returns for each line whether the next one that is not blank is quoted.
function quotedNext(lines) {
  let isQuoted = false;
  const found = lines.toReversed().map((line) => {
    const isNextQuoted = isQuoted;
    if (line.trim()) isQuoted = QUOTED.test(line);
    return isNextQuoted;
  });
  return found.toReversed();
}

function linked(text) {
  const nodes = [];
  let done = 0;
  for (const { 0: found, index } of text.matchAll(ADDRESS)) {
    const address = withoutPunctuation(found);
    if (!URL.canParse(address)) continue;
    nodes.push(text.slice(done, index), link(address));
    done = index + address.length;
  }
  return [...nodes, text.slice(done)];
}

const link = (address) =>
  element("a", { href: address, target: "_blank", rel: "noopener noreferrer nofollow", dir: "ltr" }, address);

// Removes what follows an address in a sentence: "(see https://example.com/a)."
function withoutPunctuation(address) {
  let kept = address.replace(/[.,;:!?*_]+$/u, "");
  while (/[)\]}]$/.test(kept) && !isBalanced(kept)) kept = kept.slice(0, -1).replace(/[.,;:!?*_]+$/u, "");
  return kept;
}

function isBalanced(text) {
  const [opening, closing] = { ")": "()", "]": "[]", "}": "{}" }[text.at(-1)];
  return text.split(opening).length >= text.split(closing).length;
}
