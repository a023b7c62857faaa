package store

import (
	"context"
	"fmt"
	"time"

	"agnes/domain/activity"
	"agnes/domain/syncs"
)

// ActivityHealth counts the syncs since day, the people since today, and the
// tables that need a look.
func (s *Store) ActivityHealth(ctx context.Context, day, today time.Time) (activity.Figures, error) {
	f, err := one(ctx, s.reader(), func(row scanner) (activity.Figures, error) {
		var f activity.Figures
		err := row.Scan(&f.SyncsOK, &f.SyncsAll, &f.People, &f.Failing, &f.Damaged)
		return f, err
	}, `
		SELECT
			(SELECT count(*) FROM sync_history h WHERE h.phase = '' AND h.synced_at >= $1 AND h.status = 'ok'),
			(SELECT count(*) FROM sync_history h WHERE h.phase = '' AND h.synced_at >= $1 AND h.status <> 'cancelled'),
			(SELECT count(*) FROM users u WHERE EXISTS (SELECT 1 FROM audit_log a WHERE a.user_id = u.id AND a.timestamp >= $2)),
			(SELECT count(*) FROM sync_state t WHERE t.status IN ('error', 'held')),
			(SELECT count(*) FROM version_damage d)`, micros(day), micros(today))
	if err != nil {
		return f, fmt.Errorf("count the health: %w", explain(err))
	}
	return f, nil
}

// SyncHistory lists the runs that ended since a time, newest first.
func (s *Store) SyncHistory(ctx context.Context, since time.Time, limit int) ([]syncs.Past, error) {
	past, err := collect(ctx, s.reader(), func(row scanner) (syncs.Past, error) {
		var p syncs.Past
		err := row.Scan(&p.ID, &p.Table, at{&p.SyncedAt}, &p.Rows, &p.DurationMS, &p.Status, &p.Error)
		return p, err
	}, `
		SELECT id, table_id, synced_at, rows, duration_ms, status, CASE WHEN error = '' THEN message ELSE error END
		FROM sync_history
		WHERE phase = '' AND synced_at >= $1
		ORDER BY synced_at DESC, id DESC
		LIMIT $2`, micros(since), limit)
	if err != nil {
		return nil, fmt.Errorf("list the history of syncs: %w", explain(err))
	}
	return past, nil
}
