package warehouse

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"agnes/domain/files"
	"agnes/domain/registry"
)

var (
	csvLine    = regexp.MustCompile(`CSV Error on Line: (\d+)`)
	csvValue   = regexp.MustCompile(`(?s)Error when converting column "(.*?)"\. Could not convert string "(.*?)" to '(.*?)'`)
	csvColumns = regexp.MustCompile(`Expected Number of Columns: (\d+) Found: (\d+)`)
)

const nextMendLine = "Correct that line and upload the file again, or choose what becomes of rows that do not fit."

// csvFault puts DuckDB's error about a CSV file into words: which line, which
// column, what is wrong.
func csvFault(err error, path string) error {
	if general := generalFault(err); general != nil {
		return general
	}
	var told *fault
	if errors.As(err, &told) {
		return err
	}
	if bad := checkUTF8(path); bad != nil {
		return bad
	}
	if engineBroken(err) {
		return err // it says nothing about the file
	}
	name, text := filepath.Base(path), err.Error()
	line := 0
	if m := csvLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1]) // at worst 0: no line known
	}
	switch {
	case csvValue.MatchString(text):
		m := csvValue.FindStringSubmatch(text)
		return refuse("file_value_misfit", "Correct the value in the file, read the column as text, or choose what becomes of rows that do not fit.",
			"Line %d of %s: %q in column %s is not %s, as the other rows have.", line, name, shorten(m[2], 80), m[1], typeWords(m[3])).atLine(line).because(err)
	case csvColumns.MatchString(text):
		m := csvColumns.FindStringSubmatch(text)
		return refuse("file_row_misfit", nextMendLine, "Line %d of %s has %s, the header has %s.",
			line, name, valueCount(m[2]), m[1]).atLine(line).because(err)
	case strings.Contains(text, "unterminated quote"):
		return refuse("file_quote_open", nextMendLine, "Line %d of %s opens a quote that is never closed.", line, name).atLine(line).because(err)
	case strings.Contains(text, "Maximum line size"):
		return refuse("file_line_too_long", "Check that quotes are closed and lines end where they should, then upload the file again.",
			"Line %d of %s is longer than 2 MB.", line, name).atLine(line).because(err)
	case line > 0:
		return refuse("file_row_misfit", nextMendLine, "Line %d of %s does not have the form of the others.", line, name).atLine(line).because(err)
	}
	return refuse("file_dialect_unknown", "Check that every line has the same columns, separated by commas, semicolons or tabs.",
		"%s does not look like a table: its lines do not have the same columns.", name).because(err)
}

func valueCount(n string) string {
	if n == "1" {
		return "1 value"
	}
	return n + " values"
}

// typeWords says in plain words what a value of a type is.
func typeWords(kind string) string {
	switch strings.ToUpper(kind) {
	case "BIGINT", "INTEGER", "HUGEINT":
		return "a whole number"
	case "DOUBLE", "FLOAT":
		return "a number"
	case "BOOLEAN":
		return "true or false"
	case "DATE":
		return "a date"
	case "TIME":
		return "a time of day"
	case "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ":
		return "a date with time"
	}
	return "of type " + kind
}

// checkShape finds the row that misled the sniffer. A row with a value too
// many or too few makes it believe in one wide column, or skip all lines up to
// there. sniffed is its error, if it found nothing at all. A lenient reader gets
// the dialect of the header instead, and such rows are put aside.
func (r *reader) checkShape(ctx context.Context, db *sql.DB, d dialect, sniffed error) (dialect, error) {
	guess, misled, err := r.headShape(d, sniffed)
	if err != nil {
		return d, err
	}
	if sniffed == nil && d.skip > r.skipped() {
		if kept, all, err := r.keepLines(ctx, db, d); err != nil || all {
			return kept, err
		}
	}
	if misled {
		err := guess.scan(ctx, db, wholeFile)
		if err != nil && r.lenient && !engineBroken(err) && ctx.Err() == nil {
			return r.sniffLike(ctx, db, guess)
		}
		if err != nil {
			return d, r.csvFault(err)
		}
	}
	if sniffed != nil {
		return d, r.csvFault(sniffed)
	}
	return d, nil
}

// headShape is the dialect that the first line has, and whether the sniffer's
// is another one.
func (r *reader) headShape(d dialect, sniffed error) (guess dialect, misled bool, err error) {
	if r.format == files.XLSX {
		return guess, false, nil
	}
	head, _, err := readHead(r.path, files.Plain)
	if err != nil {
		return guess, false, err
	}
	for range r.skipped() {
		_, head, _ = bytes.Cut(head, []byte("\n"))
	}
	first, _, _ := bytes.Cut(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), "\r\n"), []byte("\n"))
	line := strings.TrimRight(string(first), "\r")
	guess = dialect{path: r.path, quote: `"`, escape: `"`, header: true, skip: r.skipped(), nulls: r.options.Nulls, decimal: r.options.Decimal}
	var wide int
	switch {
	case sniffed != nil || len(d.columns) == 1 && d.skip <= r.skipped():
		guess.delim, wide = likelyDelimiter(line)
		if c := r.delimiter(); c != "" {
			guess.delim, wide = c, countValues(line, c)
		}
	case d.skip > r.skipped():
		guess.delim, wide = d.delim, countValues(line, d.delim)
		if wide != len(d.columns) && (wide < 2 || likeFirst(head, d.delim, wide, d.skip) < 2) {
			return guess, false, nil // lines before the table, as spreadsheets have
		}
	}
	guess.columns = make([]registry.Column, wide)
	return guess, wide > 1, nil
}

// noDelimiter separates nothing: it is in no file of text.
const noDelimiter = "\x1f"

// manyLines is how many lines before a table are too many to be a heading.
const manyLines = 20

// keepLines is the dialect in which no line is left out, where the sniffer would
// leave out as many as it takes, or more: one column of text of which the last
// lines have commas, most likely.
func (r *reader) keepLines(ctx context.Context, db *sql.DB, d dialect) (kept dialect, all bool, err error) {
	head, whole, err := readHead(r.path, files.Plain)
	if err != nil {
		return d, false, err
	}
	lines := bytes.Count(bytes.TrimRight(head, "\r\n"), []byte("\n")) + 1
	left := d.skip - r.skipped()
	typed := d.header && slices.ContainsFunc(d.columns, func(c registry.Column) bool { return c.Type != "VARCHAR" })
	if lines-d.skip > left || left < manyLines && (typed || !whole) {
		return d, false, nil // a heading, as reports have
	}
	for range r.skipped() {
		_, head, _ = bytes.Cut(head, []byte("\n"))
	}
	first, _, _ := bytes.Cut(bytes.TrimPrefix(head, []byte(byteOrderMark)), []byte("\n"))
	o := r.sniffOptions()
	o.lenient, o.quote, o.escape = false, `"`, `"`
	delim, wide := likelyDelimiter(strings.TrimRight(string(first), "\r"))
	if wide == 1 {
		delim = noDelimiter
	}
	guess := dialect{path: r.path, delim: delim, quote: o.quote, escape: o.escape, skip: r.skipped(), nulls: o.nulls, columns: make([]registry.Column, wide)}
	if r.delimiter() != "" {
		return d, false, nil
	}
	if err := guess.scan(ctx, db, wholeFile); err != nil {
		if engineBroken(err) || ctx.Err() != nil {
			return d, false, err
		}
		return d, false, nil // whoever knows the line that is odd says so
	}
	o.delim = delim
	kept, err = sniff(ctx, db, r.path, o)
	switch {
	case err == nil && kept.skip == r.skipped() && len(kept.columns) == wide:
		return kept, true, nil
	case engineBroken(err) || ctx.Err() != nil:
		return d, false, err
	}
	return d, false, nil
}

// likeFirst counts, among the first lines, those with as many values as the first.
func likeFirst(head []byte, delim string, wide, lines int) (like int) {
	for line := range bytes.SplitSeq(head, []byte("\n")) {
		if lines--; lines < 0 {
			break
		}
		if countValues(strings.TrimRight(string(line), "\r"), delim) == wide {
			like++
		}
	}
	return like
}

// sniffLike finds the types of the rows that have this dialect.
func (r *reader) sniffLike(ctx context.Context, db *sql.DB, guess dialect) (dialect, error) {
	o := r.sniffOptions()
	o.delim, o.quote, o.escape, o.header, o.skip = guess.delim, guess.quote, guess.escape, files.Yes, guess.skip
	if r.options.Header == files.No {
		o.header = files.No
	}
	d, err := sniff(ctx, db, r.path, o)
	if err != nil {
		return d, r.csvFault(err)
	}
	if len(d.columns) == len(guess.columns) {
		d.skip = guess.skip
		return d, nil
	}
	guess.lenient = true
	return guess.asText(), nil
}

// likelyDelimiter returns the separator that a header line uses, and how many
// values the line then has.
func likelyDelimiter(line string) (delim string, values int) {
	values = 1
	for _, candidate := range []string{",", ";", "\t", "|"} {
		if n := countValues(line, candidate); n > values {
			delim, values = candidate, n
		}
	}
	return delim, values
}

// countValues counts a line's values; separators within quotes do not count.
func countValues(line, delim string) int {
	n, quoted := 1, false
	for i := range len(line) {
		switch {
		case line[i] == '"':
			quoted = !quoted
		case !quoted && strings.HasPrefix(line[i:], delim):
			n++
		}
	}
	return n
}
