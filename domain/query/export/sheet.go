package export

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/xuri/excelize/v2"

	"agnes/domain"
	"agnes/domain/query"
	"agnes/domain/registry"
)

// What a sheet can hold.
const (
	SheetRows    = 1_048_575 // below the header
	SheetColumns = 16_384
	sheetText    = 32_767 // characters in a cell
)

// CheckSheet refuses rows that no sheet can hold, before they are written.
func CheckSheet(rows int64, columns int) error {
	switch {
	case rows > SheetRows:
		return domain.E(domain.TooLarge, "sheet_rows", "A spreadsheet holds %d rows below its header, and the result has more. Take CSV or Parquet, or ask for fewer rows.", SheetRows)
	case columns > SheetColumns:
		return domain.E(domain.TooLarge, "sheet_columns", "A spreadsheet holds %d columns, and the result has %d. Take CSV or Parquet, or ask for fewer.", SheetColumns, columns)
	}
	return nil
}

// sheet writes an XLSX file. It grows in a temporary file and leaves at its end,
// so nothing was sent of one that failed. Text is never a formula there; numbers
// of more than 15 digits, which a sheet would round, are text.
type sheet struct {
	out    io.Writer
	file   *excelize.File
	stream *excelize.StreamWriter
	date   int // styles
	moment int
	row    int64
	cells  []any
}

func newSheet(w io.Writer, columns []registry.Column, dir string) (*sheet, error) {
	if err := CheckSheet(0, len(columns)); err != nil {
		return nil, err
	}
	s := &sheet{out: w, file: excelize.NewFile(excelize.Options{TmpDir: dir}), cells: make([]any, len(columns))}
	if err := s.begin(columns); err != nil {
		return nil, errors.Join(fmt.Errorf("begin a sheet: %w", err), s.file.Close())
	}
	return s, nil
}

func (s *sheet) begin(columns []registry.Column) (err error) {
	day, moment := "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss.000"
	if s.date, err = s.file.NewStyle(&excelize.Style{CustomNumFmt: &day}); err != nil {
		return err
	}
	if s.moment, err = s.file.NewStyle(&excelize.Style{CustomNumFmt: &moment}); err != nil {
		return err
	}
	if s.stream, err = s.file.NewStreamWriter("Sheet1"); err != nil {
		return err
	}
	for i, c := range columns {
		s.cells[i] = c.Name
	}
	return s.write()
}

func (s *sheet) batch(b arrow.RecordBatch) error {
	for i := range int(b.NumRows()) {
		if err := CheckSheet(s.row, len(s.cells)); err != nil {
			return err
		}
		for c := range s.cells {
			v := s.value(b.Column(c), i)
			if text, ok := v.(string); ok && len(text) > sheetText && utf8.RuneCountInString(text) > sheetText {
				return domain.E(domain.TooLarge, "sheet_cell",
					"Row %d has a text of more than %d characters in column %d, which a spreadsheet cannot hold. Take CSV or Parquet, or shorten it with left(column, %d).", s.row, sheetText, c+1, sheetText)
			}
			s.cells[c] = v
		}
		if err := s.write(); err != nil {
			return err
		}
	}
	return nil
}

func (s *sheet) write() error {
	s.row++
	return s.stream.SetRow("A"+strconv.FormatInt(s.row, 10), s.cells)
}

// exact is the largest whole number below which a sheet rounds none.
const exact = 999_999_999_999_999

// value is a cell as a sheet shows it best without changing it.
func (s *sheet) value(a arrow.Array, i int) any {
	if a.IsNull(i) {
		return nil
	}
	switch a := a.(type) {
	case *array.Date32:
		if t := a.Value(i).ToTime(); inSheet(t) {
			return excelize.Cell{StyleID: s.date, Value: serial(t)}
		}
	case *array.Timestamp:
		kind := a.DataType().(*arrow.TimestampType)
		t := a.Value(i).ToTime(kind.Unit).UTC()
		if kind.TimeZone == "" && inSheet(t) && t.Equal(t.Truncate(time.Millisecond)) {
			return excelize.Cell{StyleID: s.moment, Value: serial(t)}
		}
	case *array.Decimal128:
		text, _ := query.Text(a, i)
		if len(text) <= 15 {
			if f, err := strconv.ParseFloat(text, 64); err == nil {
				return f
			}
		}
		return text
	}
	switch v := query.Value(a, i).(type) {
	case int64:
		if v > exact || v < -exact {
			return strconv.FormatInt(v, 10)
		}
		return v
	case uint64:
		if v > exact {
			return strconv.FormatUint(v, 10)
		}
		return v
	default:
		return v
	}
}

// inSheet reports whether a sheet counts a time's day right: it believes that
// 1900 was a leap year.
func inSheet(t time.Time) bool { return t.Year() > 1900 && t.Year() < 10_000 }

// serial is a time in days since the end of 1899.
func serial(t time.Time) float64 {
	days := float64(t.Unix())/86_400 + float64(t.Nanosecond())/86_400e9
	return math.Round((days+25_569)*86_400_000) / 86_400_000
}

// end sends the file.
func (s *sheet) end() error {
	err := s.stream.Flush()
	if err == nil {
		// The library gathers the file in memory; its parts go straight out instead.
		s.file.SetZipWriter(func(io.Writer) excelize.ZipWriter { return zip.NewWriter(s.out) })
		_, err = s.file.WriteTo(io.Discard)
	}
	return errors.Join(err, s.file.Close())
}

// Close removes what an unfinished file left.
func (s *sheet) Close() error { return s.file.Close() }
