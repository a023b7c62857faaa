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

// TestSweepOfFolders: a killed child leaves the folder of a version of several
// files, empty or half full; what is still written stays.
func TestSweepOfFolders(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	old := now.Add(-2 * time.Hour)
	mustWrite(t, s, "versions/files/a/.tmp-half/part_0.parquet", "x")
	mustWrite(t, s, "versions/files/a/v1/part_0.parquet", "x")
	mustWrite(t, s, "versions/files/a/.tmp-young/part_0.parquet", "x")
	empty := mustPath(t, s, "versions/files/a/.tmp-empty")
	if err := os.Mkdir(empty, 0o750); err != nil {
		t.Fatal(err)
	}
	for dir, at := range map[string]time.Time{empty: old, mustPath(t, s, "versions/files/a/.tmp-half"): old, mustPath(t, s, "versions/files/a/.tmp-young"): now} {
		if err := os.Chtimes(dir, at, at); err != nil {
			t.Fatal(err)
		}
	}
	removed, err := Sweep(t.Context(), s.dir, now.Add(-time.Hour), func(string) bool { return true })
	if err != nil || removed != 2 {
		t.Errorf("removed %d, %v, want 2", removed, err)
	}
	for name, there := range map[string]bool{".tmp-empty": false, ".tmp-half": false, ".tmp-young": true, "v1": true} {
		if _, err := os.Stat(mustPath(t, s, "versions/files/a/"+name)); (err == nil) != there {
			t.Errorf("%s: there %t, want %t", name, err == nil, there)
		}
	}
}

func TestSweepCopies(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := SweepCopies(dir); err != nil {
		t.Errorf("without a scratch folder: %v", err)
	}
	for _, file := range []string{"left/" + copiedName, "left/" + copiedName + ".wal", "other/system.duckdb"} {
		file = filepath.Join(dir, scratchDir, file)
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := SweepCopies(dir); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(filepath.Join(dir, scratchDir))
	if err != nil || len(left) != 1 || left[0].Name() != "other" {
		t.Errorf("left: %v, %v", left, err)
	}
}
