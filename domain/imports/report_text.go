package imports

import (
	"fmt"
	"strings"
)

// String is the report for a terminal.
func (r *Report) String() string {
	var b strings.Builder
	added, updated := "added", "updated"
	if r.DryRun {
		added, updated = "would add", "update"
		b.WriteString("Dry run: nothing was changed.\n")
	}
	line := func(table string, cells ...any) {
		fmt.Fprintf(&b, "%-32s"+strings.Repeat(" %9v", len(cells))+"\n", append([]any{table}, cells...)...)
	}
	line("table", "read", added, updated, "same", "kept", "removed", "not used", "skipped")
	for _, c := range r.Tables {
		if c.Read > 0 {
			line(c.Table, c.Read, c.Added+c.Back, c.Updated, c.Unchanged, c.Kept, c.Removed, c.Merged+c.Needless, c.Skipped)
		}
	}
	for _, i := range r.Issues {
		status := i.Status.words()
		if i.Status == StatusSkipped || i.Status == StatusTakenOver {
			status += ", " + i.Code
		}
		fmt.Fprintf(&b, "%s %s (%s): %s\n", i.Table, clean(i.ID), status, clean(i.Reason))
	}
	for _, u := range r.Unknown {
		if u.Column == "" {
			fmt.Fprintf(&b, "The table %s (rows: %d) is not known to Agnes and not taken over.\n", clean(u.Table), u.Rows)
		} else {
			fmt.Fprintf(&b, "The column %s of %s (rows with a value: %d) is not known to Agnes and not taken over.\n", clean(u.Column), u.Table, u.Rows)
		}
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "Note: %s\n", clean(n))
	}
	return b.String()
}

// clean keeps foreign text from steering a terminal.
func clean(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || (c >= 0x7f && c < 0xa0) {
			return '·'
		}
		return c
	}, text)
}
