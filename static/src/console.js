// The console: turns the query field into an editor, shows how a run goes, and stops it.
import { draftOf, keepDraft } from "./draftstore.js";
import { mountEditor } from "./editor.js";

const form = document.querySelector("form[data-console]");
if (form) start();

function start() {
  const field = form.querySelector("#sql");
  const user = form.dataset.draft;
  const given = form.dataset.given === "true";
  const runner = makeRunner();
  let saving;

  const host = document.createElement("div");
  host.className = "h-full";
  const editor = mountEditor(host, {
    text: given ? field.value : draftOf(user) || field.value,
    run: () => runner.run(),
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
  editor.focus();
  fetch(form.dataset.schema, { headers: { Accept: "application/json" } })
    .then((answer) => (answer.ok ? answer.json() : null))
    .then((schema) => schema && editor.learn(schema))
    .catch(() => undefined); // completion is a convenience; the editor works without it
}

// makeRunner sends what the editor holds and tells how long it has been at it.
function makeRunner() {
  const field = form.querySelector("#sql");
  const runButton = form.querySelector("[data-run]");
  const stopButton = form.querySelector("[data-stop]");
  const told = form.querySelector("[data-run-state]");
  const result = document.getElementById("result");
  let editor;
  let began = 0;
  let ticking;
  let stopped = false;
  let firstLine = 1;
  let sent = "";

  const seconds = () => `${((performance.now() - began) / 1000).toFixed(1)} s`;
  const running = (on) => {
    runButton.setAttribute("aria-busy", String(on));
    stopButton.disabled = !on;
    result.setAttribute("aria-busy", String(on));
    result.classList.toggle("stale", on);
  };
  const runner = {
    attach: (mounted) => (editor = mounted),
    firstLine: () => firstLine,
    run() {
      if (editor.text().trim()) form.requestSubmit(runButton);
      return true;
    },
    stop() {
      if (stopButton.disabled) return false;
      stopped = true;
      form.dispatchEvent(new CustomEvent("htmx:abort"));
      return true;
    },
  };

  // A download is the browser's business, not htmx's; both send the statement at the caret.
  form.addEventListener("submit", (event) => {
    const whole = field.value;
    const statement = editor.statement();
    firstLine = statement.line;
    sent = statement.sql;
    field.value = sent;
    setTimeout(() => (field.value = whole));
    if (event.submitter?.hasAttribute("data-native")) event.stopImmediatePropagation();
  }, { capture: true });
  form.addEventListener("htmx:config:request", (event) => event.detail.ctx.request.body.set("sql", sent));
  form.addEventListener("htmx:before:request", () => {
    began = performance.now();
    stopped = false;
    editor.clearError();
    running(true);
    clearInterval(ticking);
    ticking = setInterval(() => {
      if (performance.now() - began > 300) told.textContent = `Running, ${seconds()}`;
    }, 100);
  });
  form.addEventListener("htmx:finally:request", () => {
    clearInterval(ticking);
    running(false);
    told.textContent = stopped ? `Stopped after ${seconds()}` : "";
  });
  stopButton.addEventListener("click", () => runner.stop());
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || !(event.metaKey || event.ctrlKey)) return;
    if (event.key === "Enter") runner.run();
    else if (event.key === ".") runner.stop();
    else return;
    event.preventDefault();
  });
  return runner;
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
  const look = () => {
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
