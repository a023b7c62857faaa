package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"agnes/domain/audit"
)

// auditColumns are read by scanEntry, from audit_log a.
const auditColumns = `a.id, a.timestamp, a.user_id, a.user_email, a.action, a.resource, a.params, a.params_before,
		a.result, COALESCE(a.duration_ms, 0) AS duration_ms, a.client_ip, a.client_kind, a.correlation_id`

// ListActivity returns a page of the rows that a filter means, newest first.
// With conditions that no index answers, it looks at a bounded number of rows
// and says how far it got.
func (s *Store) ListActivity(ctx context.Context, f audit.Filter, o audit.ListOptions) (audit.Page, error) {
	var page audit.Page
	err := s.view(ctx, func(r runner) error {
		plan, err := s.planAudit(ctx, r, f)
		if err != nil || len(plan.branches) == 0 {
			return err
		}
		if o.From != nil && o.Newer {
			page, err = plan.above(ctx, r, o)
		} else {
			page, err = plan.below(ctx, r, o)
		}
		return err
	})
	if err != nil {
		return audit.Page{}, fmt.Errorf("list activity: %w", err)
	}
	return page, nil
}

// below lists what is older than the cursor.
func (p auditPlan) below(ctx context.Context, r runner, o audit.ListOptions) (page audit.Page, err error) {
	if o.From != nil {
		p = p.with("<=", micros(o.From.At))
		p.span = append(p.span, "(a.timestamp < "+p.arg(micros(o.From.At))+" OR a.id < "+p.arg(o.From.ID)+")")
	}
	stop := time.Time{}
	if p.scans() {
		if stop, err = p.floor(ctx, r, auditLooked); err != nil {
			return page, err
		}
		if !stop.IsZero() {
			p = p.with(">=", micros(stop))
		}
	}
	if page.Rows, err = p.rows(ctx, r, o.Limit+1, "DESC"); err != nil {
		return page, err
	}
	switch {
	case len(page.Rows) > o.Limit:
		page.Rows = page.Rows[:o.Limit]
		page.Older = cursorOf(page.Rows[o.Limit-1])
	case !stop.IsZero():
		page.Older, page.Searched = &audit.Cursor{At: stop.Add(-time.Microsecond), ID: lastID}, &stop
	}
	if o.From != nil {
		page.Newer = o.From
		if len(page.Rows) > 0 {
			page.Newer = cursorOf(page.Rows[0])
		}
	}
	return page, nil
}

// lastID sorts behind every id.
const lastID = "~"

// above lists what is newer than the cursor.
func (p auditPlan) above(ctx context.Context, r runner, o audit.ListOptions) (page audit.Page, err error) {
	p = p.with(">=", micros(o.From.At))
	p.span = append(p.span, "(a.timestamp > "+p.arg(micros(o.From.At))+" OR a.id > "+p.arg(o.From.ID)+")")
	if page.Rows, err = p.rows(ctx, r, o.Limit+1, "ASC"); err != nil {
		return page, err
	}
	more := len(page.Rows) > o.Limit
	if more {
		page.Rows = page.Rows[:o.Limit]
	}
	slices.Reverse(page.Rows)
	page.Older = o.From
	if len(page.Rows) > 0 {
		page.Older = cursorOf(page.Rows[len(page.Rows)-1])
		if more {
			page.Newer = cursorOf(page.Rows[0])
		}
	}
	return page, nil
}

// scans reports whether rows are looked through that may not match. The looks
// at the log itself alone are not worth it.
func (p auditPlan) scans() bool { return p.looks || len(p.rest) > 1 }

func cursorOf(row audit.Listed) *audit.Cursor {
	return &audit.Cursor{At: row.Timestamp, ID: row.ID}
}

// rows are the first ones of all branches, in an order of time.
func (p auditPlan) rows(ctx context.Context, r runner, limit int, order string) ([]audit.Listed, error) {
	most := strconv.Itoa(limit)
	// Every branch hands on no more than a page, so that what is sorted is small.
	found, err := collect(ctx, r, func(row scanner) (audit.Listed, error) {
		var l audit.Listed
		err := row.Scan(&l.ID, at{&l.Timestamp}, &l.Actor.UserID, &l.Actor.Email, &l.Action, &l.Resource, decoded{&l.Params}, decoded{&l.Before},
			&l.Result, &l.DurationMS, &l.Actor.ClientIP, &l.Actor.ClientKind, &l.Actor.RequestID, &l.UserName, &l.Thing)
		return l, err
	}, `SELECT p.*, COALESCE(u.name, ''), COALESCE(o.email, g.name, '') FROM (SELECT * FROM (`+p.each(func(branch string) string {
		return `SELECT ` + auditColumns + ` FROM audit_log a WHERE ` + p.where(branch, true) +
			` ORDER BY a.timestamp ` + order + `, a.id ` + order + ` LIMIT ` + most
	})+`) AS m ORDER BY m.timestamp `+order+`, m.id `+order+` LIMIT `+most+`) AS p
		LEFT JOIN users u ON u.id = p.user_id
		LEFT JOIN users o ON p.resource LIKE 'user:%' AND o.id = substr(p.resource, 6)
		LEFT JOIN user_groups g ON p.resource LIKE 'group:%' AND g.id = substr(p.resource, 7)
		ORDER BY p.timestamp `+order+`, p.id `+order, p.args...)
	if err != nil {
		return nil, fmt.Errorf("read rows: %w", err)
	}
	return found, nil
}

// CountNewer counts what came after a row, up to most.
func (s *Store) CountNewer(ctx context.Context, f audit.Filter, from audit.Cursor, most int) (int, error) {
	n := 0
	err := s.view(ctx, func(r runner) error {
		plan, err := s.planAudit(ctx, r, f)
		if err != nil || len(plan.branches) == 0 {
			return err
		}
		plan = plan.with(">=", micros(from.At))
		plan.span = append(plan.span, "(a.timestamp > "+plan.arg(micros(from.At))+" OR a.id > "+plan.arg(from.ID)+")")
		n, err = one(ctx, r, value[int], `SELECT count(*) FROM (SELECT * FROM (`+plan.each(func(branch string) string {
			return `SELECT a.id FROM audit_log a WHERE ` + plan.where(branch, true) + ` LIMIT ` + strconv.Itoa(most)
		})+`) AS m LIMIT `+strconv.Itoa(most)+`) AS n`, plan.args...)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("count newer activity: %w", err)
	}
	return n, nil
}
