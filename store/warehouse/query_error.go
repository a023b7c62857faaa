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

// engineError makes a failure of the engine's text: the same words, without
// paths, and the place in the statement when the text shows one.
func (e *queryEngine) engineError(sql, text string) error {
	kind, _, _ := strings.Cut(text, ":")
	switch kind {
	case "INTERRUPT Error":
		return refuseQuery(codeQueryCancelled, "The query was stopped.")
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
	f := &queryFailure{Failure: work.Failure{Code: codeQueryError}}
	f.Line, f.Column = errorPlace(sql, text)
	f.Message = e.names.Replace(e.withoutSystemNames(text))
	return f
}

// withoutSystemNames takes a suggestion out of an error text that names one of
// DuckDB's own views, which nobody meant.
func (e *queryEngine) withoutSystemNames(text string) string {
	const suggestion = "\nDid you mean \""
	before, after, found := strings.Cut(text, suggestion)
	if !found {
		return text
	}
	name, after, _ := strings.Cut(after, "\"?")
	_, last, qualified := strings.Cut(name, ".")
	if !qualified {
		last = name
	}
	if _, system := e.system[foldQueryName(last)]; !system {
		return text
	}
	return before + after
}

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
		Code: codeQueryInternal, Message: "The query could not be run because of a fault in Agnes. Try again; if it stays, tell an administrator.", Cause: err.Error(),
	}}
}
