package syncs

import (
	"context"
	"time"

	"agnes/domain/audit"
	"agnes/domain/registry"
)

// followUp is why a table is synced again after the run that it has now.
type followUp struct {
	by  audit.Actor
	why Trigger
}

// expect notes, before runs are queued, that tables have new rows: a run that is
// under way may have read the old ones already. It returns those of which that
// was not known before.
func (s *Syncer) expect(by audit.Actor, why Trigger, tables []registry.TableID) (added []registry.TableID) {
	if why != ByUpload && why != ByWatch {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range tables {
		if _, known := s.next[t]; !known {
			added = append(added, t)
		}
		s.next[t] = followUp{by: by, why: why}
	}
	return added
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
// way; that run has ended. Nobody else would ask for those rows again.
func (s *Syncer) follow(server context.Context, r *Run, release func()) {
	s.mu.Lock()
	f, expected := s.next[r.Table]
	delete(s.next, r.Table)
	s.mu.Unlock()
	if !expected {
		return
	}
	err := s.again(server, release, func(ctx context.Context) error {
		_, err := s.Trigger(ctx, f.by, f.why, []registry.TableID{r.Table})
		return err
	}, func(err error, rest time.Duration) {
		s.Log.Error("sync a table whose rows changed during its sync", "table_id", string(r.Table), "err", err, "again_in", rest)
	})
	if err != nil {
		s.Log.Warn("a table whose rows changed during its sync is not synced", "table_id", string(r.Table), "err", err)
	}
}
