// The bar below the matrix: what the staged edits do, in the words of the server, and the ways on.
import { staged } from "./matrix_staged.js";

const bar = document.getElementById("staged");
const said = document.getElementById("matrix-said");
const dialog = document.getElementById("review");
const pause = 250;
let timer;
let asking;
let words = "";

// announce tells a reader of the screen what happened.
export function announce(text) {
  words = text;
  said.textContent = text;
}

// previewStaged asks what the edits do, once nothing changed for a moment.
export function previewStaged() {
  clearTimeout(timer);
  if (staged.all().length === 0) {
    asking?.abort();
    bar.replaceChildren();
    return;
  }
  bar.setAttribute("aria-busy", "true");
  timer = setTimeout(preview, pause);
}

async function preview() {
  asking?.abort();
  asking = new AbortController();
  try {
    bar.innerHTML = await ask("/admin/access/preview", asking.signal);
  } catch (err) {
    if (err.name === "AbortError") return;
    bar.textContent = "The server did not say what the changes do. They are kept; change one more cell to ask again.";
    bar.className = "px-4 pb-3 text-red md:px-5";
  }
  bar.removeAttribute("aria-busy");
  const sentence = bar.querySelector("form > p")?.textContent.replace(/\s+/g, " ").trim();
  if (sentence) said.textContent = `${words}. ${sentence}`;
}

// ask posts the staged edits and returns a part of a page.
async function ask(path, signal) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "HX-Request": "true", "HX-Request-Type": "partial" },
    body: new URLSearchParams({ edits: JSON.stringify(staged.all()), back: location.pathname + location.search, staged: "1" }),
    signal,
  });
  const text = await answer.text();
  bar.className = "";
  return text;
}

// What is applied is what is staged now, not when the bar was drawn.
bar.addEventListener("submit", (event) => {
  event.target.elements.edits.value = JSON.stringify(staged.all());
  event.target.elements.back.value = location.pathname + location.search;
});

bar.addEventListener("click", async (event) => {
  if (!event.target.closest("[data-staged-review]")) return;
  event.preventDefault();
  document.getElementById("review-body").innerHTML = await ask("/admin/access/review");
  dialog.showModal();
});
