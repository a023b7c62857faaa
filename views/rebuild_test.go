package views

import (
	"testing"
	"time"

	"agnes/domain/syncs"
	"agnes/domain/work"
)

func TestRebuildSentence(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 14, 2, 0, 0, time.UTC)
	now := at.Add(time.Hour)
	left := []work.Problem{{Source: "crm", Table: "a"}, {Source: "crm"}, {Source: "crm", Table: "b", Served: true}}
	for _, c := range []struct {
		v    RebuildView
		want string
		open bool
	}{
		{RebuildView{}, "Nothing has been published yet.", false},
		{RebuildView{Last: &syncs.Rebuild{State: syncs.OK, Views: 311, FinishedAt: at}}, "Published 311 tables at 14:02 UTC.", false},
		{RebuildView{Last: &syncs.Rebuild{State: syncs.OK, Views: 1, FinishedAt: at, Problems: left}}, "Published 1 table at 14:02 UTC; 2 left out.", true},
		{RebuildView{Last: &syncs.Rebuild{State: syncs.OK, Views: 2, FinishedAt: at}, Damaged: make([]syncs.Damage, 1)}, "Published 2 tables at 14:02 UTC; 1 from an earlier version.", true},
		{RebuildView{Last: &syncs.Rebuild{State: syncs.Failed, FinishedAt: at}}, "The rebuild at 14:02 UTC failed. What was published before is served.", true},
	} {
		if got := c.v.sentence(now); got != c.want || c.v.open() != c.open {
			t.Errorf("sentence %q, open %t; want %q, %t", got, c.v.open(), c.want, c.open)
		}
	}
	if got := problemPlace(left[1]) + " " + problemPlace(left[0]); got != "crm crm.a" {
		t.Errorf("places %q", got)
	}
}
