package export

import (
	"io"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"agnes/domain/query"
	"agnes/domain/registry"
)

// flushAt is how much text is gathered before it is written.
const flushAt = 64 << 10

// separated writes CSV as RFC 4180 has it, with a bare line feed at line ends:
// NULL is an empty cell, an empty text is "". In a result of one column both
// are "", because most readers skip empty lines.
type separated struct {
	out   io.Writer
	buf   []byte
	comma byte
	guard bool
	cells int
}

func newSeparated(w io.Writer, comma byte, columns []registry.Column, guard bool) *separated {
	s := &separated{out: w, comma: comma, guard: guard, cells: len(columns)}
	for i, c := range columns {
		if i > 0 {
			s.buf = append(s.buf, comma)
		}
		s.text(c.Name)
	}
	s.buf = append(s.buf, '\n')
	return s
}

func (s *separated) batch(b arrow.RecordBatch) error {
	for i := range int(b.NumRows()) {
		for c := range s.cells {
			if c > 0 {
				s.buf = append(s.buf, s.comma)
			}
			s.cell(b.Column(c), i)
		}
		s.buf = append(s.buf, '\n')
		if len(s.buf) >= flushAt {
			if err := s.flush(); err != nil {
				return err
			}
		}
	}
	return s.flush()
}

func (s *separated) end() error { return s.flush() }

func (s *separated) flush() error {
	_, err := s.out.Write(s.buf)
	s.buf = s.buf[:0]
	return err
}

func (s *separated) cell(a arrow.Array, i int) {
	if a.IsNull(i) {
		if s.cells == 1 {
			s.buf = append(s.buf, `""`...)
		}
		return
	}
	if plain, ok := appendPlain(s.buf, a, i); ok {
		s.buf = plain
		return
	}
	text, _ := query.Text(a, i)
	if risky(a) {
		s.text(text)
		return
	}
	s.quoted(text)
}

// text writes what people wrote, guarded when asked for.
func (s *separated) text(text string) {
	if s.guard {
		text = Guard(text)
	}
	s.quoted(text)
}

// Guard puts an apostrophe before a text that a spreadsheet may run.
func Guard(text string) string {
	if formula(text) {
		return "'" + text
	}
	return text
}

func (s *separated) quoted(text string) {
	if text != "" && !strings.ContainsAny(text, "\"\r\n") && strings.IndexByte(text, s.comma) < 0 {
		s.buf = append(s.buf, text...)
		return
	}
	s.buf = append(s.buf, '"')
	for {
		at := strings.IndexByte(text, '"')
		if at < 0 {
			break
		}
		s.buf = append(s.buf, text[:at]...)
		s.buf = append(s.buf, `""`...)
		text = text[at+1:]
	}
	s.buf = append(s.buf, text...)
	s.buf = append(s.buf, '"')
}

// formula reports whether a spreadsheet may run a text (OWASP's list, with the
// wide forms that some take for the plain ones).
func formula(text string) bool {
	text = strings.TrimLeft(text, " \u00a0\u3000")
	if text == "" {
		return false
	}
	switch r := []rune(text[:min(len(text), 4)])[0]; r {
	case '=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠', '|', '%':
		return true
	}
	return false
}

// risky reports whether a column's values are words that people chose, rather
// than numbers and times, which begin with a sign at most.
func risky(a arrow.Array) bool {
	switch a.DataType().ID() {
	case arrow.DATE32, arrow.DATE64, arrow.TIME32, arrow.TIME64, arrow.TIMESTAMP, arrow.DECIMAL128, arrow.DECIMAL256,
		arrow.INTERVAL_MONTH_DAY_NANO, arrow.FLOAT32, arrow.FLOAT64:
		return false
	default:
		return true
	}
}

// appendPlain appends the values that need no quotes in any format and no
// memory of their own.
func appendPlain(buf []byte, a arrow.Array, i int) ([]byte, bool) {
	switch a := a.(type) {
	case *array.Int64:
		return strconv.AppendInt(buf, a.Value(i), 10), true
	case *array.Int32:
		return strconv.AppendInt(buf, int64(a.Value(i)), 10), true
	case *array.Int16:
		return strconv.AppendInt(buf, int64(a.Value(i)), 10), true
	case *array.Int8:
		return strconv.AppendInt(buf, int64(a.Value(i)), 10), true
	case *array.Uint64:
		return strconv.AppendUint(buf, a.Value(i), 10), true
	case *array.Uint32:
		return strconv.AppendUint(buf, uint64(a.Value(i)), 10), true
	case *array.Uint16:
		return strconv.AppendUint(buf, uint64(a.Value(i)), 10), true
	case *array.Uint8:
		return strconv.AppendUint(buf, uint64(a.Value(i)), 10), true
	case *array.Boolean:
		return strconv.AppendBool(buf, a.Value(i)), true
	}
	return buf, false
}
