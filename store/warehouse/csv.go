package warehouse

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"agnes/domain/files"
	"agnes/domain/registry"
)

// sampleRows is how many rows types are guessed from at first: DuckDB's own
// default. wholeFile stands for all of them.
const (
	sampleRows = 20480
	wholeFile  = -1
)

// headBuffer makes the engine take less of a file than it would, where the first
// rows are all that is asked for: every thread reads a buffer of its own.
const headBuffer = "buffer_size = 4194304"

// dialect is how one CSV file is written, in full, so that reading it guesses
// nothing any more.
type dialect struct {
	path                  string
	delim, quote, escape  string
	newline               string // as DuckDB spells it: \n, \r or \r\n
	skip                  int    // lines before the header
	header                bool
	columns               []registry.Column
	dateFormat, timestamp string
	nulls                 []string // words for NULL beside the empty text
	decimal               string
	head                  bool   // only the first rows will be read
	lenient               bool   // rows that do not have the shape are passed over
	rejects               string // the table that they are noted in
	warnings              []string
}

// sniffCSV finds the dialect and the types of a CSV file. A lenient reader is
// lenient only where there is need: rows that do not fit must not make the
// sniffer choose others than those of a strict one.
func (r *reader) sniffCSV(ctx context.Context, db *sql.DB) error {
	options := r.sniffOptions()
	options.lenient = false
	d, err := r.sniffFreely(ctx, db, options)
	if err != nil && r.lenient && !engineBroken(err) && ctx.Err() == nil {
		if mixed, err := r.endsMixed(); mixed || err != nil {
			return errors.Join(r.errEndsMixed(), err)
		}
		options.lenient = true
		d, err = r.sniffFreely(ctx, db, options)
	}
	if err != nil && (engineBroken(err) || ctx.Err() != nil) {
		return err
	}
	if d, err = r.checkShape(ctx, db, d, err); err != nil {
		return err
	}
	d.lenient = r.lenient
	if r.even {
		d.warnings = append(d.warnings, evenWarning)
	}
	if d.skip > r.skipped() {
		d.warnings = append(d.warnings, leftOut(d.skip-r.skipped()))
	}
	if d.quote == "" && !options.unquoted {
		d.quote, d.escape = `"`, `"`
		if err := d.scan(ctx, db, sampleRows); err != nil {
			d.quote, d.escape = "", ""
			d.warnings = append(d.warnings, "Quote characters in this file do not come in pairs. They are kept as part of the text.")
		}
	}
	if !d.header && r.options.Header != files.No {
		d.warnings = append(d.warnings, "No line with column names was found. The columns are numbered.")
	}
	if err := d.readNames(ctx, db); err != nil {
		return err
	}
	if err := r.keepDigits(ctx, db, &d, sampleRows); err != nil {
		return err
	}
	r.keepText(&d)
	if r.lenient {
		d.rejects = rejectsTable
		if r.sheet != nil {
			if err := r.sheet.tellRows(ctx, db); err != nil {
				return err
			}
		}
	}
	r.csv = d
	return nil
}

// sniffFreely asks the sniffer again where a first guess at quotes and separator
// finds no columns.
func (r *reader) sniffFreely(ctx context.Context, db *sql.DB, options sniffOptions) (dialect, error) {
	d, err := sniff(ctx, db, r.path, options)
	if r.options.Delimiter != "" || r.format == files.XLSX || err == nil && len(d.columns) > 1 {
		return d, err
	}
	// Double quotes or tabs were only a first guess.
	options.delim = ""
	if r.options.Quote == "" {
		options.quote, options.escape = "", ""
	}
	free, freely := sniff(ctx, db, r.path, options)
	if freely == nil && (err != nil || len(free.columns) > 1) {
		return free, nil //nolint:nilerr // the second look found what the first did not
	}
	return d, err
}

func leftOut(lines int) string {
	if lines == 1 {
		return "The first line does not have the columns of the rest. It is left out."
	}
	return fmt.Sprintf("The first %d lines do not have the columns of the rest. They are left out.", lines)
}

// retype guesses the types anew from every row, in the same dialect.
func (d dialect) retype(ctx context.Context, db *sql.DB) (dialect, error) {
	again, err := sniff(ctx, db, d.path, sniffOptions{fixed: &d, sample: wholeFile, nulls: d.nulls, decimal: d.decimal, lenient: d.lenient})
	if err != nil {
		return dialect{}, err
	}
	if len(again.columns) != len(d.columns) {
		return dialect{}, fmt.Errorf("types of all rows: %d columns, had %d", len(again.columns), len(d.columns))
	}
	for i := range again.columns {
		again.columns[i].Name = d.columns[i].Name
	}
	d.columns, d.dateFormat, d.timestamp = again.columns, again.dateFormat, again.timestamp
	return d, nil
}

// sniff asks DuckDB's sniffer. Lines that begin with # are rows like others:
// what the sniffer takes for comments would be lost.
func sniff(ctx context.Context, db *sql.DB, path string, o sniffOptions) (dialect, error) {
	d := dialect{path: path, nulls: o.nulls, decimal: o.decimal, lenient: o.lenient}
	var columns string
	var date, timestamp sql.NullString
	err := db.QueryRowContext(ctx, `
		SELECT Delimiter, Quote, Escape, NewLineDelimiter, SkipRows, HasHeader, CAST(to_json(Columns) AS VARCHAR), DateFormat, TimestampFormat
		FROM sniff_csv(`+strings.Join(o.args(path), ", ")+")").
		Scan(&d.delim, &d.quote, &d.escape, &d.newline, &d.skip, &d.header, &columns, &date, &timestamp)
	if err != nil {
		return dialect{}, fmt.Errorf("sniff file: %w", err)
	}
	for _, p := range []*string{&d.delim, &d.quote, &d.escape} {
		if *p == "(empty)" {
			*p = ""
		}
	}
	if d.quote != "" && d.escape == "" {
		d.escape = d.quote // no quote within quotes in the sample is no rule for the rest
	}
	d.dateFormat, d.timestamp = date.String, timestamp.String
	if err := json.Unmarshal([]byte(columns), &d.columns); err != nil {
		return dialect{}, fmt.Errorf("read sniffed columns: %w", err)
	}
	return d, nil
}

// shape is the dialect without columns, as arguments of DuckDB's readers.
func (d dialect) shape() []string {
	args := []string{
		"delim = " + quoteLiteral(d.delim), "quote = " + quoteLiteral(d.quote), "escape = " + quoteLiteral(d.escape),
		fmt.Sprintf("skip = %d", d.skip), fmt.Sprintf("header = %t", d.header),
	}
	if d.newline == `\n` || d.newline == `\r` || d.newline == `\r\n` {
		args = append(args, "new_line = "+quoteLiteral(d.newline))
	}
	return args
}

// from reads the file in this dialect and guesses nothing.
func (d dialect) from() string {
	columns := make([]string, len(d.columns))
	for i, c := range d.columns {
		columns[i] = quoteLiteral(c.Name) + ": " + quoteLiteral(c.Type)
	}
	args := append([]string{
		quoteFile(d.path), "auto_detect = false", "hive_partitioning = false", "comment = ''", "compression = 'none'",
		"columns = {" + strings.Join(columns, ", ") + "}",
	}, d.shape()...)
	if d.dateFormat != "" {
		args = append(args, "dateformat = "+quoteLiteral(d.dateFormat))
	}
	if d.timestamp != "" {
		args = append(args, "timestampformat = "+quoteLiteral(d.timestamp))
	}
	switch {
	case d.rejects != "":
		args = append(args, "store_rejects = true", "rejects_limit = 0",
			"rejects_table = "+quoteLiteral(d.rejects), "rejects_scan = "+quoteLiteral(d.rejects+"_scan"))
	case d.lenient:
		args = append(args, "ignore_errors = true")
	}
	if d.head {
		args = append(args, headBuffer)
	}
	args = append(args, valueOptions(d.nulls, d.decimal)...)
	return "read_csv(" + strings.Join(args, ", ") + ")"
}

// asText is the dialect with every column as text.
func (d dialect) asText() dialect {
	columns := make([]registry.Column, len(d.columns))
	for i, c := range d.columns {
		columns[i] = registry.Column{Name: fmt.Sprintf("c%d", i+1), Type: "VARCHAR"}
		if c.Name != "" {
			columns[i].Name = c.Name
		}
	}
	d.columns, d.rejects, d.decimal = columns, "", ""
	return d
}

// scan reads up to limit rows as text and keeps nothing; its error says where
// a row does not have the dialect's shape.
func (d dialect) scan(ctx context.Context, db *sql.DB, limit int) error {
	text := d.asText()
	text.head = limit != wholeFile
	query := "SELECT count(hash(t)) FROM (FROM " + text.from() + ") AS t"
	if limit != wholeFile {
		query = fmt.Sprintf("SELECT count(hash(t)) FROM (FROM %s LIMIT %d) AS t", text.from(), limit)
	}
	var n int64
	return db.QueryRowContext(ctx, query).Scan(&n) //nolint:wrapcheck // callers read DuckDB's words
}

// readNames replaces the sniffer's names, which hide blank and doubled ones, by
// those in the file.
func (d *dialect) readNames(ctx context.Context, db *sql.DB) error {
	raw := make([]string, len(d.columns))
	if d.header {
		line := d.asText()
		line.header, line.head = false, true
		for i := range line.columns {
			line.columns[i].Name = fmt.Sprintf("c%d", i+1)
		}
		cells, into := make([]sql.NullString, len(raw)), make([]any, len(raw))
		for i := range cells {
			into[i] = &cells[i]
		}
		err := db.QueryRowContext(ctx, "FROM "+line.from()+" LIMIT 1").Scan(into...)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("read column names: %w", err)
		}
		for i, c := range cells {
			raw[i] = c.String
		}
	}
	for i, name := range uniqueNames(raw) {
		d.columns[i].Name = name
	}
	if d.header {
		d.warnings = append(d.warnings, renamed(raw, d.columns)...)
	}
	return nil
}

// words describes the dialect for people.
func (d dialect) words() string {
	names := map[string]string{",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
	name, known := names[d.delim]
	if !known {
		name = "“" + d.delim + "”"
	}
	said := "Separated by " + name
	if len(d.columns) == 1 {
		said = "One column"
	}
	if d.quote != "" {
		said += ", quoted by " + d.quote
	}
	if d.header {
		return said + ", with column names"
	}
	return said + ", without column names"
}
