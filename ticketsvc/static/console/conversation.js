// The comments of a ticket, oldest first. It starts with the newest ones and loads older ones on request. Comments that
// are shown stay the same elements when it is refreshed, so that reading is not disturbed.

import { nextPage, request } from "./api.js";
import { confirmDeletion } from "./deletion.js";
import { element, find, withoutMoving } from "./dom.js";
import { failure, isAbort, loading } from "./notices.js";
import { formatted } from "./text.js";
import { timeAndAgo } from "./times.js";

const PAGE = 50;
const LARGEST_PAGE = 500;

// `remove(comment)` deletes a comment and resolves to whether it succeeded.
export function conversation({ id, signal, remove }) {
  const list = element("ol", { class: "comments" });
  const earlier = element(
    "button",
    { type: "button", class: "quiet earlier", click: loadEarlier, hidden: true },
    "Show earlier comments",
  );
  const state = element("div", null, loading(1));
  const title = element("h3", { id: "conversation-title", tabindex: -1 }, "Conversation");
  const root = element("section", { class: "conversation", "aria-labelledby": title.id }, title, earlier, list, state);
  const shown = new Map(); // elements by the id of the comment
  let next = null; // the query of the page before
  let refreshes = 0; // an outdated response is disregarded

  const page = (query) => request("GET", `${id}/comments/`, { query, signal });

  // Shows new comments, and no longer those that were deleted. Comments older than those that are shown stay hidden.
  async function refresh() {
    const current = (refreshes += 1);
    try {
      const limit = Math.min(LARGEST_PAGE, shown.size + PAGE);
      const { data, headers } = await page(`sort=-created_at&limit=${limit}`);
      if (current !== refreshes) return;
      const oldest = data.findLastIndex((comment) => shown.has(comment.id));
      const newest = oldest < 0 ? data : data.slice(0, oldest + 1);
      const ids = new Set(newest.map((comment) => comment.id));
      withoutMoving(() => {
        for (const each of [...shown.keys()].filter((old) => !ids.has(old))) take(each);
        for (const comment of newest.toReversed()) if (!shown.has(comment.id)) list.append(add(comment));
      });
      if (newest.length === data.length) showNext(headers);
      const isEmpty = !shown.size && element("p", { class: "hint" }, "No comments yet.");
      state.replaceChildren(...(isEmpty ? [isEmpty] : []));
    } catch (error) {
      if (!isAbort(error)) state.replaceChildren(failure(error, refresh));
    }
  }

  function showNext(headers) {
    next = nextPage(headers);
    earlier.hidden = !next;
  }

  async function loadEarlier() {
    if (earlier.getAttribute("aria-busy")) return;
    earlier.setAttribute("aria-busy", "true");
    try {
      const { data, headers } = await page(next);
      const added = data.toReversed().map(add);
      list.prepend(...added);
      showNext(headers);
      if (earlier.hidden) find("article", added[0] ?? list)?.focus();
    } catch (error) {
      if (!isAbort(error)) state.replaceChildren(failure(error, loadEarlier));
    }
    earlier.removeAttribute("aria-busy");
  }

  function add(comment) {
    const item = element(
      "li",
      null,
      commentArticle(comment, () => confirmRemoval(comment)),
    );
    shown.set(comment.id, item);
    return item;
  }

  // Removes a comment from the list. The focus in it goes to the next one.
  function take(commentId) {
    const item = shown.get(commentId);
    const following = find("article", item.nextElementSibling ?? item.previousElementSibling ?? root) ?? title;
    const hadFocus = item.contains(document.activeElement);
    shown.delete(commentId);
    item.remove();
    if (hadFocus) (following.isConnected ? following : title).focus();
  }

  async function confirmRemoval(comment) {
    const isInternal = comment.internal ? "internal note" : "comment";
    const text = "This cannot be undone. The text is removed; the history keeps that it existed.";
    if (await confirmDeletion({ title: `Delete this ${isInternal}?`, text, quote: comment.body.slice(0, 500) }))
      remove(comment);
  }

  const focus = (commentId) => (find("article", shown.get(commentId) ?? root) ?? title).focus();
  return { root, refresh, focus };
}

function commentArticle(comment, remove) {
  const author = comment.author ?? "Unnamed";
  const kind = comment.internal ? "Internal note" : "Comment";
  return element(
    "article",
    { class: comment.internal ? "comment internal" : "comment", "aria-label": `${kind} by ${author}`, tabindex: -1 },
    element(
      "header",
      null,
      element("strong", null, element("bdi", null, author)),
      comment.internal && element("span", { class: "badge" }, "Internal note"),
      element("span", { class: "hint" }, timeAndAgo(comment.created_at)),
      element(
        "button",
        {
          type: "button",
          class: "quiet",
          "aria-label": `Delete the ${kind.toLowerCase()} by ${author}`,
          click: remove,
        },
        "Delete",
      ),
    ),
    element("div", { class: "text", dir: "auto" }, formatted(comment.body)),
  );
}
