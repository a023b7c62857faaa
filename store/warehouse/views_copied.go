package warehouse

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"agnes/domain/work"
)

// base is a published database file whose views need not be made again: making
// a view costs a third of a millisecond, copying one a thirtieth.
type base struct {
	key  string
	made map[string]string // name → mark of its definition
}

// mark tells one definition of a view from another: a view keeps the columns
// that it was made with. Files of versions never change, so the same versions
// under the same name are the same view.
func (v view) mark() string {
	sum := sha256.Sum256([]byte(v.table.Name + "\x00" + strings.Join(v.table.Keys, "\x00") + "\x00" + strings.Join(v.paths, "\x00")))
	return hex.EncodeToString(sum[:12])
}

func marks(views []view) map[string]string {
	all := make(map[string]string, len(views))
	for _, v := range views {
		all[v.table.Name] = v.mark()
	}
	return all
}

// baseOf is the file at key as it was published; without views when there is
// none, or not as it was.
func (s *Store) baseOf(key string) base {
	n := s.readNote(key)
	if len(n.Made) == 0 || !s.fits(key, n) {
		return base{key: key}
	}
	return base{key: key, made: n.Made}
}

// useful counts the views of b that are wanted as they are.
func (b base) useful(wanted map[string]string) (n int) {
	for name, mark := range b.made {
		if wanted[name] == mark {
			n++
		}
	}
	return n
}

// fillViews makes views in the catalog draft: those that the base has are
// copied, the others made.
func (s *Store) fillViews(ctx context.Context, db *sql.DB, views []view, b base) (made []view, problems []work.Problem, err error) {
	wanted, copied := marks(views), map[string]bool{}
	if err := s.copyViews(ctx, db, b, wanted, copied); err != nil {
		return nil, nil, err
	}
	var rest []view
	for _, v := range views {
		if copied[v.table.Name] {
			made = append(made, v)
		} else {
			rest = append(rest, v)
		}
	}
	more, problems, err := s.createViews(ctx, db, rest)
	return append(made, more...), problems, err
}

// copyViews copies the views of b that are wanted and marks them as copied. A
// base that would bring mostly other things is passed over, and so is one that
// turns out not to be readable.
func (s *Store) copyViews(ctx context.Context, db *sql.DB, b base, wanted map[string]string, copied map[string]bool) error {
	if useful := b.useful(wanted); useful == 0 || useful*2 < len(b.made) {
		return nil
	}
	var stale []string
	for name, mark := range b.made {
		if wanted[name] != mark {
			stale = append(stale, name)
		}
	}
	file, err := s.path(b.key)
	if err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "ATTACH "+quoteLiteral(file)+" AS base (READ_ONLY); COPY FROM DATABASE base TO "+draftName); err != nil {
		if engineBroken(err) || ctx.Err() != nil || generalFault(err) != nil {
			return fmt.Errorf("copy views: %w", err)
		}
		s.log.Warn("views are made anew", "key", b.key, "err", err)
		_, err := db.ExecContext(ctx, "DETACH DATABASE IF EXISTS base")
		return err //nolint:wrapcheck // an engine that cannot forget a database is broken
	}
	slices.Sort(stale)
	var drop strings.Builder
	drop.WriteString("DETACH base; DROP TABLE IF EXISTS draft.main._meta;")
	for _, name := range stale {
		drop.WriteString("DROP VIEW draft.main." + quoteIdent(name) + ";")
	}
	if _, err := db.ExecContext(ctx, drop.String()); err != nil {
		return fmt.Errorf("drop views of before: %w", err)
	}
	for name, mark := range b.made {
		if wanted[name] == mark {
			copied[name] = true
		}
	}
	return nil
}
