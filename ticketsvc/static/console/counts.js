// How many tickets match filters: next to the views and the values of the facets. The service reads counters, so
// a request costs it about a millisecond, unless there is a search.

import { request } from "./api.js";
import { apiQuery, WORK } from "./filters.js";

let known = new Map(); // statistics by query, until something may have changed

export const forgetCounts = () => {
  known = new Map();
};

// Returns a function that gets the statistics of filters. It sends each request once.
export function counter(signal, inBackground = false) {
  const [asked, kept] = [new Map(), known];
  return async (filters) => {
    const query = apiQuery({ ...filters, sort: "" }).toString();
    if (kept.has(query)) return kept.get(query);
    if (!asked.has(query)) asked.set(query, load(query, kept, { signal, inBackground }));
    return asked.get(query);
  };
}

async function load(query, kept, options) {
  const { data } = await request("GET", "stats", { query, ...options });
  kept.set(query, data);
  return data;
}

// Returns the counts of each facet's values with the other filters applied, as { status: { open: 3, ... }, ... }.
// A search is counted only once, because it may read many tickets: then the facets that have a filter get no counts.
export async function facetCounts(filters, stats) {
  if (filters.search) {
    const found = await stats(filters);
    return {
      status: filters.status ? {} : { open: found.open_tickets },
      priority: filters.priority ? {} : found.priority_breakdown,
      category: filters.category ? {} : found.category_breakdown,
    };
  }
  const [all, work, resolved, byPriority, byCategory] = await Promise.all([
    stats({ ...filters, status: "" }),
    stats({ ...filters, status: WORK.status }),
    stats({ ...filters, status: "resolved" }),
    stats({ ...filters, priority: "" }),
    stats({ ...filters, category: "" }),
  ]);
  return {
    status: {
      open: work.open_tickets,
      in_progress: work.total_tickets - work.open_tickets,
      resolved: resolved.total_tickets,
      closed: Math.max(0, all.total_tickets - work.total_tickets - resolved.total_tickets), // not one snapshot
    },
    priority: byPriority.priority_breakdown,
    category: byCategory.category_breakdown,
  };
}
