package store

import (
	"context"
	"fmt"
	"time"

	"agnes/domain"
	"agnes/domain/activity"
	"agnes/domain/audit"
)

func scanView(row scanner) (audit.View, error) {
	var v audit.View
	err := row.Scan(&v.ID, &v.Name, &v.Query, at{&v.CreatedAt}, at{&v.UpdatedAt})
	return v, err
}

// ListViews returns somebody's views of the log, by name.
func (s *Store) ListViews(ctx context.Context, user string) ([]audit.View, error) {
	views, err := collect(ctx, s.reader(), scanView, `
		SELECT id, name, query, created_at, updated_at
		FROM observability_views
		WHERE user_id = $1
		ORDER BY lower(name), name
		LIMIT $2`, user, activity.MaxViews)
	if err != nil {
		return nil, fmt.Errorf("list views: %w", explain(err))
	}
	return views, nil
}

// SaveView keeps a view, or replaces the one of the same name; Invalid when
// somebody has as many as there may be.
func (s *Store) SaveView(ctx context.Context, by audit.Actor, name, query string) (audit.View, error) {
	var v audit.View
	err := s.tx(ctx, func(tx runner) error {
		before, err := one(ctx, tx, scanView, `
			SELECT id, name, query, created_at, updated_at FROM observability_views WHERE user_id = $1 AND name = $2`, by.UserID, name)
		was, action := params(nil), "activity.view_created"
		switch {
		case err == nil:
			was, action = params{"name": before.Name, "query": before.Query}, "activity.view_updated"
		case !absent(err):
			return err
		default:
			n, err := one(ctx, tx, value[int], `SELECT count(*) FROM observability_views WHERE user_id = $1`, by.UserID)
			if err != nil {
				return err
			}
			if n >= activity.MaxViews {
				return domain.E(domain.Invalid, "too_many_views", "You keep %d views, which is the most. Delete one to keep another.", n)
			}
		}
		v, err = one(ctx, tx, scanView, `
			INSERT INTO observability_views (id, user_id, name, query, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $5)
			ON CONFLICT (user_id, name) DO UPDATE SET query = excluded.query, updated_at = excluded.updated_at
			RETURNING id, name, query, created_at, updated_at`, s.newID(), by.UserID, name, query, micros(s.now()))
		if err != nil {
			return err
		}
		return s.note(ctx, tx, by, action, "view:"+v.ID, params{"name": name, "query": query}, was)
	})
	if err != nil {
		return v, fmt.Errorf("save view: %w", err)
	}
	return v, nil
}

// DeleteView forgets a view of somebody; NotFound for another's, like for none.
func (s *Store) DeleteView(ctx context.Context, by audit.Actor, id string) error {
	err := s.tx(ctx, func(tx runner) error {
		v, err := one(ctx, tx, scanView, `
			DELETE FROM observability_views WHERE id = $1 AND user_id = $2
			RETURNING id, name, query, created_at, updated_at`, id, by.UserID)
		if absent(err) {
			return domain.E(domain.NotFound, "view_not_found", "View not found")
		} else if err != nil {
			return err
		}
		return s.note(ctx, tx, by, "activity.view_deleted", "view:"+id, nil, params{"name": v.Name, "query": v.Query})
	})
	if err != nil {
		return fmt.Errorf("delete view: %w", err)
	}
	return nil
}

// PruneAudit deletes the oldest rows from before a time, most at once, and
// returns how many.
func (s *Store) PruneAudit(ctx context.Context, before time.Time, most int) (int, error) {
	n := int64(0)
	err := s.tx(ctx, func(tx runner) (err error) {
		n, err = tx.exec(ctx, `
			DELETE FROM audit_log WHERE id IN (
				SELECT a.id FROM audit_log a WHERE a.timestamp < $1 ORDER BY a.timestamp LIMIT $2)`, micros(before), most)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("prune the audit log: %w", err)
	}
	return int(n), nil
}
