package store

import (
	"errors"
	"syscall"

	sqlite3 "modernc.org/sqlite/lib"

	"agnes/domain"
)

// unconfirmed reports that the disk did not take a write of the state, or did
// not confirm that it is there. The kernel may have dropped what it could not
// write, so nothing that is written afterwards proves anything: only a new start
// reads what is really there. A full disk is another matter: it says so before
// anything is confirmed, and what was begun is rolled back.
func unconfirmed(err error) bool {
	for _, code := range []int{
		sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC, sqlite3.SQLITE_IOERR_TRUNCATE,
	} {
		if hasCode(err, code) {
			return true
		}
	}
	return false
}

// endWriting ends all writing of the state, and of everything that shares its
// latch, because of err; it returns the answer to the change that failed.
func (s *Store) endWriting(err error) error {
	if s.ended.CompareAndSwap(false, true) {
		s.log.Error("the disk did not confirm a write of the state; nothing more is written until a new start", "err", err)
	}
	told := writingEnded()
	s.writes.Trip(told)
	return errors.Join(told, err)
}

// writingEnded is the answer to every change after an unconfirmed write.
func writingEnded() error {
	return domain.E(domain.Unavailable, "state_not_durable",
		"The server's disk did not confirm a write of the state, so nothing more is changed. What can be read is still shown. Have the disk checked, then start Agnes again.")
}

// unconfirmedFile gives the error of a file beside the state its code when the
// disk did not confirm it.
func unconfirmedFile(err error) error {
	if !errors.Is(err, syscall.EIO) {
		return err
	}
	return domain.E(domain.Unavailable, "disk_write_failed",
		"The server's disk did not confirm that a file was written. Have it checked, then start Agnes again.").Because(err)
}
