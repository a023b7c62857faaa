package warehouse

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"agnes/domain/files"
)

// sheetWriter writes one sheet as CSV.
type sheetWriter struct {
	ctx    context.Context //nolint:containedctx // lives for one sheet
	book   *book
	sheet  *sheet
	nulls  []string
	skip   int // rows of the sheet before the table, also those that are not in the file
	out    *csv.Writer
	flush  func() error
	rows   int
	most   int // 0: all
	widest int
	narrow bool  // a row before the widest one is shorter
	row    int64 // the sheet's own number of the row that is read
}

func newSheetWriter(out io.Writer, b *book, o files.Options, s *sheet) *sheetWriter {
	buffered := bufio.NewWriterSize(out, 1<<20)
	return &sheetWriter{book: b, sheet: s, nulls: o.Nulls, skip: o.Skip, out: csv.NewWriter(buffered), flush: buffered.Flush}
}

// copy writes the rows that hold anything, and reports whether it stopped at
// most rows. A sheet that does not end as it should is an error.
func (w *sheetWriter) copy() (partial bool, err error) {
	in, err := w.book.part(w.book.paths[w.sheet.name])
	if err != nil {
		return false, err
	}
	defer func() {
		if !partial { // closing a part in its middle says nothing
			err = errors.Join(err, in.Close())
		}
	}()
	d := xml.NewDecoder(bufio.NewReaderSize(&limitReader{ctx: w.ctx, r: in, left: maxBookBytes}, 1<<18))
	ended := false
	for {
		t, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && ended:
			w.out.Flush()
			return false, errors.Join(w.out.Error(), w.flush())
		case err != nil:
			return false, fmt.Errorf("read sheet: %w", err)
		}
		switch e := t.(type) {
		case xml.StartElement:
			if e.Name.Local == "mergeCell" {
				w.noteMerged(e)
			}
			if e.Name.Local != "row" {
				continue
			}
			if err := w.copyRow(d, e); err != nil {
				return false, err
			}
			if w.most > 0 && w.rows >= w.most {
				w.out.Flush()
				return true, errors.Join(w.out.Error(), w.flush())
			}
		case xml.EndElement:
			ended = ended || e.Name.Local == "worksheet"
		}
	}
}

// copyRow writes one row, unless it is blank.
func (w *sheetWriter) copyRow(d *xml.Decoder, start xml.StartElement) error {
	w.row = rowOf(start, w.row+1)
	cells, err := w.cells(d)
	if err != nil {
		return err
	}
	last := len(cells)
	for last > 0 && cells[last-1].value == "" && !cells[last-1].fault {
		last--
	}
	cells = cells[:last]
	if w.row <= int64(w.skip) || last == 0 {
		return nil
	}
	record := make([]string, max(last, w.widest))
	for i, c := range cells {
		record[i] = strings.ReplaceAll(c.value, "\r\n", "\n")
		if w.rows > 0 {
			w.sheet.note(i, c, w.nulls)
		}
	}
	if w.rows == 0 {
		w.sheet.first = cells
	}
	w.sheet.place(int64(w.rows+1), w.row)
	if w.rows > 0 && last > w.widest {
		w.narrow = true
	}
	w.widest = max(w.widest, last)
	w.rows++
	if len(record) == 1 && record[0] == "" { // a line of nothing would be lost
		record[0] = " "
	}
	return w.out.Write(record) //nolint:wrapcheck // the caller says what broke
}

// noteMerged notes cells that are merged: all but the first of them are empty.
func (w *sheetWriter) noteMerged(e xml.StartElement) {
	for _, a := range e.Attr {
		_, last, _ := strings.Cut(a.Value, ":")
		row, err := strconv.ParseInt(strings.TrimLeft(last, "ABCDEFGHIJKLMNOPQRSTUVWXYZ$"), 10, 64)
		if a.Name.Local == "ref" && err == nil && row > w.sheet.rowAt(1) {
			w.sheet.merged = true
		}
	}
}

// pad gives every row the width of the widest, when one came after others.
func (w *sheetWriter) pad(file string) (err error) {
	if !w.narrow {
		return nil
	}
	in, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("open sheet: %w", err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	temp := file + ".wide"
	out, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("make sheet: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close(), discard(temp)) }()
	from, to := csv.NewReader(bufio.NewReaderSize(in, 1<<20)), csv.NewWriter(bufio.NewWriterSize(out, 1<<20))
	from.FieldsPerRecord, from.ReuseRecord = -1, true
	wide := make([]string, w.widest)
	for {
		record, err := from.Read()
		if errors.Is(err, io.EOF) {
			to.Flush()
			return errors.Join(to.Error(), os.Rename(temp, file))
		}
		if err != nil {
			return fmt.Errorf("widen sheet: %w", err)
		}
		clear(wide)
		copy(wide, record)
		if err := to.Write(wide); err != nil {
			return fmt.Errorf("widen sheet: %w", err)
		}
	}
}
