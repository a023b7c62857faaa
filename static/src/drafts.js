// Signing out takes the drafts of queries with it.
import { dropDrafts } from "./draftstore.js";

document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-logout]")) dropDrafts();
});
