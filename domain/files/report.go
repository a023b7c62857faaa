package files

import "strings"

// Report says what of a file did not become what it should: nothing is lost
// without a word.
type Report struct {
	Losses  []Loss  `json:"losses,omitempty"`
	Misfits Misfits `json:"misfits,omitzero"`
}

// Empty reports whether everything fit.
func (r Report) Empty() bool { return len(r.Losses) == 0 && r.Misfits.Count == 0 }

// Loss counts the cells of one column that are NULL because their value does
// not fit the column's type.
type Loss struct {
	Column  string `json:"column"`
	Count   int64  `json:"count"`
	Example string `json:"example"` // one value that was lost
}

// Misfits are the rows that do not fit.
type Misfits struct {
	Count int64    `json:"count"`
	First []Misfit `json:"first,omitempty"` // at most MaxMisfits
	Key   string   `json:"key,omitempty"`   // where all were kept aside, under the data directory
	Bytes int64    `json:"bytes,omitempty"` // of that file
}

// MaxMisfits is how many rows that do not fit are shown.
const MaxMisfits = 20

// Misfit is one row that does not fit.
type Misfit struct {
	File   string `json:"file,omitempty"` // in a folder
	Line   int64  `json:"line"`           // in the file, from 1; 0 when unknown
	Column string `json:"column,omitempty"`
	Reason string `json:"reason"`
	Raw    string `json:"raw"` // as the file has it, cut to what a page shows
}

// Add puts another file's report to r.
func (r *Report) Add(o Report) {
	for _, l := range o.Losses {
		r.addLoss(l)
	}
	r.Misfits.Count += o.Misfits.Count
	if room := MaxMisfits - len(r.Misfits.First); room > 0 {
		r.Misfits.First = append(r.Misfits.First, o.Misfits.First[:min(room, len(o.Misfits.First))]...)
	}
}

func (r *Report) addLoss(l Loss) {
	for i := range r.Losses {
		if strings.EqualFold(r.Losses[i].Column, l.Column) {
			r.Losses[i].Count += l.Count
			return
		}
	}
	r.Losses = append(r.Losses, l)
}
