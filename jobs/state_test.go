//go:build duckdb_arrow

package jobs

import (
	"errors"
	"log/slog"
	"os"
	"testing"

	"agnes/domain"
	"agnes/domain/work"
)

func TestImportSystem(t *testing.T) {
	t.Parallel()
	s := newSupervisor(t, slog.New(slog.DiscardHandler))
	version, rows := 0, 0
	err := s.ImportSystem(t.Context(), "fine", func(sc work.StateSchema) { version = sc.Version }, func(r work.StateRows) error {
		rows += len(r.Rows)
		return nil
	})
	if err != nil || version != 51 || rows != 2 {
		t.Errorf("schema %d, %d rows, %v", version, rows, err)
	}
	enough := errors.New("enough")
	if err := s.ImportSystem(t.Context(), "endless", func(work.StateSchema) {}, func(work.StateRows) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("a receiver's error became %v", err)
	}
	err = s.ImportSystem(t.Context(), "old", func(work.StateSchema) {}, func(work.StateRows) error { return nil })
	if domain.CodeOf(err) != "schema_too_old" {
		t.Errorf("a refusal became %v", err)
	}
}

func TestMirror(t *testing.T) {
	t.Parallel()
	s := newSupervisor(t, slog.New(slog.DiscardHandler))
	name := "x"
	path, made, err := s.Mirror(t.Context(), func(emit func(work.StateRows) error) error {
		for range 1000 { // more than a pipe holds
			if err := emit(work.StateRows{Table: "users", Rows: [][]*string{{&name, nil}}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || path != s.path(mirrorKey) || made.Rows["users"] != 1000 {
		t.Errorf("Mirror = %q, %v, %v", path, made, err)
	}
	broken := errors.New("state")
	if _, _, err := s.Mirror(t.Context(), func(func(work.StateRows) error) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("rows that break off: %v", err)
	}
	if _, _, err := s.Mirror(t.Context(), func(emit func(work.StateRows) error) error {
		for {
			if err := emit(work.StateRows{Table: "deaf"}); err != nil {
				return err
			}
		}
	}); domain.CodeOf(err) != "disk_full" || errors.Is(err, os.ErrClosed) {
		t.Errorf("a child that stops listening: %v", err)
	}
}
