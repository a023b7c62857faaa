package access

import (
	"context"
	"time"

	"agnes/domain"
	"agnes/domain/people"
)

// Standing reads anew who somebody is and what they may read.
type Standing interface {
	Catalogs
	// Principal fails with Unauthenticated for somebody unknown or inactive.
	Principal(ctx context.Context, id people.UserID) (Principal, error)
}

// Recheck is how often access is looked at while rows flow to somebody.
const Recheck = time.Second

// Watch ends what flows to somebody for long, such as a download or the rows of
// a query, soon after they may not read its tables any more. A nil Watch ends
// nothing.
type Watch struct {
	from   Standing
	by     Principal
	tables []string // ids or names
	now    func() time.Time
	last   time.Time
}

// NewWatch watches from now on: whoever calls it has just found the tables in
// the catalog of p.
func NewWatch(from Standing, p Principal, tables []string, now func() time.Time) *Watch {
	return &Watch{from: from, by: p, tables: tables, now: now, last: now()}
}

// Check looks again if Recheck has passed since it last did. It fails with
// Unauthenticated for somebody who was deactivated, and with Forbidden when one
// of the tables is not theirs any more.
func (w *Watch) Check(ctx context.Context) error {
	if w == nil || w.now().Sub(w.last) < Recheck {
		return nil
	}
	by := w.by
	if by.Via != ViaSystem { // which is nobody that could be changed
		is, err := w.from.Principal(ctx, by.UserID)
		if err != nil {
			return err
		}
		by.Admin, by.Groups = is.Admin, is.Groups
	}
	catalog, err := w.from.Catalog(ctx, by)
	if err != nil {
		return err
	}
	for _, table := range w.tables {
		if _, err := catalog.Find(table); err != nil {
			return domain.E(domain.Forbidden, "access_ended", "Your access to %s ended while its rows were being sent, so they are not complete. Ask for access, then start again.", table)
		}
	}
	w.last = w.now()
	return nil
}
