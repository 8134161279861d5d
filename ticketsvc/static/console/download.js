// Downloads a file that a link leads to. Without an API key the browser does it; with one, only a request can send it.

import { announce } from "./announcement.js";
import { element } from "./dom.js";
import { fetchFile } from "./api.js";
import { key } from "./key.js";

export async function download(event) {
  if (!key()) return;
  event.preventDefault();
  const link = event.currentTarget;
  try {
    const file = URL.createObjectURL(await fetchFile(new URL(link.href)));
    element("a", { href: file, download: link.download }).click();
    setTimeout(() => URL.revokeObjectURL(file), 60_000); // browsers do not say when they have saved it
  } catch (problem) {
    announce(`The file was not exported. ${problem.detail}`);
  }
}
