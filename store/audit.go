package store

import (
	"context"
	"errors"
	"fmt"

	"agnes/domain/audit"
	"agnes/domain/people"
)

// params are what an audit row says about a change; never a secret.
type params = map[string]any

// note writes the audit row of a change, in the change's own transaction.
func (s *Store) note(ctx context.Context, tx runner, by audit.Actor, action, resource string, asked, before params) error {
	return s.writeEntry(ctx, tx, audit.Entry{
		Actor: by, Action: action, Resource: resource, Params: asked, Before: before, Result: "success",
	})
}

func (s *Store) writeEntry(ctx context.Context, tx runner, e audit.Entry) error {
	if !e.Actor.Valid() {
		return errors.New("audit " + e.Action + ": nobody is named as the actor")
	}
	asked, err := encoded(e.Params, len(e.Params))
	if err != nil {
		return fmt.Errorf("audit %s: %w", e.Action, err)
	}
	before, err := encoded(e.Before, len(e.Before))
	if err != nil {
		return fmt.Errorf("audit %s: %w", e.Action, err)
	}
	if e.ID == "" {
		e.ID = s.newID()
	}
	if e.Timestamp.IsZero() {
		e.Timestamp = s.now()
	}
	if _, err := tx.exec(ctx, `
		INSERT INTO audit_log (
			id, timestamp, user_id, user_email, action, resource, params, params_before,
			result, duration_ms, client_ip, client_kind, correlation_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		e.ID, micros(e.Timestamp), e.Actor.UserID, e.Actor.Email, e.Action, e.Resource, asked, before,
		e.Result, e.DurationMS, e.Actor.ClientIP, e.Actor.ClientKind, e.Actor.RequestID); err != nil {
		return fmt.Errorf("audit %s: %w", e.Action, err)
	}
	return nil
}

// Audit records a reading that changes nothing. Changes write their own rows.
func (s *Store) Audit(ctx context.Context, e audit.Entry) error {
	return s.tx(ctx, func(tx runner) error { return s.writeEntry(ctx, tx, e) })
}

// ListAudit returns the newest rows, newest first; limit 0 means all.
func (s *Store) ListAudit(ctx context.Context, limit int) ([]audit.Entry, error) {
	entries, err := collect(ctx, s.reader(), scanEntry, `
		SELECT id, timestamp, user_id, user_email, action, resource, params, params_before,
			result, COALESCE(duration_ms, 0), client_ip, client_kind, correlation_id
		FROM audit_log
		ORDER BY timestamp DESC, id DESC
		LIMIT $1`, pageSize(limit))
	if err != nil {
		return nil, fmt.Errorf("list the audit log: %w", explain(err))
	}
	return entries, nil
}

func scanEntry(row scanner) (audit.Entry, error) {
	var e audit.Entry
	err := row.Scan(&e.ID, at{&e.Timestamp}, &e.Actor.UserID, &e.Actor.Email, &e.Action, &e.Resource,
		decoded{&e.Params}, decoded{&e.Before}, &e.Result, &e.DurationMS, &e.Actor.ClientIP, &e.Actor.ClientKind, &e.Actor.RequestID)
	return e, err
}

// TouchPull records that a person's client fetched the manifest.
func (s *Store) TouchPull(ctx context.Context, by audit.Actor, id people.UserID) error {
	return s.tx(ctx, func(tx runner) error {
		changed, err := tx.exec(ctx, `UPDATE users SET last_pull_at = $1 WHERE id = $2`, micros(s.now()), id)
		if err != nil {
			return fmt.Errorf("record the pull of %s: %w", id, err)
		}
		if changed == 0 {
			return userNotFound()
		}
		return s.writeEntry(ctx, tx, audit.Entry{Actor: by, Action: "manifest.fetch", Resource: "manifest", Result: "ok"})
	})
}

// byline is how a row names who made it.
func byline(by audit.Actor) string {
	if by.Email != "" {
		return by.Email
	}
	return by.UserID
}
