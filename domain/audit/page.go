package audit

import "time"

// Page is a part of the list, newest first.
type Page struct {
	Rows []Listed
	// Older is where the next page begins; nil when nothing older matches. With
	// fewer rows than were asked for, the search stopped there to stay quick.
	Older *Cursor
	// Newer is where the page before begins; nil on the newest.
	Newer *Cursor
	// Searched is how far back the rows were looked through, when that is less
	// than the filter asks for.
	Searched *time.Time
}

// Listed is a row with the present names of who did it and of what it is about.
type Listed struct {
	Entry
	UserName string
	Thing    string // present name of the person or group that the resource names
}

// ListOptions say which part of the list is wanted.
type ListOptions struct {
	Limit int
	From  *Cursor // nil: the newest
	Newer bool    // the rows above From in place of those below
}

// Counted is a value with how many rows have it.
type Counted struct {
	Value string
	Label string // "" where the value speaks for itself
	Count int64
}

// Counts sums up the rows of a filter.
type Counts struct {
	Events int64
	People int64
	Failed int64
	// P95 is the duration that 95 % of those with one stay under, in milliseconds.
	P95 *int64
	// From is since when the rows were counted, when that is later than the
	// filter asks for: there are more.
	From *time.Time

	Users     []Counted
	Actions   []Counted
	Results   []Counted
	Resources []Counted
	Sources   []Counted
}

// Bucket is one bar of the chart.
type Bucket struct {
	From   time.Time
	To     time.Time
	Events int64
	Failed int64
}

// View is a filter that somebody keeps under a name.
type View struct {
	ID        string
	Name      string
	Query     string // JSON object
	CreatedAt time.Time
	UpdatedAt time.Time
}
