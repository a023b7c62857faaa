package warehouse

import (
	"os"
	"testing"
	"time"
)

func TestSweepJoined(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		limit   int64
		removed int
		stay    []string
	}{
		"within the limit only age counts":    {1000, 1, []string{"b", "c", "d"}},
		"beyond it the oldest go":             {25, 2, []string{"c", "d"}},
		"what is fresh stays whatever it has": {0, 3, []string{"d"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			for file, age := range map[string]time.Duration{"a": 30 * time.Hour, "b": 3 * time.Hour, "c": 2 * time.Hour, "d": time.Minute} {
				key := joinedDir + "/" + file + ".parquet"
				mustWrite(t, s, key, "0123456789")
				if err := os.Chtimes(mustPath(t, s, key), now.Add(-age), now.Add(-age)); err != nil {
					t.Fatal(err)
				}
			}
			removed, err := SweepJoined(s.dir, now.Add(-24*time.Hour), now.Add(-10*time.Minute), c.limit)
			if err != nil || removed != c.removed {
				t.Errorf("removed %d, %v, want %d", removed, err, c.removed)
			}
			for _, file := range c.stay {
				if _, err := os.Stat(mustPath(t, s, joinedDir+"/"+file+".parquet")); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestSweepLeavesJoinedFilesToTheirOwn(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	if n, err := SweepJoined(s.dir, time.Unix(1, 0), time.Unix(1, 0), 0); n != 0 || err != nil {
		t.Errorf("of nothing: %d, %v", n, err)
	}
	mustWrite(t, s, joinedDir+"/v1.parquet", "x")
	long := time.Unix(1, 0)
	if err := os.Chtimes(mustPath(t, s, joinedDir), long, long); err != nil {
		t.Fatal(err)
	}
	if n, err := Sweep(t.Context(), s.dir, time.Unix(1000, 0), func(string) bool { return true }); n != 0 || err != nil {
		t.Errorf("Sweep removed %d, %v", n, err)
	}
}
