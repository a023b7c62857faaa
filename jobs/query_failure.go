package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"agnes/domain"
	"agnes/domain/query"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// errChildLost is the reason of a failure that another child would not have.
var errChildLost = errors.New("the child lost its folder")

// needsListing reports whether a child asks for the catalog's list of tables.
func needsListing(payload []byte) bool {
	var f work.Failure
	return json.Unmarshal(payload, &f) == nil && f.Code == work.NeedsListing
}

// missing returns the table that a child did not find though it is in the
// catalog, or nil.
func (r *queryResult) missing(payload []byte) *registry.Published {
	var f work.Failure
	if json.Unmarshal(payload, &f) != nil || f.Code != work.TableNotFound || r.why() != nil {
		return nil
	}
	t, err := r.catalog.Find(f.Table)
	if err != nil || !strings.EqualFold(t.Name, f.Table) || t.Version == nil {
		return nil
	}
	if _, there := r.child.held[t.Name]; there {
		return nil // the child has it and says no all the same
	}
	return &t
}

// notFound says that a name is no table: in the same words whether it is not
// there at all or not granted, with near names of the caller's own.
func (r *queryResult) notFound(f work.Failure) error {
	text := query.NotThere(shorten(f.Table))
	if t, err := r.catalog.Find(f.Table); err == nil && strings.EqualFold(t.Name, f.Table) && t.Version == nil {
		text = fmt.Sprintf("Table %q has no rows yet: it was not synced so far.", t.Name)
		if t.QueryMode == registry.ModeRemote {
			text = fmt.Sprintf("Table %q has no rows here: it stays in an outside system, which Agnes does not ask yet.", t.Name)
		}
	} else if near := r.catalog.Near(f.Table); len(near) > 0 {
		text += " Did you mean " + strings.Join(near, ", ") + "?"
	}
	return &query.SQLError{Code: work.TableNotFound, Text: text, Line: f.Line, Column: f.Column}
}

// shorten cuts a name to what fits into a sentence.
func shorten(name string) string {
	const longest = 100
	if letters := []rune(name); len(letters) > longest {
		return string(letters[:longest]) + "…"
	}
	return name
}

// failed explains what the child reported. A child stays only when the
// statement was at fault.
func (r *queryResult) failed(payload []byte) error {
	var f work.Failure
	if err := json.Unmarshal(payload, &f); err != nil {
		return r.died(fmt.Errorf("read a failure: %w", err))
	}
	var err error
	keep := false
	switch why := r.why(); {
	case why != nil:
		err = why
	case f.Code == "query_memory":
		err = queryMemory().Because(errors.New(f.Cause))
	case f.Code == work.ChildLost:
		err = domain.E(domain.Unavailable, "query_crashed", "%s", f.Message).Because(fmt.Errorf("%w: %s", errChildLost, f.Cause))
	case f.Code == "cancelled", f.Code == "query_internal", f.Code == "":
		err = domain.E(domain.Unavailable, "query_crashed", "%s", f.Message).Because(errors.New(f.Cause))
	case f.Code == work.TableNotFound:
		err, keep = r.notFound(f), true
	default:
		err = &query.SQLError{Code: f.Code, Text: f.Message, Line: f.Line, Column: f.Column, Statements: f.Statements}
		keep = f.Code != "table_unreadable" // a new child looks at the file anew
	}
	r.finish(err, keep)
	return err
}

// died explains why the child cannot be talked to any more.
func (r *queryResult) died(cause error) error {
	torn := !hungUp(cause)
	if torn {
		r.child.process.kill()
	}
	r.child.process.await()
	err := r.why()
	switch {
	case err != nil:
	case r.pool.supervisor.stopping():
		err = stopping()
	default:
		err = r.child.process.death().ofQuery().Because(cause)
	}
	if r.why() == nil {
		r.pool.count(func(s *PoolStats) { s.Died++ })
	}
	r.finish(err, false)
	return err
}

// hungUp reports whether the child went away, rather than say nonsense.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func queryMemory() *domain.Error {
	return domain.E(domain.Unavailable, "query_memory",
		"The query needed more memory than one query may use. Ask for fewer rows or columns, filter earlier, or group before joining.")
}

// queryStopped explains why ctx ended, in the words of its cause if it has any.
func queryStopped(ctx context.Context) error {
	var why *domain.Error
	if errors.As(context.Cause(ctx), &why) {
		return why
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return domain.E(domain.Cancelled, "query_timeout", "The query was stopped because it took too long. Narrow it down, or ask for fewer rows.").Because(ctx.Err())
	}
	return domain.E(domain.Cancelled, "query_cancelled", "The query was stopped.").Because(ctx.Err())
}

// ofQuery words the death of a child under a query.
func (d death) ofQuery() *domain.Error {
	switch d {
	case outOfMemory:
		return queryMemory()
	case killedOutside:
		return domain.E(domain.Unavailable, "query_killed",
			"The process of this query was ended from outside Agnes. Other queries are not affected. Run it again; if it stays, tell an administrator.")
	case crashed:
	}
	return domain.E(domain.Unavailable, "query_crashed",
		"The query made its engine stop. Other queries are not affected. Write it in a simpler way, for instance with less nesting, and run it again.")
}
