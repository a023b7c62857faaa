// Single keys: "/" searches, "?" shows the sheet, "g" and a letter goes, "j" and "k" move in a list.
// They can be switched off, and do nothing while somebody types.
import { openPalette } from "./palette.js";

const places = {
  c: "/catalog", k: "/console", s: "/syncs", a: "/add",
  u: "/admin/access", p: "/admin/people", g: "/admin/groups", l: "/admin/activity", o: "/admin/server-config",
};
// Pages that the navigation names by another one: who has that may go there too.
const beside = { "/admin/groups": "/admin/people" };
const off = "agnes:keys-off";
const mac = /Mac|iPhone|iPad/.test(navigator.platform);
let went = 0;

document.addEventListener("keydown", (event) => {
  if ((event.metaKey || event.ctrlKey) && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
    return;
  }
  if (event.metaKey || event.ctrlKey || event.altKey || typing(event) || switchedOff()) return;
  if (document.querySelector("dialog:modal")) return;
  if (act(event.key)) event.preventDefault();
});

function act(key) {
  const going = Date.now() - went < 1000;
  went = 0;
  if (going && places[key]) {
    const place = places[key];
    const link = document.querySelector(`#nav a[href="${beside[place] ?? place}"]`);
    if (link && beside[place]) location.assign(place);
    else link?.click();
    return Boolean(link);
  }
  switch (key) {
    case "/":
      return focusSearch();
    case "?":
      document.getElementById("shortcuts")?.showModal();
      return true;
    case "g":
      went = Date.now();
      return true;
    case "j":
      return move(1);
    case "k":
      return move(-1);
  }
  return false;
}

function focusSearch() {
  const field = document.querySelector("[data-search], [data-tree-search]");
  field?.focus();
  field?.select();
  return Boolean(field);
}

function move(step) {
  const links = [...document.querySelectorAll("[data-rows] tbody tr th a")];
  if (links.length === 0) return false;
  const at = links.indexOf(document.activeElement);
  links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + step))].focus();
  return true;
}

// typing sees through shadow roots, where the editor is.
function typing(event) {
  const target = event.composedPath()[0];
  return target instanceof Element && target.matches("input, textarea, select, [contenteditable='true'], [contenteditable='true'] *");
}

function switchedOff() {
  try {
    return localStorage.getItem(off) === "1";
  } catch {
    return false;
  }
}

const box = document.querySelector("[data-keys-switch]");
if (box) {
  box.checked = !switchedOff();
  box.addEventListener("change", () => {
    try {
      localStorage.setItem(off, box.checked ? "0" : "1");
    } catch {
      // Without storage the choice lasts as long as the page.
    }
  });
}

if (mac) {
  for (const key of document.querySelectorAll("[data-mod-key]")) key.textContent = "⌘K";
  for (const key of document.querySelectorAll("[data-mod-enter]")) key.textContent = "⌘⇧⏎";
}
