// The dot that says whether a page follows what happens.
function tell(word, tone) {
  for (const dot of document.querySelectorAll("[data-live]")) {
    dot.hidden = false;
    dot.querySelector("[data-live-word]").textContent = word;
    dot.querySelector("svg").setAttribute("class", `size-2 flex-none ${tone}`);
  }
}

document.addEventListener("htmx:sse:after:connection", () => tell("Live", "text-teal"));
document.addEventListener("htmx:sse:error", () => tell("Reconnecting", "text-amber-mark"));
document.addEventListener("htmx:sse:close", () => tell("Not live; reload to see changes", "text-ctl"));
