package work

import "agnes/domain"

// ChildError is a child's failure in its own words.
type ChildError struct {
	Failure Failure
	Kind    domain.Kind
}

// Error returns the sentence and, for the log, the cause.
func (e *ChildError) Error() string {
	if e.Failure.Cause == "" {
		return e.Failure.Message
	}
	return e.Failure.Message + ": " + e.Failure.Cause
}

// Unwrap makes it a domain error with the same code and sentence.
func (e *ChildError) Unwrap() error {
	return &domain.Error{Kind: e.Kind, Code: e.Failure.Code, Message: e.Failure.Message}
}
