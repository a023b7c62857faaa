package warehouse

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"agnes/domain/files"
	"agnes/domain/work"
)

// flip turns one bit of a file around.
func flip(t *testing.T, file string, at int64) {
	t.Helper()
	if err := os.Chmod(file, 0o600); err != nil { // as a faulty disk does not ask
		t.Fatal(err)
	}
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	one := make([]byte, 1)
	if _, err := f.ReadAt(one, at); err != nil {
		t.Fatal(err)
	}
	one[0] ^= 1 << (at % 8)
	if _, err := f.WriteAt(one, at); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// beingWritten finds the temporary file of a version.
func beingWritten(t *testing.T, s *Store) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(s.dir, versionsDir, "*", "*", tempPattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("temporary files %v, %v; want one", found, err)
	}
	return found[0]
}

func TestRowsThatChangeBeforePublicationAreNotPublished(t *testing.T) {
	for _, point := range []string{pointVersionHashed, pointVersionChecked, pointVersionSynced} {
		t.Run(point, func(t *testing.T) {
			s := newTestStore(t)
			mustWrite(t, s, "files/orders.csv", "id,name\n"+strings.Repeat("1,a\n2,b\n", 500))
			s.reached = func(at string) {
				if at == point {
					flip(t, beingWritten(t, s), 6) // among the values, which carry no sum
				}
			}
			_, err := s.Convert(t.Context(), "files/orders.csv", files.CSV, Target{Source: "files", Table: "orders", VersionID: "v1"}, func(work.Event) {})
			if code := FailureOf(err).Code; err == nil || code != "version_changed" && (point != pointVersionHashed || code != "version_not_readable") {
				t.Errorf("changed at %s: %v", point, err)
			}
			if _, err := os.Lstat(mustPath(t, s, "versions/files/orders/v1.parquet")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a changed version is there: %v", err)
			}
			s.reached = nil
			wantClean(t, s)
		})
	}
}

// A Parquet file has no sums of its own: whatever bit flips, what was published
// must be what was written.
func TestEveryFlippedBitIsFound(t *testing.T) {
	s := newTestStore(t)
	mustWrite(t, s, "files/orders.csv", "id,name\n"+strings.Repeat("1,a\n2,b\n", 500))
	out, err := s.Convert(t.Context(), "files/orders.csv", files.CSV, Target{Source: "files", Table: "orders", VersionID: "v1"}, func(work.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(mustPath(t, s, out.Files[0].Key))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for i := range 600 {
		temp, final := filepath.Join(dir, ".tmp-1"), filepath.Join(dir, "v.parquet")
		if err := os.WriteFile(temp, good, 0o600); err != nil {
			t.Fatal(err)
		}
		at := int64(i) * int64(len(good)) / 600
		flip(t, temp, at)
		if err := s.settle(t.Context(), temp, final, out.Files[0].SHA256); err == nil || FailureOf(err).Code != "version_changed" {
			t.Fatalf("a bit of byte %d of %d flipped: %v", at, len(good), err)
		}
		if _, err := os.Lstat(final); err == nil {
			t.Fatalf("a bit of byte %d of %d flipped, and it was published", at, len(good))
		}
		if err := os.Remove(temp); err != nil {
			t.Fatal(err)
		}
	}
}

func TestHashOnDisk(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, make([]byte, hashChunk), 0o600); err != nil { // exactly one chunk
		t.Fatal(err)
	}
	sums, err := hashFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := sameOnDisk(t.Context(), file, sums.sha256); err != nil {
		t.Errorf("the same file: %v", err)
	}
	if err := sameOnDisk(t.Context(), file+"x", ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sameOnDisk(gone, file, sums.sha256); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
