// Replies that are not sent yet, one for each ticket. They are kept in this browser, and removed when they are sent or old.

const PREFIX = "ticket-console-reply-";
const LONGEST = 30 * 86_400_000; // milliseconds

// localStorage, or nothing where the browser forbids it or it is full: then a draft lasts until the ticket is closed.
function attempt(action) {
  try {
    return action(localStorage);
  } catch {
    return null;
  }
}

// A draft is { text, isInternal, sent }: `sent` is the request that may have arrived, and its key.
export const loadDraft = (id) => attempt((storage) => JSON.parse(storage.getItem(PREFIX + id)));

export const saveDraft = (id, draft) =>
  attempt((storage) => storage.setItem(PREFIX + id, JSON.stringify({ ...draft, at: Date.now() })));

export const removeDraft = (id) => attempt((storage) => storage.removeItem(PREFIX + id));

// Removes the drafts that are old or cannot be read, or all.
export function pruneDrafts({ all = false } = {}) {
  attempt((storage) => {
    for (const key of Object.keys(storage).filter((name) => name.startsWith(PREFIX))) {
      const draft = loadDraft(key.slice(PREFIX.length));
      if (all || !(Date.now() - draft?.at < LONGEST)) storage.removeItem(key);
    }
  });
}
