// The command palette: pages, tables and actions by name, from /palette.json.
import { icon } from "./icons.js";

const dialog = document.getElementById("palette");
const input = document.getElementById("palette-input");
const list = document.getElementById("palette-list");
const empty = document.getElementById("palette-empty");
const icons = { page: "arrow-right", table: "table-2", action: "play" };
const most = 50;
let items;
let chosen = 0;

// openPalette shows the palette, with what was typed last selected.
export async function openPalette() {
  if (!dialog || dialog.open) return;
  dialog.showModal();
  input.select();
  try {
    items ??= await load();
  } catch {
    empty.textContent = "The list could not be loaded. Close this and try again.";
  }
  draw();
}

async function load() {
  const answer = await fetch("/palette.json", { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`palette: ${answer.status}`);
  return (await answer.json()).items;
}

// rank is lower for a better match, Infinity for none.
function rank(item, words) {
  const label = item.label.toLowerCase();
  const rest = `${item.kind} ${item.hint ?? ""}`.toLowerCase();
  let sum = 0;
  for (const word of words) {
    const at = label.indexOf(word);
    if (at === 0) sum += 1;
    else if (at > 0) sum += /[\s_.-]/.test(label[at - 1]) ? 2 : 3;
    else if (rest.includes(word)) sum += 6;
    else return Infinity;
  }
  return sum;
}

function draw() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = (items ?? [])
    .map((item, place) => ({ item, place, rank: rank(item, words) }))
    .filter((hit) => hit.rank < Infinity)
    .sort((a, b) => a.rank - b.rank || a.place - b.place)
    .slice(0, most);
  list.replaceChildren(...found.map(({ item }, place) => option(item, place)));
  list.hidden = found.length === 0;
  empty.hidden = found.length > 0;
  choose(0);
}

function option(item, place) {
  const row = document.createElement("li");
  row.id = `palette-${place}`;
  row.className = "option";
  row.setAttribute("role", "option");
  row.dataset.href = item.href;
  const label = document.createElement("span");
  label.className = item.kind === "table" ? "code clip flex-none max-w-72" : "flex-none font-medium";
  label.textContent = item.label;
  const hint = document.createElement("span");
  hint.className = "clip ml-auto text-xs text-ink-3";
  hint.textContent = item.hint ?? item.kind;
  row.append(icon(icons[item.kind] ?? "arrow-right", "text-ink-3"), label, hint);
  return row;
}

function choose(place) {
  const rows = list.children;
  if (rows.length === 0) {
    input.removeAttribute("aria-activedescendant");
    return;
  }
  chosen = (place + rows.length) % rows.length;
  [...rows].forEach((row, at) => row.setAttribute("aria-selected", String(at === chosen)));
  rows[chosen].scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", rows[chosen].id);
}

function go(row) {
  if (!row) return;
  dialog.close();
  location.assign(row.dataset.href);
}

if (dialog) {
  input.addEventListener("input", draw);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      choose(chosen + step);
    } else if (event.key === "Enter") {
      event.preventDefault();
      go(list.children[chosen]);
    }
  });
  list.addEventListener("click", (event) => go(event.target.closest("[role=option]")));
  list.addEventListener("mousemove", (event) => {
    const row = event.target.closest("[role=option]");
    if (row) choose([...list.children].indexOf(row));
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-palette]")) return;
    event.preventDefault();
    document.querySelector("#nav:popover-open")?.hidePopover();
    openPalette();
  });
}
