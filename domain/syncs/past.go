package syncs

import "time"

// Past is a run that ended, as the history of syncs holds it.
type Past struct {
	ID         string
	Table      string // its name in SQL
	SyncedAt   time.Time
	Rows       *int64
	DurationMS *int64
	Status     string
	Error      string
}
