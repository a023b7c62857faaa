package syncs

import (
	"context"
	"testing"

	"agnes/domain/audit"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// TestRowsThatComeDuringASyncAreSynced: the run under way may have read the old
// rows already, so it is not the answer to new ones.
func TestRowsThatComeDuringASyncAreSynced(t *testing.T) {
	for _, c := range []struct {
		why   Trigger
		after int // runs that follow the one under way
	}{
		{ByUpload, 1}, {ByWatch, 1}, {ByPerson, 0}, {BySchedule, 0},
	} {
		t.Run(string(c.why), func(t *testing.T) {
			w := newWorld("a")
			started, read := make(chan struct{}), make(chan struct{})
			first := true
			w.extract = func(context.Context, work.ExtractJob, func(work.Event)) (work.Extracted, error) {
				if first {
					first = false
					close(started)
					<-read
				}
				return work.Extracted{Rows: 10, Bytes: 100}, nil
			}
			s := w.syncer(t)
			trigger := func(why Trigger) Run {
				t.Helper()
				runs, err := s.Trigger(t.Context(), audit.Actor{UserID: "u"}, why, []registry.TableID{"a"})
				if err != nil {
					t.Fatal(err)
				}
				return runs[0]
			}
			under := trigger(ByPerson)
			<-started
			for range 2 { // many changes are one more run
				if r := trigger(c.why); r.ID != under.ID {
					t.Errorf("a second run %s beside %s", r.ID, under.ID)
				}
			}
			close(read)
			if end := <-w.finished; end.ID != under.ID || end.State != OK {
				t.Fatalf("ended %+v, want %s ok", end, under.ID)
			}
			if c.after > 0 {
				if end := <-w.finished; end.Trigger != c.why || end.State != OK {
					t.Errorf("followed by %+v, want one by %s", end, c.why)
				}
			}
			last := trigger(ByPerson)
			if end := <-w.finished; end.ID != last.ID {
				t.Errorf("ended %+v, want %s and nothing before it", end, last.ID)
			}
		})
	}
}
