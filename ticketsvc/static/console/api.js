// Calls of the public API, and of nothing else.

import { forgetKey, key, requestKey } from "./key.js";

const TICKETS = new URL("../../api/tickets/", import.meta.url);

// A call that failed, in words for people. status 0: no answer came.
export class Problem extends Error {
  constructor(status, title, detail, requestId = null) {
    super(detail);
    Object.assign(this, { status, title, detail, requestId });
  }
}

// Sends one call. The answer: { data, headers }. Throws Problem, or an AbortError when the signal ends it.
export async function call(method, path, { query = "", body, headers = {}, signal } = {}) {
  const url = new URL(path, TICKETS);
  url.search = query;
  const request = { method, signal, headers: { Accept: "application/json", ...headers } };
  if (body !== undefined) {
    request.headers["Content-Type"] = "application/json";
    request.body = JSON.stringify(body);
  }
  for (;;) {
    const used = key();
    if (used) request.headers.Authorization = `Bearer ${used}`;
    const answer = await send(url, request);
    if (answer.ok) return { data: await content(answer), headers: answer.headers };
    const problem = await problemOf(answer);
    if (problem.status !== 401) throw problem;
    if (used === key()) forgetKey(); // else another call has a new one already
    if (!key() && !(await requestKey(used ? problem.detail : ""))) throw problem;
  }
}

async function send(url, request) {
  try {
    return await fetch(url, request);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "No answer", "The service cannot be reached. Check the connection, then try again.");
  }
}

async function content(answer) {
  if (answer.status === 204) return null;
  try {
    return await answer.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "Broken answer", "The answer broke off or is not what it should be. Try again.");
  }
}

// A problem document (RFC 9457), or whatever a proxy on the way has answered.
async function problemOf(answer) {
  const document = await answer.json().catch(() => ({}));
  const title = document.title ?? `Status ${answer.status}`;
  const detail = document.detail ?? document.error ?? "The service could not do this. Try again later.";
  return new Problem(answer.status, title, detail, answer.headers.get("X-Request-Id"));
}

// The query string of the next page (RFC 8288), or null: this is the last.
export function nextPage(headers) {
  const address = /<([^>]*)>;\s*rel="next"/.exec(headers.get("Link") ?? "")?.[1];
  return address ? new URL(address, TICKETS).search : null;
}
