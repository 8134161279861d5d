// What changes in the service, as it happens: a stream of its events. Browsers open few connections to a service, so one
// stream serves all visible tabs with the same key: the tab with the lock reads it and passes on what it says. Without
// HTTPS browsers offer no locks, and each visible tab reads its own. A hidden tab reads none, and continues later.

import { mustSee, request } from "./api.js";
import { readEvents } from "./event_stream.js";
import { key } from "./key.js";

const SILENCE = 40_000; // milliseconds: the service sends something every 15 seconds
const SHORTEST_PAUSE = 1000;
const LONGEST_PAUSE = 300_000;
const LONGEST_ABSENCE = 300_000; // after which reading the list again is cheaper than all events

let last = null; // the id of the last event
let hiddenAt = 0;
let reading = new AbortController();

// Calls `receive` with { isLive, isReset, events }: whether changes arrive, whether some may have been missed, and events.
export function startFeed(listener) {
  const receive = (message) => {
    mustSee(message.lsn);
    listener(message);
  };
  const restart = () => {
    reading.abort();
    reading = new AbortController();
    if (document.visibilityState === "visible") follow(reading.signal, receive);
  };
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") hiddenAt = Date.now();
    else if (Date.now() - hiddenAt > LONGEST_ABSENCE) last = null;
    restart();
  });
  addEventListener("key", restart);
  addEventListener("online", restart);
  restart();
}

async function follow(signal, receive) {
  const name = await sharedName();
  if (signal.aborted) return;
  if (!name) return read(signal, receive);
  const channel = new BroadcastChannel(name);
  let state = null; // what this tab said last, if it reads the stream
  const tell = (message) => {
    state = { isLive: message.isLive, last };
    channel.postMessage({ ...message, last });
    receive(message);
  };
  channel.addEventListener("message", ({ data }) => {
    if (data.isQuestion) return state && channel.postMessage({ ...state, isReply: true });
    const hasMissed = data.isReply && data.last !== last;
    last = data.last;
    receive({ ...data, isReset: data.isReset || hasMissed });
  });
  signal.addEventListener("abort", () => channel.close());
  channel.postMessage({ isQuestion: true });
  navigator.locks.request(name, { signal }, () => read(signal, tell)).catch(() => {}); // aborted
}

// Tabs with another key may see other events, and those of another release other messages.
async function sharedName() {
  if (!navigator.locks) return null;
  const text = new TextEncoder().encode(`${import.meta.url} ${key()}`);
  return `ticket-console-${new Uint8Array(await crypto.subtle.digest("SHA-256", text)).join("")}`;
}

// Reads the stream until the signal, and again after each end: after a pause that differs between browsers, because a
// restart ends all streams at once. Gives up where the key has no access.
async function read(signal, tell) {
  let failures = 0;
  while (!signal.aborted) {
    const wanted = { retry: 0 };
    try {
      await listen(signal, wanted, (message) => {
        failures = 0;
        tell(message);
      });
    } catch (problem) {
      if (problem.status === 401 || problem.status === 403) return tell({ isLive: false });
      if (problem.status === 410) last = null;
      wanted.retry ||= 1000 * (problem.retryAfter ?? 0);
    }
    if (signal.aborted) return;
    tell({ isLive: false });
    const pause = Math.max(wanted.retry, Math.min(SHORTEST_PAUSE * 2 ** failures, LONGEST_PAUSE));
    failures += 1;
    await passed(pause * (1 + Math.random() / 2), signal);
  }
}

async function listen(signal, wanted, tell) {
  const silence = new AbortController();
  const wait = () => setTimeout(() => silence.abort(), SILENCE);
  let timer = wait();
  try {
    const { data } = await request("GET", "../events/", {
      query: last ? "" : "after=latest",
      headers: { Accept: "text/event-stream", ...(last && { "Last-Event-ID": last }) },
      signal: AbortSignal.any([signal, silence.signal]),
      inBackground: true,
      read: (response) => response.body,
    });
    for await (const messages of readEvents(data)) {
      clearTimeout(timer);
      timer = wait();
      receive(messages, wanted, tell);
    }
  } finally {
    clearTimeout(timer);
  }
}

// Handles messages of the stream. The first says after which event it begins.
function receive(messages, wanted, tell) {
  const events = [];
  let lsn;
  for (const { event, id, data, retry, ...more } of messages) {
    lsn = more.lsn ?? lsn;
    if (retry) wanted.retry = Number(retry);
    if (!data) continue;
    const content = JSON.parse(data);
    const isReset = last === null;
    last = id ?? content.id;
    if (event === "position") tell({ isLive: true, isReset, lsn });
    else events.push(content);
  }
  if (events.length) tell({ isLive: true, events, lsn });
}

const passed = (milliseconds, signal) =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
