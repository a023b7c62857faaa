package warehouse

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestSweep(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	old, young := now.Add(-2*time.Hour), now
	for key, f := range map[string]struct {
		at   time.Time
		stay bool
	}{
		"versions/files/a/kept.parquet":         {old, true},
		"versions/files/a/loose.parquet":        {old, false},
		"versions/files/a/fresh.parquet":        {young, true},
		"versions/files/a/.tmp-1":               {old, false},
		"versions/files/a/.tmp-2":               {young, true},
		"versions/files/a/notes.txt":            {old, true},
		"extracts/files/data/a.parquet":         {old, true},
		"extracts/files/data/.tmp-3":            {old, false},
		"extracts/shop/.tmp-9":                  {old, true},
		"extracts/shop/extract.duckdb":          {old, true},
		"analytics/server.duckdb":               {old, true},
		"analytics/.tmp-4":                      {old, false},
		"scratch/old/duckdb_temp_storage.tmp":   {old, false},
		"scratch/young/duckdb_temp_storage.tmp": {young, true},
		"files/a.csv":                           {old, true},
	} {
		mustWrite(t, s, key, "x")
		path := mustPath(t, s, key)
		for _, p := range []string{path, filepath.Dir(path)} {
			if err := os.Chtimes(p, f.at, f.at); err != nil {
				t.Fatal(err)
			}
		}
		t.Cleanup(func() {
			if _, err := os.Stat(path); (err == nil) != f.stay {
				t.Errorf("%s: there %t, want %t", key, err == nil, f.stay)
			}
		})
	}
	removed, err := Sweep(t.Context(), s.dir, now.Add(-time.Hour), func(key string) bool { return key == "versions/files/a/kept.parquet" })
	if err != nil || removed != 5 {
		t.Errorf("removed %d, %v, want 5", removed, err)
	}
}

func TestSweepOfAnEmptyDirectory(t *testing.T) {
	t.Parallel()
	if n, err := Sweep(t.Context(), t.TempDir(), time.Unix(1, 0), func(string) bool { return false }); n != 0 || err != nil {
		t.Errorf("removed %d, %v", n, err)
	}
}
