package store

import (
	sqlite3 "modernc.org/sqlite/lib"

	"agnes/domain"
)

// unconfirmed reports that the disk did not confirm a flush of the state. The
// kernel may have dropped what it could not write, so nothing that is written
// afterwards proves anything: only a new start reads what is really there.
func unconfirmed(err error) bool {
	return hasCode(err, sqlite3.SQLITE_IOERR_FSYNC) || hasCode(err, sqlite3.SQLITE_IOERR_DIR_FSYNC)
}

// writingEnded is the answer to every change after an unconfirmed flush.
func writingEnded() error {
	return domain.E(domain.Unavailable, "state_not_durable",
		"The server's disk did not confirm a write of the state, so nothing more is changed. What can be read is still shown. Have the disk checked, then start Agnes again.")
}
