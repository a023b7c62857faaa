package syncs

import (
	"context"

	"agnes/domain/audit"
	"agnes/domain/registry"
)

// followUp is why a table is synced again after the run that it has now.
type followUp struct {
	by  audit.Actor
	why Trigger
}

// expect notes, before runs are queued, that tables have new rows: a run that is
// under way may have read the old ones already.
func (s *Syncer) expect(by audit.Actor, why Trigger, tables []registry.TableID) {
	if why != ByUpload && why != ByWatch {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range tables {
		s.next[t] = followUp{by: by, why: why}
	}
}

// settle forgets what is expected of tables whose run has yet to begin: it will
// read the new rows, unless it publishes a version that is kept.
func (s *Syncer) settle(runs []Run) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range runs {
		if r.State == Queued && r.Version == "" {
			delete(s.next, r.Table)
		}
	}
}

func (s *Syncer) forget(tables []registry.TableID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range tables {
		delete(s.next, t)
	}
}

// follow queues the sync of a table whose rows changed while its run was under
// way; that run has ended.
func (s *Syncer) follow(ctx context.Context, table registry.TableID) {
	s.mu.Lock()
	f, expected := s.next[table]
	delete(s.next, table)
	s.mu.Unlock()
	if !expected {
		return
	}
	if _, err := s.Trigger(ctx, f.by, f.why, []registry.TableID{table}); err != nil {
		s.Log.Error("sync a table whose rows changed during its sync", "table_id", string(table), "err", err)
	}
}
