// Messages go after ten seconds, unless somebody reads or uses them; errors stay until closed.
import { icon } from "./icons.js";

const stay = 10_000;
const most = 3;

function watch(toast) {
  if (toast.dataset.watched) return;
  toast.dataset.watched = "true";
  if (toast.dataset.toast === "error") return;
  let timer;
  const start = () => (timer = setTimeout(() => toast.remove(), stay));
  const stop = () => clearTimeout(timer);
  for (const name of ["mouseenter", "focusin"]) toast.addEventListener(name, stop);
  for (const name of ["mouseleave", "focusout"]) toast.addEventListener(name, start);
  start();
}

function watchAll() {
  const toasts = [...document.querySelectorAll("#toasts > [data-toast]")];
  toasts.slice(0, -most).forEach((toast) => toast.remove());
  toasts.slice(-most).forEach(watch);
}

// complain shows an error that the page itself has to tell.
export function complain(sentence) {
  const toast = document.createElement("div");
  toast.className = "float flex items-start gap-2 border-l-2 !border-l-error px-3 py-2";
  toast.setAttribute("role", "alert");
  toast.dataset.toast = "error";
  const text = document.createElement("p");
  text.className = "min-w-0 flex-1";
  text.textContent = sentence;
  const close = document.createElement("button");
  close.className = "btn btn-sm btn-square btn-ghost";
  close.type = "button";
  close.dataset.close = "";
  close.setAttribute("aria-label", "Close");
  close.append(icon("x"));
  toast.append(icon("circle-x", "mt-[3px] text-red"), text, close);
  document.getElementById("toasts")?.append(toast);
  watchAll();
}

document.addEventListener("click", (event) => {
  event.target.closest?.("#toasts [data-close]")?.closest("[data-toast]").remove();
});
document.addEventListener("htmx:after:swap", watchAll);
document.addEventListener("htmx:error", (event) => {
  if (event.detail?.ctx?.response) return;
  complain("The server did not answer. Check the connection, then try again.");
});
watchAll();
