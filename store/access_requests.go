package store

import (
	"context"
	"fmt"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/people"
)

// requestColumns are read by scanRequest, with what is known now of who asked, of
// what they asked for, and of who decided.
const requestColumns = ` q.id, u.id, u.email, u.name, u.active, q.resource_type, q.resource_id, COALESCE(t.name, q.resource_id), COALESCE(o.id, ''),
		q.reason, q.origin, q.state, q.created_at, q.decided_at, COALESCE(d.email, q.decided_by), q.answer, q.group_id,
		COALESCE(g.name, ''), q.grant_id, q.joined, q.expires_at, q.seen_at, q.version
	FROM access_requests q
	JOIN users u ON u.id = q.user_id
	LEFT JOIN table_registry t ON q.resource_type = 'table' AND t.id = q.resource_id
	LEFT JOIN users o ON o.id = t.owner AND o.active = TRUE
	LEFT JOIN users d ON d.id = q.decided_by
	LEFT JOIN user_groups g ON g.id = q.group_id`

func scanRequest(row scanner) (access.Request, error) {
	var r access.Request
	err := row.Scan(&r.ID, &r.By.ID, &r.By.Email, &r.By.Name, &r.By.Active, &r.ResourceType, &r.ResourceID, &r.ResourceName, &r.Owner,
		&r.Reason, &r.Origin, &r.State, at{&r.CreatedAt}, maybeAt{&r.DecidedAt}, &r.DecidedBy, &r.Answer, &r.Group,
		&r.GroupName, &r.GrantID, &r.Joined, maybeAt{&r.ExpiresAt}, maybeAt{&r.SeenAt}, &r.Version)
	return r, err
}

// requestsOf narrows to what a viewer ($1; $2: an administrator) may see.
const requestsOf = ` (q.user_id = $1 OR $2 OR o.id = $1)`

func requestNotFound() error {
	return domain.E(domain.NotFound, "request_not_found", "There is no such request for access, or it is not yours to see.")
}

// ListAccessRequests returns a page of the requests that match, and how many do.
// Open ones come oldest first, for they wait; others newest first.
func (s *Store) ListAccessRequests(ctx context.Context, f access.RequestFilter) ([]access.Request, int, error) {
	const where = ` WHERE` + requestsOf + ` AND (NOT $3 OR q.user_id = $1) AND (NOT $4 OR q.user_id <> $1) AND ($5 = '' OR q.state = $5)`
	order := `q.created_at DESC, q.id DESC`
	if f.State == access.RequestOpen {
		order = `q.created_at, q.id`
	}
	var list []access.Request
	var total int
	err := s.view(ctx, func(r runner) (err error) {
		list, err = collect(ctx, r, scanRequest, `SELECT`+requestColumns+where+` ORDER BY `+order+` LIMIT $6 OFFSET $7`,
			f.Viewer, f.Admin, f.Mine, f.Inbox, f.State, pageSize(f.Limit), f.Offset)
		if err != nil {
			return err
		}
		total, err = one(ctx, r, value[int], `
			SELECT count(*)
			FROM access_requests q
			JOIN users u ON u.id = q.user_id
			LEFT JOIN table_registry t ON q.resource_type = 'table' AND t.id = q.resource_id
			LEFT JOIN users o ON o.id = t.owner AND o.active = TRUE`+where, f.Viewer, f.Admin, f.Mine, f.Inbox, f.State)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list requests for access: %w", err)
	}
	return list, total, nil
}

// GetAccessRequest returns one request that p may see; NotFound for all others.
func (s *Store) GetAccessRequest(ctx context.Context, p access.Principal, id string) (access.Request, error) {
	q, err := requestFor(ctx, s.reader(), p, id)
	if err != nil {
		return q, fmt.Errorf("get request %s: %w", id, explain(err))
	}
	return q, nil
}

func requestFor(ctx context.Context, r runner, p access.Principal, id string) (access.Request, error) {
	q, err := one(ctx, r, scanRequest, `SELECT`+requestColumns+` WHERE`+requestsOf+` AND q.id = $3`, p.UserID, p.Admin, id)
	if absent(err) {
		return q, requestNotFound()
	}
	return q, err
}

// CountAccessRequests counts what p should look at.
func (s *Store) CountAccessRequests(ctx context.Context, p access.Principal) (access.RequestCounts, error) {
	var c access.RequestCounts
	newest := int64(0)
	_, err := one(ctx, s.reader(), func(row scanner) (struct{}, error) {
		return struct{}{}, row.Scan(&c.Open, &c.Answered, &newest)
	}, `
		SELECT
			(SELECT count(*)
			 FROM access_requests q
			 LEFT JOIN table_registry t ON q.resource_type = 'table' AND t.id = q.resource_id
			 WHERE q.state = 'open' AND q.user_id <> $1 AND ($2 OR t.owner = $1)),
			(SELECT count(*) FROM access_requests q WHERE q.user_id = $1 AND q.state IN ('approved', 'refused') AND q.seen_at IS NULL),
			(SELECT COALESCE(max(q.decided_at), 0) FROM access_requests q WHERE q.user_id = $1 AND q.state IN ('approved', 'refused') AND q.seen_at IS NULL)`,
		p.UserID, p.Admin)
	if err != nil {
		return c, fmt.Errorf("count requests for access: %w", explain(err))
	}
	if newest > 0 {
		c.Newest = time.UnixMicro(newest).UTC()
	}
	return c, nil
}

// SeeAccessRequests notes that somebody saw the answers to their requests.
func (s *Store) SeeAccessRequests(ctx context.Context, user people.UserID) error {
	err := s.quietly(ctx, func(tx runner) error {
		_, err := tx.exec(ctx, `
			UPDATE access_requests SET seen_at = $1
			WHERE user_id = $2 AND state IN ('approved', 'refused') AND seen_at IS NULL`, micros(s.now()), user)
		return err
	})
	if err != nil {
		return fmt.Errorf("note that answers were seen: %w", err)
	}
	return nil
}

// Deciders returns the people who hear of a request: the owner of what is asked
// for, else the active administrators; never who asks.
func (s *Store) Deciders(ctx context.Context, q access.Request) ([]people.User, error) {
	scan := func(row scanner) (people.User, error) {
		var u people.User
		err := row.Scan(&u.ID, &u.Email, &u.Name)
		return u, err
	}
	const one = `SELECT u.id, u.email, u.name FROM users u WHERE u.id = $1 AND u.id <> $2 AND u.active = TRUE`
	const admins = `
		SELECT u.id, u.email, u.name
		FROM users u
		JOIN user_group_members m ON m.user_id = u.id AND m.group_id = $1
		WHERE u.id <> $2 AND u.active = TRUE
		ORDER BY u.email`
	var found []people.User
	var err error
	if q.Owner != "" {
		found, err = collect(ctx, s.reader(), scan, one, q.Owner, q.By.ID)
	}
	if err == nil && len(found) == 0 {
		found, err = collect(ctx, s.reader(), scan, admins, s.adminID, q.By.ID)
	}
	if err != nil {
		return nil, fmt.Errorf("who decides on request %s: %w", q.ID, explain(err))
	}
	return found, nil
}
