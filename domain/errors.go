package domain

import (
	"context"
	"errors"
	"fmt"
)

// Kind says what sort of failure an error is; handlers map it to a status.
type Kind uint8

// The kinds. Internal is the zero value: an error nobody classified.
const (
	Internal Kind = iota
	Invalid
	Unauthenticated
	Forbidden
	NotFound
	Conflict
	Stale // what was read to make the request has changed since
	TooLarge
	Limited
	Unavailable
	Cancelled
	kinds // the number of kinds, for tests that walk them
)

// Kinds lists every kind, so that a table of them can be checked for gaps.
func Kinds() []Kind {
	all := make([]Kind, 0, kinds)
	for k := range kinds {
		all = append(all, k)
	}
	return all
}

// Error is a failure that people are told about. Message is a sentence for
// them: what happened, what it means, what to do next; never a path, host or
// secret. Err is the cause for the log.
type Error struct {
	Kind    Kind
	Code    string            // stable machine code, such as "table_name_taken"; may be empty
	Message string            // a sentence for people
	Fields  map[string]string // form field → sentence, for Invalid
	Err     error
}

// Error returns the sentence and, for the log, the cause.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// E makes an error of a kind with a code and a sentence.
func E(kind Kind, code, format string, args ...any) *Error {
	return &Error{Kind: kind, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Because returns a copy of the error with its cause.
func (e *Error) Because(cause error) *Error {
	with := *e
	with.Err = cause
	return &with
}

// FieldError is an Invalid error about one field of a form or body.
func FieldError(field, format string, args ...any) *Error {
	message := fmt.Sprintf(format, args...)
	return &Error{Kind: Invalid, Code: "invalid_" + field, Message: message, Fields: map[string]string{field: message}}
}

// KindOf returns the kind of the outermost *Error in err's chain; Cancelled for
// a bare context error; Internal for everything else.
func KindOf(err error) Kind {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e.Kind
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return Cancelled
	}
	return Internal
}

// CodeOf returns the machine code in err's chain, or "".
func CodeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
