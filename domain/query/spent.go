package query

import "github.com/apache/arrow-go/v18/arrow"

// Spent releases a batch of which the caller keeps nothing, not even a text:
// its memory may serve the next batch at once. After Release alone it is left
// to the collector, and texts stay as they were.
func Spent(b arrow.RecordBatch) {
	if s, can := b.(interface{ Spend() }); can {
		s.Spend()
	}
	b.Release()
}
