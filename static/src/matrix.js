// The matrix of access by keyboard: arrows move, Space toggles, Shift and arrows choose a block. Edits are
// staged until they are applied; they outlive pages and filters in sessionStorage, as ids alone. Without
// this script every cell is a box to tick, and a button sends them.
import { announce, previewStaged } from "./matrix_bar.js";
import { staged } from "./matrix_staged.js";

const root = document.getElementById("matrix");
let page; // the ids behind rows and columns, and what cells hold
let table;
let grid = []; // rows of boxes
let at = { r: 0, c: 0 };
let anchor; // where a block began

const cellOf = (box) => box.closest("td");
const nameOf = (r) => grid[r][0].closest("tr").querySelector("th").textContent.trim();
const groupOf = (c) => table.tHead.rows[0].cells[c + 1].querySelector("a").textContent.trim();
const within = (n, size) => Math.min(size - 1, Math.max(0, n));

// bind takes over the table that is shown now.
function bind() {
  for (const plain of document.querySelectorAll("[data-matrix-plain]")) plain.hidden = true;
  const shown = root.querySelector("[data-matrix-table]");
  if (shown === table) return;
  table = shown;
  grid = [];
  anchor = undefined;
  document.querySelector("[data-matrix-strip]").hidden = !table;
  if (!table) return;
  page = JSON.parse(root.querySelector("input[name=page]").value);
  table.setAttribute("role", "grid");
  for (const row of table.querySelectorAll("tbody tr:not(.mx-sec)")) {
    const boxes = [...row.querySelectorAll(".cx")];
    for (const box of boxes) {
      box.tabIndex = -1;
      box.autocomplete = "off";
      box.checked = box.defaultChecked; // a browser that restores pages brings ticks back
      cellOf(box).setAttribute("role", "gridcell");
      cellOf(box).setAttribute("aria-selected", "false");
    }
    grid.push(boxes);
  }
  at = { r: within(at.r, grid.length), c: within(at.c, grid[0].length) };
  grid[at.r][at.c].tabIndex = 0;
  restore();
}

// restore shows the staged edits of the cells that are shown. Those that have
// come true meanwhile are no edits any more.
function restore() {
  const rows = new Map(page.tables.map((id, r) => [id, r]));
  const columns = new Map(page.groups.map((id, c) => [id, c]));
  for (const row of grid) for (const box of row) if (box.checked !== box.defaultChecked) show(box, box.defaultChecked);
  for (const edit of staged.all()) {
    const r = rows.get(edit.resource_id);
    const c = columns.get(edit.group_id);
    if (r === undefined || c === undefined) continue;
    const on = edit.want !== null;
    if (grid[r][c].defaultChecked === on) staged.drop(edit);
    show(grid[r][c], on);
  }
}

// show ticks a box and says what that means.
function show(box, on) {
  box.dataset.label ??= box.getAttribute("aria-label");
  box.checked = on;
  const name = box.dataset.label.slice(0, box.dataset.label.lastIndexOf(": "));
  const text = on === box.defaultChecked ? box.dataset.label : `${name}: ${on ? "gets it" : "loses it"}, staged`;
  box.setAttribute("aria-label", text);
  return text;
}

// set stages what the cells shall be, as one step that Ctrl and Z takes back.
function set(cells, on) {
  staged.step();
  let text = "";
  for (const { r, c } of cells) {
    const box = grid[r][c];
    const edit = {
      group_id: page.groups[c], resource_type: "table", resource_id: page.tables[r],
      was: page.was[`${c}.${r}`] ?? null, want: on ? {} : null,
    };
    if (box.defaultChecked === on) staged.drop(edit);
    else staged.put(edit);
    text = show(box, on);
  }
  staged.keep();
  announce(cells.length === 1 ? text : `${cells.length} cells: ${on ? "granted" : "without a grant"}, staged`);
  strip();
  previewStaged();
}

function block() {
  if (!anchor) return [at];
  const cells = [];
  for (let r = Math.min(anchor.r, at.r); r <= Math.max(anchor.r, at.r); r++) {
    for (let c = Math.min(anchor.c, at.c); c <= Math.max(anchor.c, at.c); c++) cells.push({ r, c });
  }
  return cells;
}

// choose marks the block, and says how large it is.
function choose() {
  for (const cell of table.querySelectorAll("td[aria-selected=true]")) cell.setAttribute("aria-selected", "false");
  if (!anchor) return;
  const cells = block();
  for (const { r, c } of cells) cellOf(grid[r][c]).setAttribute("aria-selected", "true");
  if (cells.length > 1) announce(`${cells.length} cells chosen`);
}

function move(r, c, extend) {
  if (extend) anchor ??= at;
  else anchor = undefined;
  const next = { r: within(r, grid.length), c: within(c, grid[0].length) };
  grid[at.r][at.c].tabIndex = -1;
  at = next;
  const box = grid[at.r][at.c];
  box.tabIndex = 0;
  box.focus({ preventScroll: true });
  cellOf(box).scrollIntoView({ block: "nearest", inline: "nearest" });
  choose();
  strip();
}

// strip spells out the cell: the table, the group and what there is between them.
function strip() {
  const box = grid[at.r]?.[at.c];
  if (!box) return;
  for (const head of table.querySelectorAll("th[data-here]")) delete head.dataset.here;
  table.tHead.rows[0].cells[at.c + 1].dataset.here = "";
  const name = document.createElement("span");
  name.className = "code font-medium text-ink";
  name.textContent = nameOf(at.r);
  const group = document.createElement("b");
  group.className = "font-semibold text-ink";
  group.textContent = groupOf(at.c);
  const label = box.getAttribute("aria-label");
  const state = label.slice(label.lastIndexOf(": ") + 2);
  const why = cellOf(box).title;
  const words = box.checked === box.defaultChecked ? why || state : `${state}${why ? `; now ${why}` : ""}`;
  document.querySelector("[data-matrix-cell]").replaceChildren(name, " × ", group, `: ${words}`);
}

function screenful() {
  const scroll = table.closest("[data-matrix-scroll]");
  return Math.max(1, Math.floor(scroll.clientHeight / grid[0][0].offsetHeight) - 2);
}

const moves = {
  ArrowUp: () => [at.r - 1, at.c],
  ArrowDown: () => [at.r + 1, at.c],
  ArrowLeft: () => [at.r, at.c - 1],
  ArrowRight: () => [at.r, at.c + 1],
  PageUp: () => [at.r - screenful(), at.c],
  PageDown: () => [at.r + screenful(), at.c],
  Home: (event) => [event.ctrlKey ? 0 : at.r, 0],
  End: (event) => [event.ctrlKey ? grid.length : at.r, grid[0].length],
};

root.addEventListener("keydown", (event) => {
  if (!event.target.matches(".cx") || event.altKey || event.metaKey) return;
  if (moves[event.key]) {
    event.preventDefault();
    move(...moves[event.key](event), event.shiftKey);
  } else if (event.key === " ") {
    event.preventDefault();
    const cells = block();
    set(cells, !cells.every(({ r, c }) => grid[r][c].checked));
  } else if (event.key === "Escape" && anchor) {
    event.preventDefault();
    anchor = undefined;
    choose();
    announce("Nothing chosen");
  }
});
// Some browsers tick when the key is let go.
root.addEventListener("keyup", (event) => {
  if (event.key === " " && event.target.matches(".cx")) event.preventDefault();
});

root.addEventListener("focusin", (event) => {
  const place = event.target.matches(".cx") && placeOf(event.target);
  if (!place || (place.r === at.r && place.c === at.c)) {
    strip();
    return;
  }
  grid[at.r][at.c].tabIndex = -1;
  at = place;
  event.target.tabIndex = 0;
  strip();
});

root.addEventListener("mousedown", (event) => {
  if (!event.target.matches?.(".cx") || !event.shiftKey) return;
  event.preventDefault();
  const { r, c } = placeOf(event.target);
  move(r, c, true);
});
root.addEventListener("click", (event) => {
  if (!event.target.matches?.(".cx")) return;
  if (event.shiftKey) event.preventDefault(); // it chose a block
  else if (event.detail > 0) {
    anchor = undefined;
    choose();
  }
});
root.addEventListener("change", (event) => {
  if (event.target.matches(".cx")) set([placeOf(event.target)], event.target.checked);
});

function placeOf(box) {
  const [c, r] = box.value.split(".").map(Number);
  return { r, c };
}

// Ctrl and Z takes the last step back, unless somebody types.
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.shiftKey || event.key.toLowerCase() !== "z") return;
  if (event.target.matches?.("input:not([type=checkbox]), textarea, select") || document.querySelector("dialog:modal")) return;
  if (!staged.back()) return;
  event.preventDefault();
  again("The last change was taken back");
});

// again shows what is staged after it changed as a whole.
function again(words) {
  if (table) restore();
  strip();
  announce(words);
  previewStaged();
}

document.addEventListener("click", (event) => {
  if (!event.target.closest?.("[data-staged-discard]")) return;
  staged.clear();
  again("All staged changes are discarded");
  grid[at.r]?.[at.c].focus();
});

document.addEventListener("htmx:after:swap", bind);
bind();
if (staged.all().length > 0) previewStaged();
