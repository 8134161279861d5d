// Shows the OpenAPI document of this service and sends requests from it.
"use strict";

const dark = matchMedia("(prefers-color-scheme: dark)");
const followScheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
followScheme();
dark.addEventListener("change", followScheme);

// Swagger UI shows every error of an operation with its headers, schema and example: ten screens for a create. The errors
// are much the same everywhere, so they collapse into a list that links to their descriptions.
const collapseErrors = (Responses, { React: { createElement }, getComponent }) => (props) => {
  const Markdown = getComponent("Markdown", true);
  const errors = props.responses.filter((_, status) => status >= "400");
  const row = ([status, response]) =>
    createElement("tr", { key: status },
      createElement("td", null, status),
      createElement("td", null, createElement(Markdown, { source: response.get("description") })));
  return createElement("div", null,
    createElement(Responses, { ...props, responses: props.responses.filter((_, status) => status < "400") }),
    createElement("details", { className: "errors" },
      createElement("summary", null, `Errors: ${errors.keySeq().join(", ")}`),
      createElement("table", null, createElement("tbody", null, errors.entrySeq().map(row).toArray()))));
};

// What stands before the operations belongs to no landmark, and the headings of the operations lack one above them.
const inSection = (label, ...headings) => (Part, { React: { createElement } }) => (props) =>
  createElement("section", { "aria-label": label }, createElement(Part, props),
    ...headings.map((heading) => createElement("h2", { className: "unseen" }, heading)));
const wrapComponents = {
  responses: collapseErrors,
  InfoContainer: inSection("About"),
  ServersContainer: inSection("Server", "Operations"),
};

// The name of an operation is inside a button, where a link must not be. The button still changes the address.
const DeepLink = ({ text }) => text;

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  filter: false,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  syntaxHighlight: { theme: "obsidian" }, // the default has numbers that are too dark
  plugins: [() => ({ components: { DeepLink }, wrapComponents })],
});

// Swagger UI gives some of its fields no name, and the keyboard cannot scroll its examples.
const FIELDS = {
  "#servers": "Server",
  ".examples-select-element": "Example",
  ".content-type": "Media type",
  ".body-param__text": "Body",
};
const completeFields = () => {
  for (const example of document.querySelectorAll(".microlight:not([tabindex])")) example.tabIndex = 0;
  for (const [selector, name] of Object.entries(FIELDS)) {
    for (const field of document.querySelectorAll(`${selector}:not([aria-label])`)) field.setAttribute("aria-label", name);
  }
  for (const row of document.querySelectorAll("tr[data-param-name]")) {
    for (const field of row.querySelectorAll("select:not([aria-label]), input:not([aria-label])")) {
      field.setAttribute("aria-label", row.dataset.paramName);
    }
  }
};
new MutationObserver(completeFields).observe(document.getElementById("api"), { childList: true, subtree: true });
