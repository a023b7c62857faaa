package store

import (
	"context"
	"fmt"
	"time"

	"agnes/domain/audit"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// rebuildsKept is how many rebuilds are remembered.
const rebuildsKept = 100

// SaveRebuild stores how a rebuild went and forgets all but the last hundred.
func (s *Store) SaveRebuild(ctx context.Context, r syncs.Rebuild) error {
	problems, err := encoded(r.Problems, len(r.Problems))
	if err != nil {
		return err
	}
	err = s.tx(ctx, func(tx runner) error {
		if _, err := tx.exec(ctx, `
			INSERT INTO rebuilds (id, started_at, finished_at, state, generation, views, unchanged, problems, code, message, next_step)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			r.ID, micros(r.StartedAt), micros(r.FinishedAt), r.State, r.Generation, r.Views, r.Unchanged, problems, r.Code, r.Message, r.NextStep); err != nil {
			return err
		}
		_, err := tx.exec(ctx, `
			DELETE FROM rebuilds WHERE id NOT IN (SELECT id FROM rebuilds ORDER BY finished_at DESC, id DESC LIMIT $1)`, rebuildsKept)
		return err
	})
	if err != nil {
		return fmt.Errorf("save rebuild: %w", err)
	}
	return nil
}

// LastRebuild returns the newest rebuild; nil when there was none.
func (s *Store) LastRebuild(ctx context.Context) (*syncs.Rebuild, error) {
	all, err := s.ListRebuilds(ctx, 1)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}

// ListRebuilds returns the newest rebuilds, newest first.
func (s *Store) ListRebuilds(ctx context.Context, limit int) ([]syncs.Rebuild, error) {
	all, err := collect(ctx, s.reader(), func(row scanner) (syncs.Rebuild, error) {
		var r syncs.Rebuild
		err := row.Scan(&r.ID, at{&r.StartedAt}, at{&r.FinishedAt}, &r.State, &r.Generation, &r.Views, &r.Unchanged, decoded{&r.Problems},
			&r.Code, &r.Message, &r.NextStep)
		return r, err
	}, `
		SELECT id, started_at, finished_at, state, generation, views, unchanged, problems, code, message, next_step
		FROM rebuilds ORDER BY finished_at DESC, id DESC LIMIT $1`, pageSize(limit))
	if err != nil {
		return nil, fmt.Errorf("list rebuilds: %w", explain(err))
	}
	return all, nil
}

// ListDamage returns the tables that serve an earlier version because a newer
// one is damaged, by name.
func (s *Store) ListDamage(ctx context.Context) ([]syncs.Damage, error) {
	all, err := collect(ctx, s.reader(), func(row scanner) (syncs.Damage, error) {
		var d syncs.Damage
		var t registry.Table
		err := row.Scan(&d.Version, &d.Table, at{&d.FoundAt}, &d.Code, &d.Message, &d.Outcome, &d.Serves, &t.Name, &t.SourceType, &t.Bucket,
			at{&d.ServesFrom}, &d.ServesRows)
		d.Name, d.Source = t.Name, t.Source()
		return d, err
	}, `
		SELECT d.version_id, d.table_id, d.found_at, d.code, d.message, d.outcome, d.serves, t.name, t.source_type, t.bucket, v.created_at, v.rows
		FROM version_damage d
		JOIN table_registry t ON t.id = d.table_id AND t.current_version = d.serves
		JOIN table_versions v ON v.id = d.serves
		ORDER BY lower(t.name)`)
	if err != nil {
		return nil, fmt.Errorf("list damaged versions: %w", explain(err))
	}
	return all, nil
}

// QuarantineVersion records that a version is damaged and makes the one that d
// names current, or none. A version that is not current any more is only
// marked. It leaves a failed run, an audit row and the table's state, and
// reports whether anything is new. It fails with NotFound for an unknown table.
func (s *Store) QuarantineVersion(ctx context.Context, d syncs.Damage) (changed bool, err error) {
	err = s.tx(ctx, func(tx runner) error {
		changed = false
		t, err := getTable(ctx, tx, d.Table)
		if err != nil {
			return err
		}
		current := t.Version != nil && t.Version.ID == d.Version
		before, err := one(ctx, tx, value[syncs.Outcome], `SELECT outcome FROM version_damage WHERE version_id = $1`, d.Version)
		if err != nil && !absent(err) {
			return err
		}
		if !current || err == nil && before == syncs.KeptAsIs && d.Outcome == syncs.KeptAsIs {
			return nil
		}
		changed = true
		if err := markDamaged(ctx, tx, d); err != nil {
			return err
		}
		if err := s.replaceDamaged(ctx, tx, d); err != nil {
			return err
		}
		if err := s.damageRun(ctx, tx, t.Table, d); err != nil {
			return err
		}
		return s.note(ctx, tx, audit.System("verify"), "version.quarantine", "table:"+string(d.Table),
			params{"version": d.Version, "code": d.Code, "outcome": d.Outcome, "serves": d.Serves}, nil)
	})
	if err != nil {
		return false, fmt.Errorf("quarantine version %s: %w", d.Version, err)
	}
	return changed, nil
}

func markDamaged(ctx context.Context, tx runner, d syncs.Damage) error {
	_, err := tx.exec(ctx, `
		INSERT INTO version_damage (version_id, table_id, found_at, code, message, outcome, serves)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (version_id) DO UPDATE SET
			found_at = excluded.found_at, code = excluded.code, message = excluded.message, outcome = excluded.outcome, serves = excluded.serves`,
		d.Version, d.Table, micros(d.FoundAt), d.Code, d.Message, d.Outcome, d.Serves)
	return err
}

// replaceDamaged makes the version current that is served instead.
func (s *Store) replaceDamaged(ctx context.Context, tx runner, d syncs.Damage) error {
	switch d.Outcome {
	case syncs.ServesEarlier:
		if err := revertTo(ctx, tx, d.Table, &registry.Version{ID: d.Serves}); err != nil {
			return err
		}
		return s.takeTurn(ctx, tx, registry.Version{ID: d.Serves, Table: d.Table}, false)
	case syncs.Withdrawn:
		return revertTo(ctx, tx, d.Table, nil)
	case syncs.KeptAsIs:
	}
	return nil
}

// damageRun leaves a run that tells of damage, and the table's state. It ends
// as it begins, so it may stand beside a run that is under way.
func (s *Store) damageRun(ctx context.Context, tx runner, t registry.Table, d syncs.Damage) error {
	now := s.now().UTC().Truncate(time.Microsecond)
	r := syncs.Run{
		ID: s.newID(), Table: t.ID, Name: t.Name, Source: t.Source(), Trigger: syncs.ByCheck, State: syncs.Failed,
		Code: codeDamaged, Message: d.Message, NextStep: d.NextStep(), StartedBy: byline(audit.System("verify")), QueuedAt: now, StartedAt: &now, FinishedAt: &now,
	}
	if _, err := tx.exec(ctx, `
		INSERT INTO sync_runs (id, table_id, name, source, cause, state, code, message, next_step, started_by, queued_at, started_at, finished_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $11)`,
		r.ID, r.Table, r.Name, r.Source, r.Trigger, r.State, r.Code, r.Message, r.NextStep, r.StartedBy, micros(now)); err != nil {
		return err
	}
	if err := s.writeHistory(ctx, tx, r.Name, syncs.Step{RunID: r.ID, At: now, State: r.State, Code: r.Code, Message: r.Message}); err != nil {
		return err
	}
	if err := saveState(ctx, tx, r); err != nil {
		return err
	}
	return touch(ctx, tx, t.ID)
}

// codeDamaged is the code of the run that tells of a damaged version.
const codeDamaged = "version_damaged"

// RoundEnded returns when a job's last whole round ended; zero when never.
func (s *Store) RoundEnded(ctx context.Context, job string) (time.Time, error) {
	at, err := one(ctx, s.reader(), value[int64], `SELECT ended_at FROM job_rounds WHERE name = $1`, job)
	if absent(err) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("last round of %s: %w", job, explain(err))
	}
	return time.UnixMicro(at).UTC(), nil
}

// EndRound stores that a round of a job ended now.
func (s *Store) EndRound(ctx context.Context, job string) error {
	err := s.tx(ctx, func(tx runner) error {
		_, err := tx.exec(ctx, `
			INSERT INTO job_rounds (name, ended_at) VALUES ($1, $2)
			ON CONFLICT (name) DO UPDATE SET ended_at = excluded.ended_at`, job, micros(s.now()))
		return err
	})
	if err != nil {
		return fmt.Errorf("end round of %s: %w", job, err)
	}
	return nil
}
