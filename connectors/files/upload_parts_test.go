package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"agnes/domain"
	"agnes/domain/files"
)

func mustBegin(t *testing.T, f Folder, name string, size int64) files.Part {
	t.Helper()
	p, err := f.Begin(t.Context(), files.NewPart{Owner: "ada", Name: name, Bytes: size, Mark: "m"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustAppend(t *testing.T, f Folder, id files.UploadID, offset int64, text string) {
	t.Helper()
	if n, err := f.Append(t.Context(), id, offset, strings.NewReader(text)); err != nil || n != int64(len(text)) {
		t.Fatalf("Append(%d, %q) = %d, %v", offset, text, n, err)
	}
}

func arrived(t *testing.T, f Folder, id files.UploadID) int64 {
	t.Helper()
	p, err := f.Part(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return p.Arrived
}

func TestPartBecomesAnUpload(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	p := mustBegin(t, f, `C:\data\Orders 2026.CSV`, 10)
	if p.Name != "Orders 2026.CSV" || p.Format != files.CSV || p.Bytes != 10 || p.Arrived != 0 || p.Owner != "ada" || p.Mark != "m" || p.Complete() {
		t.Errorf("part %+v", p)
	}
	mustAppend(t, f, p.ID, 0, "id\n1")
	_, err := f.Staged(t.Context(), p.ID)
	wantError(t, err, domain.NotFound, "upload_not_found")

	f = Folder{Root: f.Root, MaxBytes: f.MaxBytes} // as after a restart
	if got := arrived(t, f, p.ID); got != 4 {
		t.Errorf("%d bytes arrived, want 4", got)
	}
	if n, err := f.Append(t.Context(), p.ID, 4, strings.NewReader("234\n567 and more than was said")); err != nil || n != 6 {
		t.Errorf("the end = %d, %v", n, err)
	}
	again, err := f.Part(t.Context(), p.ID)
	if err != nil || !again.Complete() || again.Percent() != 100 {
		t.Errorf("a whole part is %+v, %v", again, err)
	}
	if n, err := f.Append(t.Context(), p.ID, 10, strings.NewReader("x")); n != 0 || err != nil {
		t.Errorf("Append to a whole part = %d, %v", n, err)
	}
	up, err := f.Staged(t.Context(), p.ID)
	if err != nil || up.Name != "Orders 2026.CSV" || up.Bytes != 10 || up.Key != "uploads/"+string(p.ID)+"/Orders 2026.CSV" {
		t.Errorf("Staged = %+v, %v", up, err)
	}
	if item, err := f.Commit(t.Context(), p.ID, "orders"); err != nil || item != "orders.csv" {
		t.Errorf("Commit = %q, %v", item, err)
	}
	if err := f.Discard(t.Context(), p.ID); err != nil {
		t.Fatal(err)
	}
	if got := mustTree(t, f); got != "files/.uploaded/orders.csv files/orders.csv" {
		t.Errorf("files %q", got)
	}
	if data, err := os.ReadFile(filepath.Join(f.files(), "orders.csv")); err != nil || string(data) != "id\n1234\n56" {
		t.Errorf("content %q, %v", data, err)
	}
}

func TestBeginRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		bytes      int64
		kind       domain.Kind
		code, says string
	}{
		{"a.exe", 10, domain.Invalid, "file_format_unknown", ".parquet"},
		{"a.csv", 0, domain.Invalid, "file_empty", "empty"},
		{"a.csv", -1, domain.Invalid, "file_empty", "empty"},
		{"a.csv", 2049, domain.TooLarge, "upload_too_large", "may have 2.0 KiB"},
	} {
		f := newFolder(t)
		_, err := f.Begin(t.Context(), files.NewPart{Owner: "ada", Name: c.name, Bytes: c.bytes})
		wantError(t, err, c.kind, c.code)
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), f.Root) {
			t.Errorf("%s of %d bytes: %v, want it to say %q", c.name, c.bytes, err, c.says)
		}
		if left := mustTree(t, f); left != "" {
			t.Errorf("left %q", left)
		}
	}
}

func TestAppendCountsWhatCame(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		err  error
		kind domain.Kind
		code string
	}{
		{"sender gone", io.ErrUnexpectedEOF, domain.Internal, ""},
		{"disk full", syscall.ENOSPC, domain.Unavailable, "disk_full"},
	} {
		f := newFolder(t)
		p := mustBegin(t, f, "a.csv", 10)
		n, err := f.Append(t.Context(), p.ID, 0, io.MultiReader(strings.NewReader("1234"), errReader{c.err}))
		wantError(t, err, c.kind, c.code)
		if n != 4 || arrived(t, f, p.ID) != 4 {
			t.Errorf("%s: Append = %d, %d arrived, want 4: the part is kept", c.name, n, arrived(t, f, p.ID))
		}
		mustAppend(t, f, p.ID, 4, "567890")
	}
}

func TestAppendAtAnotherByte(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	p := mustBegin(t, f, "a.csv", 10)
	mustAppend(t, f, p.ID, 0, "1234")
	for _, offset := range []int64{0, 3, 5, 11} {
		n, err := f.Append(t.Context(), p.ID, offset, strings.NewReader("x"))
		wantError(t, err, domain.Conflict, "upload_offset")
		if n != 0 || arrived(t, f, p.ID) != 4 {
			t.Errorf("at %d: %d, %d arrived", offset, n, arrived(t, f, p.ID))
		}
	}
}

// What a crash left behind the last durable byte does not count, and is written anew.
func TestPartAfterACrash(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	p := mustBegin(t, f, "a.csv", 10)
	mustAppend(t, f, p.ID, 0, "1234")
	data := f.staged(p.ID, partData)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(data, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("1234garbage beyond the end")
	if got := arrived(t, f, p.ID); got != 4 {
		t.Errorf("%d arrived, want 4: the rest was never confirmed", got)
	}
	write("12") // a disk that lost what it confirmed
	if got := arrived(t, f, p.ID); got != 2 {
		t.Errorf("%d arrived, want 2: no more is there", got)
	}
	write("1234garbage")
	if err := os.WriteFile(f.staged(p.ID, partState+".new"), []byte("{half"), 0o600); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, f, p.ID, 4, "567890")
	up, err := f.Staged(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(f.Root, up.Key)); err != nil || string(got) != "1234567890" {
		t.Errorf("content %q, %v", got, err)
	}
}

// The server may die between the last byte and the upload's name.
func TestWholePartIsCompletedLater(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	p := mustBegin(t, f, "a.csv", 4)
	mustAppend(t, f, p.ID, 0, "1234")
	if err := os.Rename(f.staged(p.ID, "a.csv"), f.staged(p.ID, partData)); err != nil {
		t.Fatal(err)
	}
	if got := arrived(t, f, p.ID); got != 4 {
		t.Errorf("%d arrived", got)
	}
	if up, err := f.Staged(t.Context(), p.ID); err != nil || up.Bytes != 4 {
		t.Errorf("Staged = %+v, %v", up, err)
	}
}

func TestPartsThatAreNotThere(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	staged := mustStage(t, f, "a.csv", "1")
	broken := mustBegin(t, f, "a.csv", 4)
	if err := os.WriteFile(f.staged(broken.ID, partState), []byte(`{"name":"../../a.csv","bytes":4}`), 0o600); err != nil {
		t.Fatal(err)
	}
	vanished := mustBegin(t, f, "a.csv", 4)
	if err := os.Remove(f.staged(vanished.ID, partData)); err != nil {
		t.Fatal(err)
	}
	for _, id := range []files.UploadID{staged.ID, broken.ID, vanished.ID, files.UploadID(uuid.NewString()), "..", ""} {
		_, err := f.Part(t.Context(), id)
		wantError(t, err, domain.NotFound, "upload_not_found")
		_, err = f.Append(t.Context(), id, 0, strings.NewReader("x"))
		wantError(t, err, domain.NotFound, "upload_not_found")
	}
	if found, err := f.Parts(t.Context(), "ada"); err != nil || len(found) != 0 {
		t.Errorf("Parts = %v, %v", found, err)
	}
}

// An upload that is thrown away while it arrives is gone, and says so.
func TestDiscardWhileAppending(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	p := mustBegin(t, f, "a.csv", 10)
	_, err := f.Append(t.Context(), p.ID, 0, io.MultiReader(strings.NewReader("1234"), readerFunc(func([]byte) (int, error) {
		return 0, errors.Join(f.Discard(t.Context(), p.ID), io.EOF)
	})))
	if err == nil {
		t.Fatal("bytes of an upload that is gone were taken")
	}
	wantError(t, err, domain.NotFound, "upload_not_found")
	if left := mustTree(t, f); left != "" {
		t.Errorf("left %q", left)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestPartsOfAPerson(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	if found, err := f.Parts(t.Context(), "ada"); err != nil || len(found) != 0 {
		t.Errorf("before any upload: %v, %v", found, err)
	}
	older, newer := mustBegin(t, f, "older.csv", 4), mustBegin(t, f, "newer.csv", 4)
	whole := mustBegin(t, f, "whole.csv", 4)
	mustAppend(t, f, whole.ID, 0, "1234")
	if _, err := f.Begin(t.Context(), files.NewPart{Owner: "eve", Name: "a.csv", Bytes: 4}); err != nil {
		t.Fatal(err)
	}
	at := newer.Touched.Add(-time.Hour)
	if err := os.Chtimes(f.staged(older.ID, partData), at, at); err != nil {
		t.Fatal(err)
	}
	found, err := f.Parts(t.Context(), "ada")
	if err != nil || len(found) != 2 || found[0].ID != newer.ID || found[1].ID != older.ID {
		t.Errorf("Parts = %+v, %v", found, err)
	}
	if got := found[1].Expires(); !got.Equal(at.Add(files.PartLife)) {
		t.Errorf("expires %v", got)
	}
}

func TestSweepTakesAbandonedParts(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	old, slow := mustBegin(t, f, "old.csv", 4), mustBegin(t, f, "slow.csv", 4)
	now := time.Now()
	for _, name := range []string{f.staged(old.ID, partData), f.staged(old.ID), f.staged(slow.ID)} {
		if err := os.Chtimes(name, now.Add(-2*files.PartLife), now.Add(-2*files.PartLife)); err != nil {
			t.Fatal(err)
		}
	}
	// Bytes of the slow one came a moment ago; only its folder is old.
	if n, err := f.SweepUploads(t.Context(), now.Add(-files.PartLife)); err != nil || n != 1 {
		t.Errorf("SweepUploads = %d, %v", n, err)
	}
	if _, err := f.Part(t.Context(), slow.ID); err != nil {
		t.Errorf("the slow one is gone: %v", err)
	}
	_, err := f.Part(t.Context(), old.ID)
	wantError(t, err, domain.NotFound, "upload_not_found")
}

// An upload of any size takes the same little memory.
func TestAppendAllocatesLittle(t *testing.T) {
	const size = 3*durableStep + 5
	f := Folder{Root: t.TempDir()}
	block := bytes.Repeat([]byte("0123456789abcdef"), 4096)
	counts := testing.Benchmark(func(b *testing.B) {
		b.Helper()
		b.ReportAllocs()
		for b.Loop() {
			p, err := f.Begin(b.Context(), files.NewPart{Owner: "ada", Name: "a.csv", Bytes: size})
			if err != nil {
				b.Fatal(err)
			}
			if n, err := f.Append(b.Context(), p.ID, 0, &repeat{block: block, left: size}); err != nil || n != size {
				b.Fatal(n, err)
			}
			if err := f.Discard(b.Context(), p.ID); err != nil {
				b.Fatal(err)
			}
		}
	})
	if got := counts.AllocedBytesPerOp(); got > 1<<20 {
		t.Errorf("an upload of %d bytes allocates %d", size, got)
	}
}

// repeat reads one block over and over.
type repeat struct {
	block []byte
	left  int64
}

func (r *repeat) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(int64(len(p)), r.left)], r.block)
	r.left -= int64(n)
	return n, nil
}

// The state on disk never counts more than the file has.
func TestStateFollowsTheFile(t *testing.T) {
	t.Parallel()
	f := Folder{Root: t.TempDir()}
	const size = 2*durableStep + 1
	p := mustBegin(t, f, "a.csv", size)
	var seen []string
	read := int64(0)
	_, err := f.Append(t.Context(), p.ID, 0, readerFunc(func(b []byte) (int, error) {
		s, err := f.state(p.ID)
		if err != nil {
			return 0, err
		}
		if s.Arrived > read {
			return 0, fmt.Errorf("%d bytes counted, %d read", s.Arrived, read)
		}
		if step := fmt.Sprint(s.Arrived); len(seen) == 0 || seen[len(seen)-1] != step {
			seen = append(seen, step)
		}
		read += int64(len(b))
		return len(b), nil
	}))
	if want := fmt.Sprint([]int{0, durableStep, 2 * durableStep}); err != nil || fmt.Sprint(seen) != want {
		t.Errorf("counted %v, %v, want %s", seen, err, want)
	}
}
