package warehouse

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"

	"agnes/domain/files"
)

// Some programs begin a file with a line that names the separator, such as sep=;
// for spreadsheets. It is no row.

var separatorLine = regexp.MustCompile(`(?i)^(?:sep=([^"\r\n0-9A-Za-z])|"sep=([^"\r\n0-9A-Za-z])")(?:\r|\n|$)`)

// readSeparator takes note of such a line.
func (r *reader) readSeparator() error {
	if r.format != files.CSV && r.format != files.TSV {
		return nil
	}
	head, _, err := readHead(r.path, files.Plain)
	if err != nil {
		return fmt.Errorf("read first line: %w", err)
	}
	if m := separatorLine.FindSubmatch(bytes.TrimPrefix(head, []byte(byteOrderMark))); m != nil {
		r.separator = cmp.Or(string(m[1]), string(m[2]))
	}
	return nil
}

// delimiter is the separator as far as it is said, by the corrections or the file.
func (r *reader) delimiter() string { return cmp.Or(r.options.Delimiter, r.separator) }

// skipped is how many lines before the table are no rows for sure.
func (r *reader) skipped() int {
	if r.separator != "" {
		return max(1, r.options.Skip)
	}
	return r.options.Skip
}
