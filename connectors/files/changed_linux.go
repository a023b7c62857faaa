package files

import (
	"io/fs"
	"syscall"
	"time"
)

// changedAt is when a file was last written, renamed or put in place.
func changedAt(info fs.FileInfo) time.Time {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(s.Ctim.Unix())
	}
	return time.Time{}
}
