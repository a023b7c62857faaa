package files

import (
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/files"
	"agnes/domain/syncs"
)

func latched(t *testing.T) Folder {
	t.Helper()
	f := newFolder(t)
	f.Writes = &syncs.Latch{Now: func() time.Time { return time.Unix(1000, 0) }}
	return f
}

// TestAnUnconfirmedWriteEndsWriting: whatever of an upload the disk did not take,
// nothing is written any more, and what is there can be read.
func TestAnUnconfirmedWriteEndsWriting(t *testing.T) {
	t.Parallel()
	broken := func() io.Reader { return io.MultiReader(strings.NewReader("id"), errReader{syscall.EIO}) }
	for name, fail := range map[string]func(f Folder, part files.UploadID) error{
		"an upload": func(f Folder, _ files.UploadID) error {
			_, err := f.Stage(t.Context(), "", "a.csv", broken())
			return err
		},
		"a sample": func(f Folder, _ files.UploadID) error { return f.Add(t.Context(), "a.csv", broken()) },
		"a piece": func(f Folder, part files.UploadID) error {
			_, err := f.Append(t.Context(), part, 0, broken())
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := latched(t)
			up, part := mustStage(t, f, "whole.csv", "id\n1\n"), mustBegin(t, f, "part.csv", 10)
			err := fail(f, part.ID)
			wantError(t, err, domain.Unavailable, "disk_write_failed")
			if strings.Contains(err.Error(), f.Root) {
				t.Errorf("the sentence names the place: %v", err)
			}
			for what, again := range map[string]func() error{
				"upload": func() error { _, err := f.Stage(t.Context(), "", "a.csv", strings.NewReader("id\n")); return err },
				"begin": func() error {
					_, err := f.Begin(t.Context(), files.NewPart{Owner: "ada", Name: "a.csv", Bytes: 3})
					return err
				},
				"append": func() error { _, err := f.Append(t.Context(), part.ID, 0, strings.NewReader("x")); return err },
				"commit": func() error { _, err := f.Commit(t.Context(), up.ID, "orders"); return err },
				"add":    func() error { return f.Add(t.Context(), "b.csv", strings.NewReader("id\n")) },
			} {
				if err := again(); domain.KindOf(err) != domain.Unavailable || domain.CodeOf(err) != "writing_stopped" {
					t.Errorf("%s after the disk failed: %v, want writing_stopped", what, err)
				}
			}
			if _, err := f.Staged(t.Context(), up.ID); err != nil {
				t.Errorf("reading ended too: %v", err)
			}
			if _, err := f.Parts(t.Context(), "ada"); err != nil {
				t.Errorf("reading ended too: %v", err)
			}
		})
	}
}

// TestWordsOfAFlush: what a flush may fail with, and whether it ends writing.
func TestWordsOfAFlush(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		err  error
		code string
	}{
		{"confirmed", nil, ""},
		{"an error of the disk", syscall.EIO, "disk_write_failed"},
		{"anything else", syscall.EINVAL, "disk_write_failed"},
		{"a full disk", syscall.ENOSPC, "disk_full"},
		{"a quota", syscall.EDQUOT, "disk_full"},
		{"a read-only disk", syscall.EROFS, "folder_not_writable"},
	} {
		for _, tell := range []func(error) error{tellSync, tellPartSync} {
			err := c.err
			if err != nil {
				err = fmt.Errorf("sync: %w", &os.PathError{Op: "sync", Path: "x", Err: err})
			}
			if got := domain.CodeOf(tell(err)); got != c.code {
				t.Errorf("%s: code %q, want %q", c.name, got, c.code)
			}
		}
	}
}
