package query

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/work"
)

// CodeSeveral marks a run whose text the engine refused because it holds
// several statements. With Request.Each it is the head of a series.
const CodeSeveral = "several_statements"

// maxSeries bounds the statements of one text.
const maxSeries = 100

// series are the statements of one text, run one after the other. It is known
// from the head's start to the last statement's end.
type series struct {
	by      access.Owner
	now     *Run // that runs at the moment, the head at first
	stopped bool
}

// SeriesID is the id of the n-th statement, from 1, of the run of a whole text.
func SeriesID(head string, n int) string { return head + "." + strconv.Itoa(n) }

// SplitSeriesID is the reverse; n is 0 for a run that is no part of another.
func SplitSeriesID(id string) (head string, n int) {
	head, text, found := strings.Cut(id, ".")
	if n, err := strconv.Atoi(text); found && err == nil && n > 0 {
		return head, n
	}
	return id, 0
}

// Going reports whether a run of a person, or a statement of its series, still
// runs, waits, or is yet to start.
func (r *Runner) Going(by access.Owner, id string) bool {
	return r.live.current(by, id) != nil
}

// Wait waits until a run of a person has ended, or ctx does. A series is waited
// for statement by statement.
func (r *Runner) Wait(ctx context.Context, by access.Owner, id string) {
	q := r.live.current(by, id)
	if q == nil {
		return
	}
	select {
	case <-q.done:
	case <-ctx.Done():
	}
}

// current is the run under way of an id, which may name a series by its head.
func (l *live) current(by access.Owner, id string) *Run {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.series[id]; s != nil && s.by == by {
		return s.now
	}
	if q := l.runs[id]; q != nil && q.By.Owner() == by {
		return q
	}
	return nil
}

// open makes a run the head of a series.
func (l *live) open(head *Run) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.series == nil {
		l.series = map[string]*series{}
	}
	l.series[head.ID] = &series{by: head.By.Owner(), now: head}
}

func (l *live) end(head string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.series, head)
}

// next makes a run the one of its series that runs; false when nothing more of
// it is to run.
func (l *live) next(head string, q *Run) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.series[head]
	if s == nil || s.stopped || l.closed {
		return false
	}
	s.now = q
	return true
}

// stopSeries keeps the rest of a series from starting, and returns what runs of it.
func (l *live) stopSeries(by access.Owner, head string) *Run {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.series[head]; s != nil && s.by == by {
		s.stopped = true
		return s.now
	}
	return nil
}

// each runs the statements of a text that was refused because it holds several,
// one after the other, up to the first that does not end well.
func (r *Runner) each(ctx context.Context, p access.Principal, head *Run, req Request) {
	defer r.live.end(head.ID)
	for i, sql := range statementsOf(head.err, req.SQL) {
		one := req
		one.SQL, one.id, one.Each = sql, SeriesID(head.ID, i+1), false
		run, catalog, err := r.begin(ctx, p, one)
		if err != nil {
			r.warn("start a statement of several", head.ID, err)
			return
		}
		if !r.live.next(head.ID, run) {
			run.stop(domain.E(domain.Cancelled, "query_cancelled", "You stopped the query before this statement."))
		}
		if err := run.drain(catalog); err != nil { //nolint:contextcheck // the run keeps its own
			r.warn("end a query in the background", run.ID, err)
		}
		if run.State != OK {
			return
		}
	}
}

// statementsOf takes a text apart where the engine says that statements begin
// and end; nil unless that is why it was refused.
func statementsOf(err error, sql string) []string {
	var refused *SQLError
	if !errors.As(err, &refused) || refused.Code != CodeSeveral || len(refused.Statements) > maxSeries {
		return nil
	}
	var texts []string
	for _, at := range refused.Statements {
		if !within(at, len(sql)) {
			return nil
		}
		texts = append(texts, sql[at.Start:at.End])
	}
	return texts
}

func within(at work.Place, length int) bool {
	return 0 <= at.Start && at.Start < at.End && at.End <= length
}

// Series returns the statements of a text that were started, in their order:
// none for a run that is no head of a series.
func (r *Results) Series(ctx context.Context, p access.Principal, head Record) ([]Record, error) {
	if head.Code != CodeSeveral {
		return nil, nil
	}
	var runs []Record
	for n := 1; n <= maxSeries; n++ {
		rec, err := r.Runs.GetQueryRun(ctx, p.Owner(), SeriesID(head.ID, n))
		if domain.KindOf(err) == domain.NotFound {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("statement %d of %s: %w", n, head.ID, err)
		}
		runs = append(runs, rec)
	}
	return runs, nil
}
