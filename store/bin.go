package store

import (
	"context"
	"encoding/json"
	"fmt"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
)

// binned is something on its way into the bin.
type binned struct {
	kind, id, name string
	content        any
}

// intoBin keeps what is being deleted and returns the bin's id of it.
func (s *Store) intoBin(ctx context.Context, tx runner, by audit.Actor, b binned) (string, error) {
	content, err := encoded(b.content, 1)
	if err != nil {
		return "", err
	}
	id := s.newID()
	if _, err := tx.exec(ctx, `
		INSERT INTO bin (id, kind, resource_id, name, content, deleted_at, deleted_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, id, b.kind, b.id, b.name, content, micros(s.now()), byline(by)); err != nil {
		return "", fmt.Errorf("keep %s %s: %w", b.kind, b.id, err)
	}
	return id, nil
}

// ListBin returns what was deleted and can be brought back, the newest first;
// limit 0 means all.
func (s *Store) ListBin(ctx context.Context, limit int) ([]access.Binned, error) {
	list, err := collect(ctx, s.reader(), func(row scanner) (access.Binned, error) {
		var b access.Binned
		var content struct {
			Members []json.RawMessage `json:"members"`
			Grants  []json.RawMessage `json:"grants"`
		}
		err := row.Scan(&b.ID, &b.Kind, &b.ResourceID, &b.Name, decoded{&content}, at{&b.DeletedAt}, &b.DeletedBy)
		b.Members, b.Grants = len(content.Members), len(content.Grants)
		return b, err
	}, `
		SELECT id, kind, resource_id, name, content, deleted_at, deleted_by
		FROM bin
		WHERE restored_at IS NULL AND deleted_at > $1
		ORDER BY deleted_at DESC, id DESC
		LIMIT $2`, micros(s.now().Add(-access.KeptFor)), pageSize(limit))
	if err != nil {
		return nil, fmt.Errorf("list the bin: %w", explain(err))
	}
	return list, nil
}

// Restore brings something deleted back as it was, with its grants: a group
// with its members, a table with its registration, which its next sync fills
// with rows. What is gone meanwhile (a person, the other end of a grant) stays
// gone. It fails with NotFound, and with Conflict for what came back already and
// for a name that is taken by now.
func (s *Store) Restore(ctx context.Context, by audit.Actor, binID string) error {
	err := s.tx(ctx, func(tx runner) error {
		var b access.Binned
		var content string
		_, err := one(ctx, tx, func(row scanner) (struct{}, error) {
			return struct{}{}, row.Scan(&b.Kind, &b.ResourceID, &b.Name, &content, maybeAt{&b.RestoredAt})
		}, `SELECT kind, resource_id, name, content, restored_at FROM bin WHERE id = $1`, binID)
		switch {
		case absent(err):
			return domain.E(domain.NotFound, "bin_not_found", "This is not kept any more, so it cannot be brought back. What is deleted is kept for 30 days.")
		case err != nil:
			return err
		case b.RestoredAt != nil:
			return domain.E(domain.Conflict, "restored_already", "%s was brought back already.", b.Name)
		}
		if err := s.restore(ctx, tx, by, b, content); err != nil {
			return err
		}
		_, err = tx.exec(ctx, `UPDATE bin SET restored_at = $1 WHERE id = $2`, micros(s.now()), binID)
		return err
	})
	if err != nil {
		return fmt.Errorf("restore %s: %w", binID, err)
	}
	return nil
}

func (s *Store) restore(ctx context.Context, tx runner, by audit.Actor, b access.Binned, content string) error {
	switch b.Kind {
	case access.BinGroup:
		var k keptGroup
		if err := (decoded{&k}).Scan(content); err != nil {
			return err
		}
		members, grants, err := restoreGroup(ctx, tx, k)
		if err != nil {
			return err
		}
		return s.note(ctx, tx, by, "user_group.restored", "group:"+b.ResourceID,
			params{"name": k.Name, "description": k.Description, "members": members, "grants": grants}, nil)
	case access.BinTable:
		var k keptTable
		if err := (decoded{&k}).Scan(content); err != nil {
			return err
		}
		grants, err := restoreTable(ctx, tx, k)
		if err != nil {
			return err
		}
		asked := tableParams(k.Table, nil)
		asked["grants"] = grants
		return s.note(ctx, tx, by, "restore_table", "table:"+b.ResourceID, asked, nil)
	}
	return fmt.Errorf("the bin keeps a %s, which this version does not know", b.Kind)
}
