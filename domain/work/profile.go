package work

import (
	"time"

	"agnes/domain/profile"
)

// ProfileJob tells a profile child to say what is in the columns of one version.
// It reads the files and writes nothing.
type ProfileJob struct {
	DataDir  string           `json:"data_dir"`
	Table    string           `json:"table"` // for messages
	Keys     []string         `json:"keys"`  // Parquet files under the data directory
	Bytes    int64            `json:"bytes"`
	Settings profile.Settings `json:"settings"`
	// Patience is how long after its start the child begins no more charts.
	Patience time.Duration `json:"patience"`
	Budget   Budget        `json:"budget"`
}
