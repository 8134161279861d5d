// The quality of suggestions: labels that people kept or corrected, and the confusion matrices.

import { barList } from "./charts.js";
import { element } from "./dom.js";
import { inWords, number, percent, SOURCES, VALUES } from "./labels.js";
import { FEW } from "./statistics_sums.js";

const FIELDS = ["category", "priority"];

// Returns null if nothing was suggested.
export function triageFigures([data]) {
  if (!FIELDS.some((field) => data[field].suggested)) return null;
  return element(
    "div",
    { class: "pair" },
    FIELDS.map((field) => fieldFigures(field, data)),
  );
}

function fieldFigures(field, data) {
  const tally = data[field];
  const sources = Object.entries(data.by_source).filter(([, fields]) => fields[field].judged);
  const rows = sources.map(([source, fields]) => ({
    name: inWords(SOURCES[source] ?? source),
    value: fields[field].accuracy,
    text: shareText(fields[field]),
  }));
  return element(
    "section",
    null,
    element("h3", null, inWords(field)),
    tally.judged > 0 && element("p", { class: "accuracy" }, element("strong", null, shareText(tally)), " right"),
    element("p", { class: "hint" }, tallyText(tally)),
    rows.length > 1 && barList(rows),
    field === "priority" && data.critical.judged > 0 && element("p", { class: "hint" }, criticalText(data.critical)),
    tally.judged > 0 && confusion(field, data.confusion[field]),
  );
}

// "94 % of 230", or "3 of 4" where a share would say little.
const shareText = ({ kept, judged, accuracy }) =>
  judged < FEW ? `${number(kept)} of ${number(judged)}` : `${percent(accuracy)} of ${number(judged)}`;

function tallyText(tally) {
  const [suggested, kept, corrected, left] = [tally.suggested, tally.kept, tally.corrected, tally.not_judged].map(
    number,
  );
  return `${suggested} suggested: ${kept} kept, ${corrected} corrected, ${left} not judged yet.`;
}

const criticalText = ({ judged, found }) => `Critical: ${number(found)} of ${number(judged)} found.`;

// Rows are suggested labels, columns final labels. The diagonal has the correct suggestions.
function confusion(field, counts) {
  const values = VALUES[field];
  const caption = "Rows: suggested label. Columns: final label.";
  const head = element(
    "tr",
    null,
    element("td", null),
    values.map((value) => element("th", { scope: "col" }, inWords(value))),
  );
  const rows = values.map((suggested) => {
    const total = values.reduce((sum, final) => sum + counts[suggested][final], 0);
    const cells = values.map((final) => cell(counts[suggested][final], total, suggested === final));
    return element("tr", null, element("th", { scope: "row" }, inWords(suggested)), cells);
  });
  return element(
    "table",
    { class: "confusion" },
    element("caption", null, caption),
    element("thead", null, head),
    element("tbody", null, rows),
  );
}

function cell(count, total, isRight) {
  const made = element("td", { class: isRight ? "right" : "wrong" }, number(count));
  made.style.setProperty("--share", total ? count / total : 0);
  return made;
}
