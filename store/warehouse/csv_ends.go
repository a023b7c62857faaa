package warehouse

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"agnes/domain/files"
)

// The engine refuses a file whose lines end in more than one way. Such a file is
// read once more from a copy in which all end alike; breaks within quotes stay.

// unevenCodes are what such a file may be refused as.
var unevenCodes = []string{
	"file_dialect_unknown", "file_row_misfit", "file_value_misfit", "file_quote_open", "file_line_too_long", "file_no_rows", "file_all_misfit", "file_ends_mixed",
}

const evenWarning = "The lines of this file end in several ways. Each of them was taken for the end of a line."

// errEndsMixed is for the one who can make a copy.
func (r *reader) errEndsMixed() *fault {
	return refuse("file_ends_mixed", "Save the file anew, so that all its lines end alike.", "The lines of %s end in several ways.", r.name())
}

// evenly works on a file, and anew on a copy whose lines end alike where they
// do not and the file could not be read.
func evenly[T any](ctx context.Context, s *Store, r *reader, work func(*reader) (T, error)) (T, error) {
	before := *r
	got, err := work(r)
	var told *fault
	if err == nil || ctx.Err() != nil || !errors.As(err, &told) || !slices.Contains(unevenCodes, told.Code) {
		return got, err
	}
	if mixed, looking := before.endsMixed(); looking != nil || !mixed {
		return got, errors.Join(err, looking)
	}
	if making := s.evenOut(ctx, &before); making != nil {
		return got, before.orChanged(making)
	}
	got, err = work(&before)
	if errors.As(err, &told) && told.Line > 0 {
		with := *told
		with.NextStep += " " + evenWarning
		return got, &with
	}
	return got, err
}

// endsMixed reports whether lines of a delimited file end in several ways.
func (r *reader) endsMixed() (_ bool, err error) {
	if r.even || r.format != files.CSV && r.format != files.TSV {
		return false, nil
	}
	in, err := os.Open(r.path)
	if err != nil {
		return false, fmt.Errorf("open file: %w", err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	ends := r.lineEnds()
	_, err = ends.copy(nil, r.bounded(in))
	return ends.mixed(), err
}

// bounded is as much of a file as is read: all, or what a preview takes.
func (r *reader) bounded(in io.Reader) io.Reader {
	if r.most > 0 {
		return io.LimitReader(in, r.most)
	}
	return in
}

// evenOut writes the copy.
func (s *Store) evenOut(ctx context.Context, r *reader) (err error) {
	in, err := os.Open(r.path)
	if err != nil {
		return fmt.Errorf("open file: %w", err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	room, err := s.unpackLimit()
	if err != nil {
		return err
	}
	out, err := s.plainFile(r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	ends := r.lineEnds()
	ends.most = r.most
	partial, err := ends.copy(out, &limitReader{ctx: ctx, r: in, left: room})
	r.even, r.partial = true, r.partial || partial
	if errors.Is(err, errTooMuch) {
		return refuse("disk_full", "Have space made on the server's disk.", "The lines of %s end in several ways, and there is no room for a copy of it.", r.name()).because(err)
	}
	return err
}

// lineEnds reads through a delimited file for the ends of its lines.
type lineEnds struct {
	quote, escape byte
	delims        string
	most          int64 // after which the copy ends with a line; 0 is never

	feed, both, back, odd bool // \n, \r\n, \r, and \r\r\n, which comes of writing \r\n as text
}

func (r *reader) lineEnds() *lineEnds {
	e := &lineEnds{quote: '"', delims: ",;\t|"}
	if d := r.delimiter(); d != "" {
		e.delims = d[len(d)-1:]
	}
	switch q := r.options.Quote; {
	case q == files.NoQuote:
		e.quote = 0
	case q != "":
		e.quote = q[0]
	}
	if x := r.options.Escape; x != "" && x[0] != e.quote {
		e.escape = x[0]
	}
	return e
}

func (e *lineEnds) mixed() bool {
	kinds := 0
	for _, there := range []bool{e.feed, e.both, e.back} {
		if there {
			kinds++
		}
	}
	return kinds > 1 || e.odd
}

// copy reads to the end of in and writes all with \n at the end of each line; out
// may be nil. It reports whether it stopped before.
func (e *lineEnds) copy(out io.Writer, in io.Reader) (partial bool, err error) {
	if out == nil {
		out = io.Discard
	}
	from, to := bufio.NewReaderSize(in, 1<<20), bufio.NewWriterSize(out, 1<<20)
	quoted, start := false, true // within quotes, and at the beginning of a cell
	for n := int64(0); ; n++ {
		b, err := from.ReadByte()
		if errors.Is(err, io.EOF) {
			return false, to.Flush() //nolint:wrapcheck // the caller says what broke
		}
		if err != nil {
			return false, fmt.Errorf("read file: %w", err)
		}
		if quoted {
			quoted = e.within(b, from, to)
			continue
		}
		end := b == '\n' || b == '\r'
		if end {
			e.end(b, from)
			b = '\n'
		}
		quoted = start && e.quote != 0 && b == e.quote
		start = end || strings.IndexByte(e.delims, b) >= 0 || start && b == ' '
		_ = to.WriteByte(b) // its error comes with the last of all
		if end && e.most > 0 && n >= e.most {
			return true, to.Flush() //nolint:wrapcheck // the caller says what broke
		}
	}
}

// within copies one byte of a quoted value, or two that belong together, and
// reports whether the value goes on.
func (e *lineEnds) within(b byte, from *bufio.Reader, to *bufio.Writer) bool {
	_ = to.WriteByte(b) // its error comes with the last of all
	next, _ := from.Peek(1)
	switch {
	case len(next) == 0:
	case e.escape != 0 && b == e.escape, b == e.quote && next[0] == e.quote:
		_ = to.WriteByte(next[0])
		_, _ = from.Discard(1) // it was just seen
		return true
	}
	return b != e.quote
}

// end takes note of a line's end that begins with b, and reads over all of it.
func (e *lineEnds) end(b byte, from *bufio.Reader) {
	next, _ := from.Peek(2)
	switch {
	case b == '\n':
		e.feed = true
	case len(next) > 0 && next[0] == '\n':
		e.both = true
		_, _ = from.Discard(1) // they were just seen
	case string(next) == "\r\n":
		e.odd = true
		_, _ = from.Discard(2)
	default:
		e.back = true
	}
}
