// A button that was pressed says so until the next page, and is not pressed twice.
import { sprite } from "./icons.js";

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method === "get") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  const button = event.submitter ?? form.querySelector("[type=submit]");
  if (!button || button.hasAttribute("data-native")) return;
  form.dataset.sent = "true";
  button.setAttribute("aria-busy", "true");
  if (button.dataset.busy) show(button);
});

function show(button) {
  const icon = button.querySelector("svg.i");
  if (icon) {
    icon.classList.add("spin");
    icon.querySelector("use").setAttribute("href", sprite("loader-circle"));
  }
  const text = [...button.childNodes].find((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  if (text) text.data = button.dataset.busy;
}

// A page that comes back from the browser's memory is as it was before the press.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
