package warehouse

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
)

// diskFault names what the disk or the data directory refuses: a write that was
// not confirmed, an error of the device, missing rights, something else in the
// place of a file. It returns nil for others.
func diskFault(err error) *fault {
	text := err.Error()
	says := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(text, w) {
				return true
			}
		}
		return false
	}
	switch {
	case errors.Is(err, syscall.EIO), says("Input/output error", "input/output error", "fsync failed"):
		if says("sync") {
			return notConfirmed(err)
		}
		return refuse("disk_error", "Have the server's disk checked, then try again.",
			"The server's disk reported an error. Nothing was changed.").because(err)
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission), says("Read-only file system", "Permission denied"):
		return refuse("folder_not_writable", "Give Agnes the right to write to its data directory, then try again.",
			"Agnes may not write where it keeps this data. Nothing was changed.").because(err)
	case errors.Is(err, syscall.EISDIR), errors.Is(err, syscall.ENOTDIR), says(" is a file", "Is a directory", "Not a directory", "is a directory"):
		return refuse("place_taken", "Look into the server's log for the name, and move away what does not belong there.",
			"Something else lies where Agnes keeps its files: a folder in the place of a file, or a file in the place of a folder. Nothing was changed.").because(err)
	case errors.Is(err, fs.ErrNotExist):
		return refuse("file_vanished", "Try again. If it happens again, look for what removes files from the data directory.",
			"A file or folder that Agnes needs for this vanished while it was at work. The rows from before stay.").because(err)
	}
	return nil
}

// notConfirmed is what people read when the disk did not confirm a write.
func notConfirmed(err error) *fault {
	return refuse("disk_write_failed", "Have the server's disk checked before you try again.",
		"The server's disk did not confirm that the data was written. Nothing was changed.").because(err)
}
