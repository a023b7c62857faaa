package warehouse

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"
)

func TestDiskFaultsHaveWords(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		err  error
		code string
	}{
		{"a flush of a folder", fmt.Errorf("sync folder: %w", syscall.EIO), "disk_write_failed"},
		{"a flush of the engine", errors.New("FATAL Error: fsync failed! Input/output error"), "disk_write_failed"},
		{"a write of the engine", errors.New(`IO Error: Could not write file "/data/x": Input/output error`), "disk_error"},
		{"a read-only folder", &fs.PathError{Op: "open", Path: "/data/x", Err: syscall.EROFS}, "folder_not_writable"},
		{"no right to it", &fs.PathError{Op: "open", Path: "/data/x", Err: syscall.EACCES}, "folder_not_writable"},
		{"a folder in its place", fmt.Errorf("publish: %w", syscall.EISDIR), "place_taken"},
		{"a file in its place", errors.New("make folder: analytics is a file"), "place_taken"},
		{"gone meanwhile", &fs.PathError{Op: "open", Path: "/data/x", Err: syscall.ENOENT}, "file_vanished"},
		{"a full disk comes first", fmt.Errorf("sync file: %w", syscall.ENOSPC), "disk_full"},
		{"anything else", errors.New("a nil map"), "internal"},
	}
	for _, tt := range tests {
		got := FailureOf(tt.err)
		if got.Code != tt.code || got.Message == "" || got.NextStep == "" {
			t.Errorf("%s: FailureOf(%v) = %+v, want code %s with a sentence and a next step", tt.name, tt.err, got, tt.code)
		}
	}
}
