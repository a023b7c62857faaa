//go:build duckdb_arrow

package warehouse

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"agnes/domain/work"
)

// queryFailure is a failure that is told to the server in a frame. After a
// fatal one the engine cannot go on and the child ends.
type queryFailure struct {
	work.Failure
	fatal bool
}

func (f *queryFailure) Error() string { return f.Message }

func refuseQuery(code, format string, args ...any) error {
	return &queryFailure{Failure: work.Failure{Code: code, Message: fmt.Sprintf(format, args...)}}
}

// The codes of failures that a statement can meet while it runs.
const (
	codeQueryError     = "query_error"
	codeQueryMemory    = "query_memory"
	codeQueryCancelled = "cancelled"
	codeQueryInternal  = "query_internal"
)

const (
	// lostFolder is what the engine says once its scratch folder is gone.
	lostFolder   = "IO Error: Could not get working directory!"
	faultInAgnes = "The query could not be run because of a fault in Agnes. Try again; if it stays, tell an administrator."
)

// engineError makes a failure of the engine's text: the same words, without
// paths, and the place in the statement when the text shows one.
func (e *queryEngine) engineError(sql, text string) error {
	kind, _, _ := strings.Cut(text, ":")
	switch kind {
	case "INTERRUPT Error":
		return errCancelled()
	case "Out of Memory Error":
		return &queryFailure{Failure: work.Failure{
			Code:    codeQueryMemory,
			Message: "The query needed more memory than one query may use. Ask for fewer rows or columns, filter earlier, or group before joining.",
			Cause:   e.names.Replace(text),
		}}
	case "INTERNAL Error", "FATAL Error", "TransactionContext Error":
		return &queryFailure{fatal: true, Failure: work.Failure{
			Code:    codeQueryInternal,
			Message: "The engine stopped on this query because of a fault of its own. Other queries are not affected. Try to write the query in another way.",
			Cause:   e.names.Replace(text),
		}}
	}
	if strings.HasPrefix(text, lostFolder) { // whatever is asked next would fail alike
		return &queryFailure{fatal: true, Failure: work.Failure{Code: work.ChildLost, Message: faultInAgnes, Cause: lostFolder}}
	}
	f := &queryFailure{Failure: work.Failure{Code: codeQueryError}}
	f.Line, f.Column = errorPlace(sql, text)
	if table, missing := missingTable(text); missing {
		f.Code, f.Table, f.Message = work.TableNotFound, table, tableNotFound(table)
		return f
	}
	f.Message = e.names.Replace(withoutSuggestion(text))
	return f
}

// statementError is engineError for a statement that passed the gate.
func (e *queryEngine) statementError(s *queryStatement, text string) error {
	f := asFailure(e.engineError(s.head+s.text, text))
	if s.rewritten {
		f.Line, f.Column = 0, 0
		f.Message, _, _ = strings.Cut(f.Message, "\n\nLINE ") // an excerpt of what the author did not write
	}
	return f
}

// missingTable reads the name off the engine's own words for a table that it
// does not hold. The gate finds these first; this is for what it may not see.
func missingTable(text string) (name string, found bool) {
	rest, found := strings.CutPrefix(text, "Catalog Error: Table with name ")
	if !found {
		return "", false
	}
	name, _, found = strings.Cut(rest, " does not exist!")
	return name, found
}

// ownError is the failure to tell when a statement of ours, made for one of an
// author's, was stopped or had too little memory; nil when it failed otherwise.
func (e *queryEngine) ownError(err error) error {
	for _, kind := range []string{"INTERRUPT Error", "Out of Memory Error"} {
		if _, text, found := strings.Cut(err.Error(), kind); found {
			return e.engineError("", kind+text)
		}
	}
	return nil
}

func tableNotFound(name string) string {
	return "There is no table " + name + " among those that you can read."
}

// withoutSuggestion takes "Did you mean" out of an error about the catalog:
// the engine draws on all that it holds, functions and views of its own too.
func withoutSuggestion(text string) string {
	const suggestion = "\nDid you mean \""
	before, after, found := strings.Cut(text, suggestion)
	if !found || !strings.HasPrefix(text, "Catalog Error") || strings.Contains(before, "Function with name") {
		return text
	}
	_, after, _ = strings.Cut(after, "\"?")
	return before + after
}

// linePlace makes line and column, both from 1, of a place in bytes.
func linePlace(sql string, at int) (line, column int) {
	if at > len(sql) {
		return 0, 0
	}
	before := sql[:at]
	start := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[start:]) + 1
}

func errCancelled() error { return refuseQuery(codeQueryCancelled, "The query was stopped.") }

// errorPlace reads line and column, both from 1, off the engine's own excerpt:
//
//	LINE 2: …FROM ordres WHERE…
//	              ^
//
// The excerpt of a long line is cut on both sides, so it is looked up in the
// statement.
func errorPlace(sql, text string) (line, column int) {
	_, excerpt, found := strings.Cut(text, "\nLINE ")
	if !found {
		return 0, 0
	}
	number, excerpt, found := strings.Cut(excerpt, ": ")
	line, err := strconv.Atoi(number)
	if !found || err != nil {
		return 0, 0
	}
	shown, caret, found := strings.Cut(excerpt, "\n")
	caret, _, _ = strings.Cut(caret, "\n")
	lines := strings.Split(sql, "\n")
	if !found || line < 1 || line > len(lines) {
		return line, 0
	}
	at := strings.IndexByte(caret, '^') - len("LINE : ") - len(number)
	if at < 0 {
		return line, 0
	}
	if cut, isCut := strings.CutPrefix(shown, "..."); isCut {
		shown, at = cut, at-len("...")
	}
	start := strings.Index(lines[line-1], strings.TrimSuffix(shown, "..."))
	if start < 0 || at < 0 {
		return line, 0
	}
	return line, utf8.RuneCountInString(lines[line-1][:start]) + at + 1
}

// asFailure returns what to tell the server about err.
func asFailure(err error) *queryFailure {
	var f *queryFailure
	if errors.As(err, &f) {
		return f
	}
	return &queryFailure{fatal: true, Failure: work.Failure{
		Code: codeQueryInternal, Message: faultInAgnes, Cause: err.Error(),
	}}
}
