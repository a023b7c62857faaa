// Package export writes rows as files of the kinds that people ask for, batch
// by batch, in memory that does not grow with the rows.
package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"agnes/domain"
	"agnes/domain/query"
	"agnes/domain/registry"
)

// Format is a kind of file.
type Format string

// The formats.
const (
	CSV     Format = "csv"
	TSV     Format = "tsv"
	JSON    Format = "json"   // a list of objects
	NDJSON  Format = "ndjson" // an object in each line
	Parquet Format = "parquet"
	Arrow   Format = "arrow"  // an Arrow IPC file
	Stream  Format = "arrows" // an Arrow IPC stream
	XLSX    Format = "xlsx"
)

// Formats lists the kinds of files that can be asked for by name.
func Formats() []Format { return []Format{CSV, TSV, JSON, NDJSON, Parquet, Arrow, XLSX} }

// Parse reads a format's name; Invalid for any other.
func Parse(name string) (Format, error) {
	f := Format(strings.ToLower(name))
	if !slices.Contains(Formats(), f) {
		return "", domain.FieldError("format", "There is no format %q. Give csv, tsv, json, ndjson, parquet, arrow or xlsx.", name)
	}
	return f, nil
}

// ContentType is the media type of a format.
func (f Format) ContentType() string {
	switch f {
	case CSV:
		return "text/csv; charset=utf-8"
	case TSV:
		return "text/tab-separated-values; charset=utf-8"
	case JSON:
		return "application/json"
	case NDJSON:
		return "application/x-ndjson"
	case Parquet:
		return "application/vnd.apache.parquet"
	case Arrow:
		return "application/vnd.apache.arrow.file"
	case Stream:
		return "application/vnd.apache.arrow.stream"
	case XLSX:
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	}
	return "application/octet-stream"
}

// Compact reports whether squeezing a file of the format is wasted work.
func (f Format) Compact() bool {
	return f == Parquet || f == Arrow || f == Stream || f == XLSX
}

// Options say how a file is written.
type Options struct {
	// Guard keeps spreadsheets from taking text for a formula; of CSV and TSV only.
	Guard bool
	// TempDir is where an XLSX file grows; "" for the system's.
	TempDir string
	// Flush is called when a reader could get what there is so far; nil: never.
	Flush func() error
}

// Guarded reports whether the options change what cells of a format say.
func (o Options) Guarded(f Format) bool { return o.Guard && (f == CSV || f == TSV) }

// keepsTexts reports whether what writes a format may hold on to texts of a
// batch that it was given.
func (f Format) keepsTexts() bool { return f == Parquet || f == XLSX }

// writer writes one file.
type writer interface {
	batch(b arrow.RecordBatch) error
	end() error
}

// Write writes all rows of src, which the caller closes.
func Write(ctx context.Context, w io.Writer, f Format, src query.Result, o Options) error {
	out, err := newWriter(w, f, src, o)
	if err != nil {
		return err
	}
	for {
		b, err := src.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errors.Join(err, abandon(out))
		}
		err = out.batch(b)
		if f.keepsTexts() {
			b.Release()
		} else {
			query.Spent(b)
		}
		if err == nil && o.Flush != nil {
			err = o.Flush()
		}
		if err != nil {
			return errors.Join(fmt.Errorf("write %s: %w", f, err), abandon(out))
		}
	}
	if err := out.end(); err != nil {
		return fmt.Errorf("end %s: %w", f, err)
	}
	return nil
}

// abandon lets go of what a file in the making holds.
func abandon(w writer) error {
	if c, ok := w.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

func newWriter(w io.Writer, f Format, src query.Result, o Options) (writer, error) {
	columns := src.Columns()
	switch f {
	case CSV:
		return newSeparated(w, ',', columns, o.Guard), nil
	case TSV:
		return newSeparated(w, '\t', columns, o.Guard), nil
	case JSON, NDJSON:
		return newObjects(w, columns, f == NDJSON), nil
	case Parquet:
		return newParquet(w, columns), nil
	case Arrow, Stream:
		return newArrow(w, columns, f == Stream), nil
	case XLSX:
		return newSheet(w, columns, o.TempDir)
	}
	return nil, domain.FieldError("format", "There is no format %q.", string(f))
}

// uniqueNames names columns so that an object can hold them: a second column of
// a name gets a number, as DuckDB numbers them.
func uniqueNames(columns []registry.Column) []string {
	taken := make(map[string]struct{}, len(columns))
	for _, c := range columns {
		taken[strings.ToLower(c.Name)] = struct{}{}
	}
	seen := make(map[string]struct{}, len(columns))
	names := make([]string, len(columns))
	for i, c := range columns {
		name := c.Name
		for n := 1; ; n++ {
			key := strings.ToLower(name)
			_, again := seen[key]
			_, others := taken[key]
			if !again && (name == c.Name || !others) {
				seen[key] = struct{}{}
				break
			}
			name = fmt.Sprintf("%s_%d", c.Name, n)
		}
		names[i] = name
	}
	return names
}
