// The console: turns the query field into an editor, sends what it holds, and stops it.
import { draftOf, keepDraft } from "./draftstore.js";
import { mountEditor } from "./editor.js";

const form = document.querySelector("form[data-console]");
if (form) start();

function start() {
  const field = form.querySelector("#sql");
  const user = form.dataset.draft;
  // A run's own text gives way to a draft that goes on from it, where the page is loaded again.
  const again = performance.getEntriesByType("navigation")[0]?.type === "reload";
  const given = () => form.dataset.given === "true" || (form.dataset.given === "run" && !again);
  const runner = makeRunner();
  let saving;

  const host = document.createElement("div");
  host.className = "h-full";
  const editor = mountEditor(host, {
    text: given() ? field.value : draftOf(user) || field.value,
    run: () => runner.run(),
    runOne: () => runner.runOne(),
    stop: () => runner.stop(),
    changed: (text) => {
      field.value = text;
      clearTimeout(saving);
      saving = setTimeout(() => keepDraft(user, text), 400);
    },
  });
  field.value = editor.text();
  field.hidden = true;
  field.required = false;
  field.before(host);
  form.querySelector("[data-draft-note]").hidden = false;
  form.querySelector('label[for="sql"]').remove();
  runner.attach(editor);
  bindTree(editor);
  bindResult(editor, runner);
  bindMenus();
  editor.focus();
  fetch(form.dataset.schema, { headers: { Accept: "application/json" } })
    .then((answer) => (answer.ok ? answer.json() : null))
    .then((schema) => schema && editor.learn(schema))
    .catch(() => undefined); // completion is a convenience; the editor works without it
}

// makeRunner sends what the editor holds, and stops it.
function makeRunner() {
  const field = form.querySelector("#sql");
  const runButton = form.querySelector("[data-run]");
  const result = document.getElementById("result");
  let editor;
  let one = false;
  let firstLine = 1;
  let sent = "";
  let sending = false;

  const show = () => {
    const on = sending || Boolean(result.querySelector("[data-working]"));
    runButton.setAttribute("aria-busy", String(on));
    result.setAttribute("aria-busy", String(on));
    result.classList.toggle("stale", sending);
  };
  const runner = {
    attach: (mounted) => (editor = mounted),
    firstLine: () => firstLine,
    run() {
      if (editor.text().trim()) form.requestSubmit(runButton);
      return true;
    },
    runOne() {
      one = true;
      return runner.run();
    },
    stop() {
      const cancel = result.querySelector("[data-cancel]");
      cancel?.click();
      return Boolean(cancel);
    },
  };

  // A download is the browser's business, not htmx's; both send what is selected, or else all.
  form.addEventListener("submit", (event) => {
    const whole = field.value;
    const part = one ? editor.statement() : editor.selected();
    one = false;
    firstLine = part.line;
    sent = part.sql;
    field.value = sent;
    setTimeout(() => (field.value = whole));
    if (event.submitter?.hasAttribute("data-native")) event.stopImmediatePropagation();
  }, { capture: true });
  form.addEventListener("htmx:config:request", (event) => event.detail.ctx.request.body.set("sql", sent));
  form.addEventListener("htmx:before:request", () => {
    sending = true;
    editor.clearError();
    show();
  });
  form.addEventListener("htmx:finally:request", () => {
    sending = false;
    show();
  });
  document.addEventListener("htmx:after:swap", show);
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented) return;
    if (event.key === "Escape" ? typing() || !runner.stop() : !modified(event)) return;
    event.preventDefault();
  });
  const modified = (event) => {
    if (!event.metaKey && !event.ctrlKey) return false;
    if (event.key === "Enter") return event.shiftKey ? runner.run() : runner.runOne();
    return event.key === "." && runner.stop();
  };
  // Escape empties a search field, and closes what is open over the page.
  const typing = () => document.activeElement?.matches("input, select") || document.querySelector("dialog[open], :popover-open, [data-menu][open]");
  show();
  return runner;
}

// bindMenus closes a menu when something else is asked for.
function bindMenus() {
  const open = () => document.querySelector("details[data-menu][open]");
  document.addEventListener("click", (event) => {
    const menu = open();
    if (menu && (!menu.contains(event.target) || event.target.closest("a"))) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && open();
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
    event.preventDefault();
  });
}

// bindTree filters the tree and brings its names into the editor.
function bindTree(editor) {
  const search = document.querySelector("[data-tree-search]");
  search?.addEventListener("input", () => filterTree(search.value.trim().toLowerCase()));
  document.getElementById("tree")?.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-query]");
    if (!link) return;
    event.preventDefault();
    document.querySelector("#tree:popover-open")?.hidePopover();
    const name = quoted(link.dataset.query);
    if (editor.text().trim()) editor.insert(name);
    else editor.replace(`SELECT *\nFROM ${name}\nLIMIT 100`);
  });
}

function filterTree(part) {
  for (const source of document.querySelectorAll("[data-tree-source]")) {
    let shown = 0;
    for (const table of source.querySelectorAll("[data-tree-table]")) {
      const byName = table.dataset.treeTable.toLowerCase().includes(part);
      let byColumn = false;
      for (const column of table.querySelectorAll("[data-tree-column]")) {
        const hit = column.dataset.treeColumn.toLowerCase().includes(part);
        byColumn ||= hit;
        column.hidden = !byName && !hit;
      }
      table.hidden = !byName && !byColumn;
      if (part && byColumn && !byName) table.querySelector("details").open = true;
      shown += table.hidden ? 0 : 1;
    }
    source.hidden = shown === 0;
  }
}

// bindResult marks a refused query in the editor and takes up the names that were perhaps meant.
function bindResult(editor, runner) {
  const result = document.getElementById("result");
  let marked;
  const look = () => {
    const run = result.querySelector("#run");
    if (run && run === marked) return; // something else was swapped
    marked = run;
    const error = result.querySelector("[data-sql-error][data-line]");
    if (error) editor.showError(Number(error.dataset.line) + runner.firstLine() - 1, Number(error.dataset.column), error.dataset.sqlError);
  };
  document.addEventListener("htmx:after:swap", look);
  look();
  result.addEventListener("click", (event) => {
    const name = event.target.closest("[data-insert]");
    if (name) editor.insert(quoted(name.dataset.insert));
  });
}

function quoted(name) {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
