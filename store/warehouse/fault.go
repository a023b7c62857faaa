package warehouse

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"syscall"

	"agnes/domain"
	"agnes/domain/work"

	duckdb "github.com/duckdb/duckdb-go/v2"
)

// fault is a failure in words for people, on its way out of the child.
type fault struct {
	work.Failure
	err error
}

// refuse makes a fault of a code, the next step and a sentence.
func refuse(code, next, format string, args ...any) *fault {
	return &fault{Failure: work.Failure{Code: code, Message: fmt.Sprintf(format, args...), NextStep: next}}
}

// because returns the fault with its cause, which only the log sees.
func (f *fault) because(err error) *fault {
	with := *f
	with.err = err
	return &with
}

// atLine returns the fault with the line of the file that it is about.
func (f *fault) atLine(line int) *fault {
	with := *f
	with.Line = line
	return &with
}

// Error returns the sentence and, for the log, the cause.
func (f *fault) Error() string {
	if f.err == nil {
		return f.Message
	}
	return f.Message + ": " + f.err.Error()
}

// Unwrap returns the cause.
func (f *fault) Unwrap() error { return f.err }

// FailureOf turns any error of this package or of a connector into the message
// that ends a child's work.
func FailureOf(err error) work.Failure {
	var known *fault
	if errors.As(err, &known) {
		failure := known.Failure
		if known.err != nil {
			failure.Cause = shorten(known.err.Error(), 2000)
		}
		return failure
	}
	if general := generalFault(err); general != nil {
		return FailureOf(general)
	}
	var told *domain.Error
	isTold := errors.As(err, &told)
	// Whoever says by name what is not there knows more than the disk does.
	if disk := diskFault(err); disk != nil && (!isTold || told.Kind != domain.NotFound) {
		return FailureOf(disk)
	}
	if isTold {
		return work.Failure{Code: told.Code, Message: told.Message, Cause: shorten(err.Error(), 2000)}
	}
	return work.Failure{
		Code:     "internal",
		Message:  "The work stopped because of a fault in Agnes itself. Nothing was changed.",
		NextStep: "Try again. If it happens again, give an administrator the time of this message.",
		Cause:    shorten(err.Error(), 2000),
	}
}

// generalFault names the failures that can befall any work: no room, no
// memory, cancelled. It returns nil for others.
func generalFault(err error) *fault {
	switch text := err.Error(); {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), engineError(err, duckdb.ErrorTypeInterrupt):
		return refuse("cancelled", "Start it again when you want the result.", "The work was stopped before it was finished. Nothing was changed.").because(err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), strings.Contains(text, "No space left on device"):
		return refuse("disk_full", "Free space on the server's disk, then try again.", "The server's disk is full. Nothing was changed.").because(err)
	case engineError(err, duckdb.ErrorTypeOutOfMemory), strings.Contains(text, "Out of Memory Error"):
		return refuse("out_of_memory", "Give the work more memory, or bring less at a time.", "The work needs more memory than it may use. Nothing was changed.").because(err)
	}
	return nil
}

// engineError reports whether err is an error of DuckDB of that type.
func engineError(err error, kind duckdb.ErrorType) bool {
	var e *duckdb.Error
	return errors.As(err, &e) && e.Type == kind
}

// engineBroken reports whether the instance that returned err cannot be used
// any more, and says nothing about the data.
func engineBroken(err error) bool {
	return engineError(err, duckdb.ErrorTypeInternal) || engineError(err, duckdb.ErrorTypeFatal)
}

var (
	absolutePath = regexp.MustCompile(`/[^\s"'\]),]*/`)
	engineHint   = regexp.MustCompile(`(?s)\n\s*(Possible (fixes|solutions)|LINE \d+:|Candidate bindings|Did you mean|Stack Trace).*`)
)

// engineWords is what DuckDB says, fit for people: the first lines, without
// folders of the server.
func engineWords(err error) string {
	text := err.Error()
	var engine *duckdb.Error
	if errors.As(err, &engine) {
		text = engine.Error()
	}
	text = engineHint.ReplaceAllString(text, "")
	text = absolutePath.ReplaceAllString(text, "")
	return shorten(strings.Join(strings.Fields(text), " "), 300)
}

// shorten cuts text to at most limit bytes, at a character's border.
func shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}
