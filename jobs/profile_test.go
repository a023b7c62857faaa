//go:build duckdb_arrow

package jobs

import (
	"testing"

	"agnes/domain/work"
)

func TestProfile(t *testing.T) {
	s := newSupervisor(t, quiet())
	for range cap(s.slots) { // syncs take all there is
		s.slots <- struct{}{}
	}
	p, err := s.Profile(t.Context(), work.ProfileJob{Table: "orders"})
	if err != nil {
		t.Fatal(err)
	}
	if p.RowCount != 1 { // the child answers with its threads
		t.Errorf("%d threads, want those of the supervisor's limits", p.RowCount)
	}
}
