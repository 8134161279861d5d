// The fields of a ticket that people change: comparing them, and the changes that lead from one state to another.

export const FIELDS = [
  "status",
  "priority",
  "category",
  "requester",
  "assignee",
  "tags",
  "metadata",
  "duplicate_of",
  "title",
  "description",
];

// Tags are sorted and the members of metadata are in the order of the service, so equal values have the same JSON.
export const areSame = (some, others) => JSON.stringify(some ?? null) === JSON.stringify(others ?? null);

export const changedFields = (before, after) => FIELDS.filter((field) => !areSame(before[field], after[field]));

// Returns a ticket after an event of the feed. Where both texts are null, they were removed with the ticket.
export function afterEvent(ticket, { version, at, data }) {
  const changes = Object.entries(data.changes).filter(([, { from, to }]) => from !== null || to !== null);
  return { ...ticket, ...Object.fromEntries(changes.map(([field, { to }]) => [field, to])), version, updated_at: at };
}

// Returns the value that a field has after a change. Metadata is merged; null removes a key.
export function changedValue(ticket, field, value) {
  if (field !== "metadata") return value;
  return Object.fromEntries(Object.entries({ ...ticket.metadata, ...value }).filter(([, kept]) => kept !== null));
}

// Returns the changes that lead from one state of a ticket to another.
export function changesBetween(from, to, fields = changedFields(from, to)) {
  const changes = Object.fromEntries(fields.map((field) => [field, to[field]]));
  if ("metadata" in changes) changes.metadata = metadataChange(from.metadata, to.metadata);
  return changes;
}

// Returns the part of metadata to send: keys that have another value, and null for those that are gone.
export function metadataChange(from, to) {
  const gone = Object.keys(from).filter((key) => !Object.hasOwn(to, key));
  const set = Object.entries(to).filter(([key, value]) => from[key] !== value);
  return Object.fromEntries([...gone.map((key) => [key, null]), ...set]);
}

// "VIP, refund ,," -> ["refund", "vip"], as the service stores them.
export const tagsOf = (text) =>
  [
    ...new Set(
      text
        .split(",")
        .map((tag) => tag.trim().toLowerCase())
        .filter(Boolean),
    ),
  ].sort();
