package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"agnes/domain/registry"
)

func TestOddPlacesAreNamedAtTheStart(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(dir string) error
		want  string
	}{
		{"nothing is there yet", func(string) error { return nil }, ""},
		{"a file for a folder", func(d string) error { return os.WriteFile(filepath.Join(d, "scratch"), nil, 0o600) }, "scratch"},
		{"a folder for a file", func(d string) error { return os.MkdirAll(filepath.Join(d, "analytics", "server.duckdb"), 0o700) }, "server.duckdb"},
	}
	for _, tt := range tests {
		dir := t.TempDir()
		if err := tt.spoil(dir); err != nil {
			t.Fatal(err)
		}
		err := checkPlaces(dir)
		if (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), dir)) {
			t.Errorf("%s: checkPlaces = %v, want %q and no path", tt.name, err, tt.want)
		}
	}
}

func TestADataDirectoryThatIsAPatternIsRefused(t *testing.T) {
	base := t.TempDir()
	for _, name := range []string{"a[1]", "a*", "what?", filepath.Join("up[", "data"), "link"} {
		dir := filepath.Join(base, name)
		if name == "link" {
			if err := os.Symlink(filepath.Join(base, "a[1]"), dir); err != nil {
				t.Fatal(err)
			}
		} else if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		err := checkPlaces(dir)
		if err == nil || !strings.Contains(err.Error(), "[ * ?") || !strings.Contains(err.Error(), "set DATA_DIR") || !strings.Contains(err.Error(), base) {
			t.Errorf("%s: checkPlaces = %v, want why, the path and what next", name, err)
		}
	}
	for _, name := range []string{"a]b", "it's", "a b {1}"} {
		if err := checkPlaces(filepath.Join(base, name)); err != nil {
			t.Errorf("%s: checkPlaces = %v", name, err)
		}
	}
}

func TestASecretIsWrittenWholeAndOnce(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "key")
	if err := writeOnce(file, "first\n"); err != nil {
		t.Fatal(err)
	}
	if err := writeOnce(file, "second\n"); err == nil {
		t.Error("a secret was written over")
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 || string(mustRead(t, file)) != "first\n" {
		t.Errorf("left %v %v, with %q", left, err, mustRead(t, file))
	}
}

// TestAClockSetBackDelaysNothing: a success that lies in the future by an hour
// must not keep a table from its schedule for that hour.
func TestAClockSetBackDelaysNothing(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	later := now.Add(time.Hour)
	every, ok := registry.ParseSchedule("every 15m")
	if !ok || !every.Due(now, &later) {
		t.Error("a table is not due after the clock was set back")
	}
	daily, ok := registry.ParseSchedule("daily 05:00")
	if !ok || daily.Due(now, &later) {
		t.Error("a daily table runs twice after the clock was set back")
	}
}
