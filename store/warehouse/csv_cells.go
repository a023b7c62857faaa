package warehouse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// cellKind is what is looked for in the cells of a column.
type cellKind byte

const (
	anyCell    cellKind = iota
	wholeCell           // a fraction, an exponent, or a number that is written oddly
	doubleCell          // an exponent that is out of reach, too many digits, or as above
	clockCell           // an offset, more digits than those of microseconds, or a short year
	timeCell            // a date
	dayCell             // hours, or a short year
)

const (
	cellsBuffer = 256 << 10
	longestRow  = 4 << 20
	longNumber  = 300 // digits before or after a point that DOUBLE holds for sure
	longWhole   = 15  // digits of a whole number that it holds for sure
)

// Classes of bytes, for each kind.
const (
	goOn byte = iota
	suspect
	endOfCell
	quoteInside
)

// cellScan finds the columns of a delimited file that may have a cell which its
// type cannot hold. It knows separators and quotes and no values: a yes costs a
// look, a no is sure.
type cellScan struct {
	delim, quote byte
	quoted       bool
	kinds        []cellKind
	hits         []bool
	left         int // columns to be looked at still
	text         []byte
	classes      [dayCell + 1][256]byte
}

// errOddRow ends a scan of a file that is not written as most are.
var errOddRow = errors.New("row is not plain")

func newCellScan(delim, quote string, kinds []cellKind) *cellScan {
	c := &cellScan{delim: delim[0], kinds: kinds, hits: make([]bool, len(kinds))}
	for _, k := range kinds {
		if k != anyCell {
			c.left++
		}
	}
	suspects := [...]string{wholeCell: ".,eE_", doubleCell: "eE_", clockCell: ":", timeCell: ":-/", dayCell: ":"}
	for k := range c.classes {
		for _, b := range []byte(suspects[k]) {
			c.classes[k][b] = suspect
		}
		if quote != "" {
			c.quote, c.quoted = quote[0], true
			c.classes[k][c.quote] = quoteInside
		}
		c.classes[k][c.delim], c.classes[k]['\n'], c.classes[k]['\r'] = endOfCell, endOfCell, endOfCell
	}
	return c
}

// file scans a file whose first lines and header are no rows.
func (c *cellScan) file(path string, skip int, header bool) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open file: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return c.read(f, skip, header)
}

func (c *cellScan) read(in io.Reader, skip int, header bool) error {
	buffer, held, first := make([]byte, cellsBuffer), 0, true
	for c.left > 0 {
		n, err := in.Read(buffer[held:])
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return fmt.Errorf("read file: %w", err)
		}
		data := buffer[:held+n]
		if last && len(data) > 0 && data[len(data)-1] != '\n' {
			data = append(data, '\n')
		}
		if first {
			data, first = bytes.TrimPrefix(data, []byte("\ufeff")), false
		}
		rest, err := c.rows(data, &skip, &header)
		switch {
		case err != nil:
			return err
		case last && len(rest) > 0:
			return errOddRow
		case last:
			return nil
		case len(rest) >= longestRow:
			return errOddRow
		case 2*len(rest) > len(buffer):
			buffer = append(make([]byte, 0, 2*len(buffer)), rest...)[:2*len(buffer)]
		default:
			copy(buffer, rest)
		}
		held = len(rest)
	}
	return nil
}

// rows scans all whole rows of a chunk and returns what is left of it.
func (c *cellScan) rows(data []byte, skip *int, header *bool) ([]byte, error) {
	for ; *skip > 0; *skip-- {
		_, after, found := bytes.Cut(data, []byte("\n"))
		if !found {
			return data, nil
		}
		data = after
	}
	plain := bytes.IndexByte(data, '\r') < 0 && (!c.quoted || bytes.IndexByte(data, c.quote) < 0)
	for len(data) > 0 && c.left > 0 {
		n, err := 0, error(nil)
		switch {
		case *header:
			names := cellScan{delim: c.delim, quote: c.quote, quoted: c.quoted, classes: c.classes}
			n, err = names.row(data)
		case plain:
			n = c.plainRow(data)
		default:
			n, err = c.row(data)
		}
		if err != nil || n == 0 {
			return data, err
		}
		*header = false
		data = data[n:]
	}
	if c.left == 0 {
		return nil, nil
	}
	return data, nil
}

// plainRow scans a row of a chunk that has neither quotes nor \r, and returns its
// length, 0 when it has no end.
func (c *cellScan) plainRow(data []byte) int {
	n := bytes.IndexByte(data, '\n')
	if n < 0 {
		return 0
	}
	line := data[:n+1]
	for i, kind := range c.kinds {
		end := 0
		if kind == anyCell {
			if end = bytes.IndexByte(line, c.delim); end < 0 {
				break
			}
		} else if end = c.cell(line, i, kind); line[end] == '\n' {
			break
		}
		line = line[end+1:]
	}
	return n + 1
}

// cell looks at one cell without quotes and returns where it ends.
func (c *cellScan) cell(line []byte, i int, kind cellKind) int {
	classes := &c.classes[kind]
	if !plainStart(kind, line) && classes[line[0]] != endOfCell && oddStart(kind, line) {
		c.hit(i)
		classes = &c.classes[anyCell]
	}
	for p, b := range line {
		switch classes[b] {
		case endOfCell:
			if kind == doubleCell && p > longWhole && longDigits(line[:p]) {
				c.hit(i)
			}
			return p
		case suspect:
			end := p + 1
			for c.classes[anyCell][line[end]] != endOfCell {
				end++
			}
			if odd(kind, line[:end], p) {
				c.hit(i)
			}
			return end
		}
	}
	return len(line) - 1
}

func (c *cellScan) hit(i int) {
	if c.kinds[i] == anyCell {
		return
	}
	c.hits[i], c.kinds[i] = true, anyCell
	c.left--
}

// row scans a row as quotes have it, and returns its length, 0 when it has no end.
func (c *cellScan) row(data []byte) (int, error) {
	p := 0
	for i := 0; ; i++ {
		start, end, next, err := c.field(data, p)
		if err != nil || next == 0 {
			return 0, err
		}
		if i < len(c.kinds) && c.kinds[i] != anyCell && end > start {
			c.text = append(append(c.text[:0], data[start:end]...), '\n')
			if p, kind := c.cell(c.text, i, c.kinds[i]), c.kinds[i]; p < end-start && kind != anyCell {
				c.hit(i) // a separator or a line's end within quotes
			}
		}
		if data[next-1] != c.delim {
			return next, nil
		}
		p = next
	}
}

// field is where the text of the field at p is, and where the next one begins; 0
// when the field has no end.
func (c *cellScan) field(data []byte, p int) (start, end, next int, err error) {
	start = p
	if p < len(data) && c.quoted && data[p] == c.quote {
		start++
		for p++; ; p += 2 {
			i := bytes.IndexByte(data[p:], c.quote)
			if i < 0 || p+i+1 >= len(data) {
				return 0, 0, 0, nil
			}
			if p += i; data[p+1] != c.quote {
				break
			}
		}
		if c.classes[anyCell][data[p+1]] != endOfCell {
			return 0, 0, 0, errOddRow
		}
		return start, p, p + 2, nil
	}
	for ; p < len(data); p++ {
		switch c.classes[anyCell][data[p]] {
		case endOfCell:
			return start, p, p + 1, nil
		case quoteInside:
			return 0, 0, 0, errOddRow
		}
	}
	return 0, 0, 0, nil
}
