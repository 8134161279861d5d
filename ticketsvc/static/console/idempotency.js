// Idempotency keys. A key belongs to a content: sending the same content again, after a lost response or a reload of the
// page, has the effect of sending it once.

// Returns { body, key } for a request. The key is that of `sent`, the last one, if that had the same body.
export function keyed(fields, sent) {
  const body = JSON.stringify(fields);
  return sent?.body === body ? sent : { body, key: randomKey() };
}

// crypto.randomUUID() is not used because browsers offer it only on HTTPS and localhost.
const randomKey = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
