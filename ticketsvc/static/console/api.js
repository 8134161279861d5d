// Requests to the public API. The console uses no other interface.

import { forgetKey, key, requestKey } from "./key.js";

const TICKETS = new URL("../../api/tickets/", import.meta.url);
const POSITION = "X-Tickets-LSN"; // how much of the database a read must have: what this tab wrote, or learnt from the feed
const stored = "position";

// A failed request with messages for users. The status is 0 if there was no response.
export class Problem extends Error {
  constructor(status, title, detail, { requestId = null, retryAfter = null } = {}) {
    super(detail);
    Object.assign(this, { status, title, detail, requestId, retryAfter }); // retryAfter: seconds
  }

  // Whether the same request may succeed later.
  get isTemporary() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

// Sends a request and returns { data, headers }. Throws Problem, or an AbortError if the signal aborts it. Asks for a key
// when one is needed, but not for a request that the user did not start (`inBackground`). `read` reads the response.
export async function request(method, path, { query = "", body, headers = {}, signal, inBackground = false, read = content } = {}) {
  const url = new URL(path, TICKETS);
  url.search = query;
  const options = { method, signal, headers: { Accept: "application/json", ...headers } };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  for (;;) {
    const used = key();
    const position = sessionStorage.getItem(stored);
    if (position) options.headers[POSITION] = position;
    if (used) options.headers.Authorization = `Bearer ${used}`;
    const response = await send(url, options);
    mustSee(response.headers.get(POSITION));
    if (response.ok) return { data: await read(response), headers: response.headers };
    const problem = await problemOf(response);
    if (problem.status !== 401 || inBackground) throw problem;
    if (used === key()) forgetKey(); // otherwise another request has already stored a new key
    if (!key() && !(await requestKey(used ? problem.detail : ""))) throw problem;
  }
}

// Lets later requests see all changes up to a position, if there is one. Of two positions the greater text is the later one.
export function mustSee(position) {
  if (position > (sessionStorage.getItem(stored) ?? "")) sessionStorage.setItem(stored, position);
}

async function send(url, options) {
  try {
    return await fetch(url, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "No response", "The service cannot be reached. Check the connection, then try again.");
  }
}

async function content(response) {
  if (response.status === 204) return null;
  try {
    return await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "Invalid response", "The response is incomplete or invalid. Try again.");
  }
}

// Converts a problem document (RFC 9457), or any other error response of a proxy.
async function problemOf(response) {
  const document = await response.json().catch(() => ({}));
  const title = document.title ?? `Status ${response.status}`;
  const detail = document.detail ?? document.error ?? "The request failed. Try again later.";
  const retryAfter = Number(response.headers.get("Retry-After")) || null;
  return new Problem(response.status, title, detail, { requestId: response.headers.get("X-Request-Id"), retryAfter });
}

// The address of the export of the tickets that match a query, and the file that it leads to.
export const exportAddress = (query) => new URL(`export/?${query}`, TICKETS);

export async function fetchFile(address) {
  const options = { query: address.search, headers: { Accept: "*/*" }, read: (response) => response.blob() };
  return (await request("GET", "export/", options)).data;
}

// Returns the query string of the next page (RFC 8288), or null on the last page.
export function nextPage(headers) {
  const address = /<([^>]*)>;\s*rel="next"/.exec(headers.get("Link") ?? "")?.[1];
  return address ? new URL(address, TICKETS).search : null;
}
