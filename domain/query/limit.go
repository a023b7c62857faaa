package query

import (
	"errors"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"

	"agnes/domain"
)

// Limits bound one query, and what one person may take with all of them.
type Limits struct {
	Timeout time.Duration // from start to last row
	MaxSQL  int           // bytes of text
	Person  PersonLimits
	Results ResultLimits
}

// PersonLimits bound one person. They are counted in the state, so that they
// outlive a restart. 0 means no limit.
type PersonLimits struct {
	Concurrent int   // queries that run or wait
	DailyBytes int64 // of rows returned in a day, UTC; tested before a query starts
}

// ResultLimits bound the rows that are kept. 0 means no limit.
type ResultLimits struct {
	Bytes       int64 // of one result
	PersonBytes int64 // of one person's results; the oldest go first
	PersonCount int
	Age         time.Duration
}

// The kinds of limits, as contract 3.4 names them.
const (
	LimitConcurrent = "concurrent_scans"
	LimitDaily      = "daily_bytes"
)

// LimitError says that a person has reached a limit. Its kind is Limited.
type LimitError struct {
	Kind       string
	Current    int64
	Limit      int64
	RetryAfter time.Duration // 0: as soon as another query of theirs ends
}

// Reason is the machine code of contract 3.3.
func (e *LimitError) Reason() string {
	if e.Kind == LimitDaily {
		return "daily_byte_cap_exceeded"
	}
	return "concurrent_slot_exceeded"
}

// Error returns the sentence.
func (e *LimitError) Error() string {
	if e.Kind == LimitDaily {
		return fmt.Sprintf("Your queries returned %s today, and %s a day are allowed. Go on after midnight UTC, or ask an administrator for more.",
			humanize.IBytes(uint64(max(e.Current, 0))), humanize.IBytes(uint64(max(e.Limit, 0))))
	}
	return fmt.Sprintf("%d queries of yours run or wait already, and %d at a time are allowed. Wait for one to end, or cancel one.", e.Current, e.Limit)
}

// Unwrap makes KindOf(err) Limited.
func (e *LimitError) Unwrap() error {
	return &domain.Error{Kind: domain.Limited, Code: e.Reason(), Message: e.Error()}
}

// RetryAfter is how long to wait before a Limited error is worth another try.
func RetryAfter(err error) time.Duration {
	var limit *LimitError
	if errors.As(err, &limit) && limit.RetryAfter > 0 {
		return limit.RetryAfter
	}
	return time.Second
}

// Day is the day, UTC, on which what happens at a time is counted.
func Day(at time.Time) string { return at.UTC().Format(time.DateOnly) }

// UntilTomorrow is how long the day of a time still is.
func UntilTomorrow(at time.Time) time.Duration {
	at = at.UTC()
	return at.Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(at)
}
