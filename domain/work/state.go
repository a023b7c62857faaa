package work

import "time"

// ImportJob tells a child to read a predecessor's state. File is anywhere on
// the machine; the child copies it before it opens the copy.
type ImportJob struct {
	DataDir string `json:"data_dir"`
	File    string `json:"file"`
	Budget  Budget `json:"budget"`
}

// MirrorJob tells a child to make the state's mirror at Key. The rows follow
// the job on standard input, one StateRows a line, the last one with End set.
type MirrorJob struct {
	DataDir string `json:"data_dir"`
	Key     string `json:"key"`
	Budget  Budget `json:"budget"`
}

// StateRows are rows of one table in the shape of domain/imports.Schema. A cell
// of any type is text, or nil for NULL.
type StateRows struct {
	Table    string      `json:"table,omitempty"`
	Rows     [][]*string `json:"rows,omitempty"`
	Absent   []string    `json:"absent,omitempty"`    // columns that the table lacks, "*" for the table itself
	TooLarge []string    `json:"too_large,omitempty"` // keys of rows that are left out because of their size
	// Unknown are columns that no schema names, with how many rows have a value
	// there; "*" for the table itself, with how many rows it has.
	Unknown map[string]int64 `json:"unknown,omitempty"`
	End     bool             `json:"end,omitempty"`
}

// StateSchema is what a predecessor's state says of itself, before any rows.
type StateSchema struct {
	Version   int       `json:"version"`
	AppliedAt time.Time `json:"applied_at"`
	SHA256    string    `json:"sha256"` // of the file, without its logs
}

// Mirrored says how much a mirror holds.
type Mirrored struct {
	Rows map[string]int64 `json:"rows"` // by table
}
