// The SQL editor: CodeMirror in a shadow root, where it brings its styles as constructed stylesheets
// and so needs neither a nonce nor 'unsafe-inline'. Colours are the page's own custom properties.
import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { sql } from "@codemirror/lang-sql";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting, syntaxTree } from "@codemirror/language";
import { linter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, RangeSet, StateEffect, StateField } from "@codemirror/state";
import {
  Decoration, drawSelection, dropCursor, EditorView, GutterMarker, gutterLineClass, highlightActiveLine,
  highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers, MatchDecorator, ViewPlugin,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { duckdb, functions } from "./duckdb.js";

// Chrome wraps what is typed over marked, coloured text in a span with a style attribute, which the
// content policy blocks with an error in the console. So such input does not reach the DOM.
const typeOver = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { from, to, empty } = view.state.selection.main;
    if (event.inputType !== "insertText" || !event.data || empty || view.composing) return false;
    const text = event.data;
    const insert = () => view.state.update(view.state.replaceSelection(text), { userEvent: "input.type", scrollIntoView: true });
    if (!view.state.facet(EditorView.inputHandler).some((handle) => handle(view, from, to, text, insert))) view.dispatch(insert());
    event.preventDefault();
    return true;
  },
});

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operator, tags.bool, tags.null], color: "var(--k-word)", fontWeight: "500" },
  { tag: tags.typeName, color: "var(--k-word)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--k-str)" },
  { tag: tags.number, color: "var(--k-num)" },
  { tag: [tags.lineComment, tags.blockComment], color: "var(--k-com)", fontStyle: "italic" },
]);

const look = EditorView.theme({
  "&": { height: "100%", backgroundColor: "var(--color-base-100)", color: "var(--color-base-content)", fontSize: "0.8125rem" },
  "&.cm-focused": { outline: "none" }, // the caret and its line show where the keys go
  ".cm-scroller": { fontFamily: "var(--font-mono)", lineHeight: "1.3125rem", letterSpacing: "-0.01em" },
  ".cm-content": { padding: "0.5rem 0", caretColor: "var(--color-success)" },
  ".cm-line": { padding: "0 0.75rem 0 0" },
  ".cm-gutters": { backgroundColor: "var(--color-base-100)", color: "var(--ink-3)", border: "none" },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "2.75rem", padding: "0 0.75rem 0 0" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "transparent" },
  "&.cm-focused .cm-activeLine, &.cm-focused .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--sunk) 70%, transparent)", color: "inherit" },
  ".cm-cursor, .cm-dropCursor": { borderLeft: "2px solid var(--color-success)" },
  ".cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": { backgroundColor: "var(--teal-line)" },
  ".cm-selectionMatch": { backgroundColor: "var(--amber-soft)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--teal-soft)", outline: "1px solid var(--teal-line)" },
  "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "var(--red-soft)" },
  ".cm-function": { color: "var(--k-fn)" },
  ".cm-gutterElement.cm-wrongLine": { color: "var(--color-error)", fontWeight: "600" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--color-error) 1px", textUnderlineOffset: "3px" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", border: "1px solid var(--line-2)", borderRadius: "0.375rem", boxShadow: "0 6px 24px -6px var(--shade)", overflow: "hidden" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--font-mono)", fontSize: "0.75rem", maxHeight: "16rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "0.1875rem 0.5rem", lineHeight: "1.125rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--teal-soft)", color: "inherit", boxShadow: "inset 2px 0 0 var(--color-primary)" },
  ".cm-completionIcon": { display: "none" },
  ".cm-completionMatchedText": { textDecoration: "none", color: "var(--color-success)", fontWeight: "600" },
  ".cm-completionDetail": { fontStyle: "normal", color: "var(--ink-3)", marginLeft: "1rem", float: "right" },
  ".cm-diagnostic": { padding: "0.375rem 0.625rem", fontFamily: "var(--font-sans)", fontSize: "0.75rem", whiteSpace: "pre-wrap", maxWidth: "32rem" },
  ".cm-diagnostic-error": { borderLeft: "2px solid var(--color-error)" },
  ".cm-panels": { backgroundColor: "var(--color-base-200)", color: "inherit", borderColor: "var(--line-2)", fontFamily: "var(--font-sans)" },
  ".cm-textfield": { backgroundColor: "var(--raised)", border: "1px solid var(--ctl)", borderRadius: "0.25rem" },
  ".cm-button": { backgroundImage: "none", backgroundColor: "var(--raised)", border: "1px solid var(--line-2)", borderRadius: "0.25rem" },
});

// A name before "(" is a function, unless the parser knows it as something else.
const calls = new MatchDecorator({
  regexp: /[A-Za-z_][A-Za-z0-9_]*(?=\()/g,
  decorate: (add, from, to, _match, view) => {
    if (syntaxTree(view.state).resolveInner(from, 1).name === "Identifier") add(from, to, Decoration.mark({ class: "cm-function" }));
  },
});
const callColours = ViewPlugin.fromClass(
  class {
    constructor(view) {
      this.decorations = calls.createDeco(view);
    }
    update(update) {
      const parsed = syntaxTree(update.state) !== syntaxTree(update.startState);
      this.decorations = parsed ? calls.createDeco(update.view) : calls.updateDeco(update, this.decorations);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

// The number of a line that the engine refused is red until the text changes.
const wrongLine = StateEffect.define();
const redNumber = new (class extends GutterMarker {
  elementClass = "cm-wrongLine";
})();
const wrongLines = StateField.define({
  create: () => RangeSet.empty,
  update(lines, transaction) {
    for (const effect of transaction.effects) {
      if (effect.is(wrongLine)) return effect.value === null ? RangeSet.empty : RangeSet.of([redNumber.range(effect.value)]);
    }
    return transaction.docChanged ? RangeSet.empty : lines;
  },
  provide: (field) => gutterLineClass.from(field),
});

const names = new Compartment();

function language(schema) {
  const tables = {};
  for (const table of schema?.tables ?? []) {
    tables[table.name] = table.columns.map((column) => ({ label: column.name, type: "property", detail: column.type.toLowerCase() }));
  }
  return sql({ dialect: duckdb, schema: tables, upperCaseKeywords: true });
}

function completeFunction(context) {
  const word = context.matchBefore(/\w+/);
  if (!word || (word.from === word.to && !context.explicit)) return null;
  if (context.state.sliceDoc(word.from - 1, word.from) === ".") return null;
  return { from: word.from, options: functions, validFor: /^\w*$/ };
}

// mountEditor puts an editor into host. run, runOne and stop are called for their keys, changed with each new text.
export function mountEditor(host, { text, run, runOne, stop, changed }) {
  const root = host.attachShadow({ mode: "open" });
  const view = new EditorView({
    parent: root,
    root,
    state: EditorState.create({
      doc: text,
      extensions: [
        typeOver,
        keymap.of([
          { key: "Mod-Enter", run: runOne, shift: run, preventDefault: true },
          { key: "Mod-.", run: stop },
          { key: "Escape", run: stop },
        ]),
        lineNumbers(), highlightSpecialChars(), history(), drawSelection(), dropCursor(), indentOnInput(),
        bracketMatching(), closeBrackets(), autocompletion({ icons: false }), highlightActiveLine(), highlightActiveLineGutter(),
        highlightSelectionMatches(), search({ top: true }), syntaxHighlighting(colours), callColours, wrongLines, linter(null),
        names.of(language()),
        duckdb.language.data.of({ autocomplete: completeFunction }),
        look,
        keymap.of([
          { key: "Tab", run: acceptCompletion }, ...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap,
          ...completionKeymap, ...lintKeymap, indentWithTab,
        ]),
        EditorView.contentAttributes.of({ tabindex: "0", "aria-label": "Query. Control M lets Tab leave the editor." }),
        EditorView.updateListener.of((update) => update.docChanged && changed(update.state.doc.toString())),
      ],
    }),
  });
  return {
    focus: () => view.focus(),
    text: () => view.state.doc.toString(),
    replace: (next) => replace(view, next),
    insert: (word) => insert(view, word),
    selected: () => selected(view.state),
    statement: () => statement(view.state),
    learn: (schema) => view.dispatch({ effects: names.reconfigure(language(schema)) }),
    clearError: () => mark(view, null),
    showError: (line, column, message) => showError(view, line, column, message),
  };
}

function replace(view, next) {
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next }, selection: { anchor: next.length } });
  view.focus();
}

// insert puts a word in place of the marked error, or else of the selection.
function insert(view, word) {
  const wrong = view.state.field(wrongLines).size > 0 ? view.wrong : null;
  view.dispatch(wrong ? { changes: { ...wrong, insert: word } } : view.state.replaceSelection(word));
  view.focus();
}

// selected is what a run sends: the selection, else all, with the line it starts on.
function selected(state) {
  const { from, to, empty } = state.selection.main;
  return empty ? part(state, { from: 0, to: state.doc.length }) : part(state, { from, to });
}

// statement is the selection, else the statement at the caret.
function statement(state) {
  return state.selection.main.empty ? part(state, around(state, state.selection.main.from)) : selected(state);
}

function part(state, { from, to }) {
  return { sql: state.sliceDoc(from, to), line: state.doc.lineAt(from).number };
}

function around(state, caret) {
  const statements = syntaxTree(state).topNode.getChildren("Statement");
  if (statements.length < 2) return { from: 0, to: state.doc.length };
  const at = statements.find((node) => caret <= node.to) ?? statements.at(-1);
  return { from: at.from, to: at.to };
}

function showError(view, line, column, message) {
  const at = view.state.doc.line(Math.min(Math.max(1, line), view.state.doc.lines));
  const from = Math.min(at.from + Math.max(0, column - 1), at.to);
  const word = column > 0 ? view.state.wordAt(from) : null;
  const range = word ?? { from: column > 0 ? from : at.from, to: at.to };
  mark(view, { from: range.from, to: Math.max(range.to, range.from), line: at.from, message });
}

function mark(view, wrong) {
  view.wrong = wrong && { from: wrong.from, to: wrong.to };
  const list = wrong ? [{ from: wrong.from, to: wrong.to, severity: "error", message: wrong.message }] : [];
  view.dispatch(setDiagnostics(view.state, list), { effects: wrongLine.of(wrong ? wrong.line : null) });
}
