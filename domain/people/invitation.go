package people

// Invitation is a link that was made for somebody, and whether it was mailed.
type Invitation struct {
	URL     string // whole; "" when the caller may not see it
	Mailed  bool
	Problem string // a sentence: why it was not mailed, "" when it was
}
