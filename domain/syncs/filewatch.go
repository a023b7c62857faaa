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

// FileReads tells what the files of tables were like when they were last read.
type FileReads interface {
	FilesRead(ctx context.Context) (map[registry.TableID]string, error)
}

// FileWatcher syncs tables whose file changed since it was last read.
type FileWatcher struct {
	Files  FileStates
	Reads  FileReads
	Tables Tables
	Syncer *Syncer
	Log    *slog.Logger

	seen  map[registry.TableID]string // at the last tick: a file still being written is left alone
	tried map[registry.TableID]string // that a sync was started for
}

// watched reports whether a table is read from a file that people may change.
func watched(t registry.Table) bool { return t.Source() == "files" && t.SourceTable != "" }

// Tick looks once. It is called by one goroutine.
func (w *FileWatcher) Tick(ctx context.Context) error {
	tables, err := w.Tables.ListTables(ctx)
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	if w.tried == nil {
		w.tried = map[registry.TableID]string{}
	}
	read, err := w.Reads.FilesRead(ctx)
	if err != nil {
		return fmt.Errorf("what was read of files: %w", err)
	}
	now := make(map[registry.TableID]string, len(w.seen))
	var changed []registry.TableID
	for _, t := range tables {
		if !watched(t.Table) {
			continue
		}
		s, err := w.Files.Changed(ctx, t.SourceTable)
		if err != nil {
			return fmt.Errorf("look at the file of %s: %w", t.ID, err)
		}
		now[t.ID] = s.Fingerprint
		if w.seen[t.ID] != s.Fingerprint {
			delete(w.tried, t.ID) // maybe of the very same files, before others came and went
		}
		if s.Fingerprint != "" && w.seen[t.ID] == s.Fingerprint && w.tried[t.ID] != s.Fingerprint && due(t, s, read[t.ID]) {
			changed = append(changed, t.ID)
		}
	}
	w.seen = now
	if len(changed) == 0 {
		return nil
	}
	w.Log.Info("files changed", "tables", len(changed))
	if _, err := w.Syncer.Trigger(ctx, audit.System("watch"), ByWatch, changed); err != nil {
		return err
	}
	for _, id := range changed {
		w.tried[id] = now[id]
	}
	return nil
}

// due reports whether a file is another one than the table's last sync began to
// read. Of a sync that kept no note of that, "", dates have to tell.
func due(t registry.Published, s FileState, read string) bool {
	switch {
	case t.Status.State == string(Queued) || t.Status.State == string(Running):
		return false
	case t.Status.LastTry == nil || t.Status.ErrorCode == "file_changed":
		return true
	case read != "":
		return read != s.Fingerprint
	}
	return s.At.After(*t.Status.LastTry)
}
