// Drafts of queries live in the browser, by person, and go when that person signs out. Rows never do.
const prefix = "agnes:draft:";

// draftOf reads a person's draft.
export function draftOf(user) {
  return attempt(() => localStorage.getItem(prefix + user)) ?? "";
}

// keepDraft stores a person's draft; an empty one is removed.
export function keepDraft(user, sql) {
  attempt(() => (sql.trim() ? localStorage.setItem(prefix + user, sql) : localStorage.removeItem(prefix + user)));
}

// A browser may refuse storage; then drafts last as long as the page.
function attempt(action) {
  try {
    return action();
  } catch {
    return undefined;
  }
}

// dropDrafts removes every draft that this browser keeps.
export function dropDrafts() {
  attempt(() => {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(prefix)) localStorage.removeItem(key);
    }
  });
}
