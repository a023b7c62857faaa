package files

import (
	"io"
	"time"

	"agnes/domain/people"
)

// PartLife is how long an upload that is still arriving is kept after the last
// byte of it came.
const PartLife = 24 * time.Hour

// NewPart names an upload that will arrive in pieces.
type NewPart struct {
	Owner people.UserID
	Name  string // as the sender names it
	Bytes int64  // of the whole file
	Mark  string // by which the sender knows the file again; may be empty
}

// Checked brings bytes whose sum the sender named. Check fails unless what was
// read of it has that sum.
type Checked interface {
	io.Reader
	Check() error
}

// Part is an upload that arrives in pieces, over interruptions of any kind.
// Once it is complete it is an Upload of the same id as well.
type Part struct {
	ID      UploadID
	Owner   people.UserID // alone may go on with it
	Name    string        // without folders
	Format  Format
	Bytes   int64 // of the whole file
	Arrived int64 // bytes that are safely on disk; the sender goes on from here
	Mark    string
	Touched time.Time // when the last bytes came
}

// Complete reports whether all of the file is there.
func (p Part) Complete() bool { return p.Arrived == p.Bytes }

// Percent is how much of the file is there, rounded down: 100 means all of it.
func (p Part) Percent() int {
	if p.Bytes <= 0 {
		return 0
	}
	return int(float64(p.Arrived) / float64(p.Bytes) * 100)
}

// Expires is when the part is thrown away unless more of it comes.
func (p Part) Expires() time.Time { return p.Touched.Add(PartLife) }
