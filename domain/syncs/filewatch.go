package syncs

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"agnes/domain/audit"
	"agnes/domain/registry"
)

// FileState is what a table's file is like; without a fingerprint there is none.
type FileState struct {
	Fingerprint string    // of names, sizes and times
	At          time.Time // of the last change
}

// Add puts another file's state to s: together they are one table's.
func (s *FileState) Add(o FileState) {
	s.Fingerprint += o.Fingerprint
	if o.At.After(s.At) {
		s.At = o.At
	}
}

// FileStates looks at the files of tables.
type FileStates interface {
	Changed(ctx context.Context, item string) (FileState, error)
}

// FileWatcher syncs tables whose file changed since it was last read.
type FileWatcher struct {
	Files  FileStates
	Tables Tables
	Syncer *Syncer
	Log    *slog.Logger

	seen  map[registry.TableID]string // at the last tick: a file still being written is left alone
	tried map[registry.TableID]string // that a sync was started for
}

// Tick looks once. It is called by one goroutine.
func (w *FileWatcher) Tick(ctx context.Context) error {
	tables, err := w.Tables.ListTables(ctx)
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	if w.tried == nil {
		w.tried = map[registry.TableID]string{}
	}
	now := make(map[registry.TableID]string, len(w.seen))
	var changed []registry.TableID
	for _, t := range tables {
		if t.Source() != "files" || t.SourceTable == "" {
			continue
		}
		s, err := w.Files.Changed(ctx, t.SourceTable)
		if err != nil {
			return fmt.Errorf("look at the file of %s: %w", t.ID, err)
		}
		now[t.ID] = s.Fingerprint
		if s.Fingerprint != "" && w.seen[t.ID] == s.Fingerprint && w.tried[t.ID] != s.Fingerprint && due(t, s) {
			changed = append(changed, t.ID)
			w.tried[t.ID] = s.Fingerprint
		}
	}
	w.seen = now
	if len(changed) == 0 {
		return nil
	}
	w.Log.Info("files changed", "tables", len(changed))
	_, err = w.Syncer.Trigger(ctx, audit.System("watch"), ByWatch, changed)
	return err
}

// due reports whether a file changed after the table's last sync, or while it ran.
func due(t registry.Published, s FileState) bool {
	if t.Status.State == string(Queued) || t.Status.State == string(Running) {
		return false
	}
	return t.Status.LastTry == nil || s.At.After(*t.Status.LastTry) || t.Status.ErrorCode == "file_changed"
}
