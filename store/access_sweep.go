package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"agnes/domain/access"
	"agnes/domain/audit"
)

const (
	editsKept   = 30 * 24 * time.Hour  // for forms that somebody left open
	changesKept = 365 * 24 * time.Hour // of the matrix
	// endedKey is the setting up to when the audit log tells which grants ended.
	endedKey = "grants_ended_until"
)

// SweepAccess forgets what can be taken back no more: the bin after
// access.KeptFor, old forms after 30 days, changes of the matrix after a year.
func (s *Store) SweepAccess(ctx context.Context) error {
	now := s.now()
	err := s.quietly(ctx, func(tx runner) error {
		for _, d := range []struct {
			statement string
			before    time.Time
		}{
			{`DELETE FROM bin WHERE deleted_at < $1`, now.Add(-access.KeptFor)},
			{`DELETE FROM access_changes WHERE made_at < $1`, now.Add(-changesKept)},
			{`DELETE FROM edits WHERE (kind, id) IN (SELECT kind, id FROM edits GROUP BY kind, id HAVING max(changed_at) < $1)`, now.Add(-editsKept)},
		} {
			if _, err := tx.exec(ctx, d.statement, micros(d.before)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("sweep access: %w", err)
	}
	return nil
}

// EndGrants tells the audit log once of each grant that ended since the last
// time. They opened nothing any more from that moment on, and stay to be seen.
func (s *Store) EndGrants(ctx context.Context) error {
	if err := s.tellEnded(ctx, s.now()); err != nil {
		return fmt.Errorf("tell which grants ended: %w", explain(err))
	}
	return nil
}

func (s *Store) tellEnded(ctx context.Context, now time.Time) error {
	const ended = `r.expires_at > COALESCE((SELECT CAST(value AS BIGINT) FROM settings WHERE key = '` + endedKey + `'), 0) AND r.expires_at <= $1`
	n, err := one(ctx, s.reader(), value[int], `SELECT count(*) FROM resource_grants r WHERE `+ended, micros(now))
	if err != nil || n == 0 {
		return err
	}
	return s.tx(ctx, func(tx runner) error {
		grants, err := collect(ctx, tx, scanGrant, `SELECT`+grantColumns+` WHERE `+ended+` ORDER BY r.expires_at, r.id`, micros(now))
		if err != nil {
			return err
		}
		for _, g := range grants {
			if err := s.noteGrant(ctx, tx, audit.System("access"), "resource_grant.expired", g, nil, grantParams(g, nil)); err != nil {
				return err
			}
		}
		_, err = tx.exec(ctx, `
			INSERT INTO settings (key, value, updated_at) VALUES ($1, $2, $3)
			ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`,
			endedKey, strconv.FormatInt(micros(now), 10), micros(now))
		return err
	})
}
