// Marks the words of a search in a text, where the service finds them: in any letter case, whether letters are composed
// or not, and with any white space between the words of a phrase.

import { element } from "./dom.js";

// Brings a text into the form in which texts are compared, letter by letter. Returns it and, for each of its
// characters, where the letter starts and ends.
function comparable(text) {
  let form = "";
  const [starts, ends] = [[], []];
  for (const { 0: letter, index } of text.matchAll(/\s+|\P{M}\p{M}*|\p{M}+/gu)) {
    const compared = /^\s/.test(letter) ? " " : letter.normalize("NFC").toUpperCase().toLowerCase();
    for (let unit = 0; unit < compared.length; unit += 1) {
      starts.push(index);
      ends.push(index + letter.length);
    }
    form += compared;
  }
  return { form, starts, ends };
}

// Returns the places of the words as [start, end], in order and without overlaps.
function places(text, words) {
  const { form, starts, ends } = comparable(text);
  const found = [];
  for (const word of words.map((each) => comparable(each).form).filter(Boolean)) {
    for (let at = form.indexOf(word); at >= 0; at = form.indexOf(word, at + word.length)) {
      found.push([starts[at], ends[at + word.length - 1]]);
    }
  }
  let done = 0;
  return found
    .sort(([a], [b]) => a - b)
    .filter(([start, end]) => {
      const isFree = start >= done;
      if (isFree) done = end;
      return isFree;
    });
}

// Splits a text and wraps the occurrences of the words in <mark>.
export function highlight(text, words) {
  if (!words.length) return [text];
  const parts = [];
  let done = 0;
  for (const [start, end] of places(text, words)) {
    parts.push(text.slice(done, start), element("mark", null, text.slice(start, end)));
    done = end;
  }
  return [...parts, text.slice(done)];
}

// Returns where the first of the words stands in a text, or -1.
export const firstPlace = (text, words) => places(text, words)[0]?.[0] ?? -1;
