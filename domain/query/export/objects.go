package export

import (
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"agnes/domain/query"
	"agnes/domain/registry"
)

// objects writes JSON: a list of objects, or one object in each line.
type objects struct {
	out   io.Writer
	buf   []byte
	keys  [][]byte // with colon
	json  []bool   // columns whose text is JSON already
	lines bool
	any   bool
}

func newObjects(w io.Writer, columns []registry.Column, lines bool) *objects {
	o := &objects{out: w, lines: lines, keys: make([][]byte, len(columns)), json: make([]bool, len(columns))}
	for i, name := range uniqueNames(columns) {
		o.keys[i] = append(query.AppendJSONText(nil, name), ':')
		o.json[i] = columns[i].Type == "JSON"
	}
	if !lines {
		o.buf = append(o.buf, '[')
	}
	return o
}

func (o *objects) batch(b arrow.RecordBatch) error {
	for i := range int(b.NumRows()) {
		switch {
		case !o.lines && o.any:
			o.buf = append(o.buf, ",\n"...)
		case !o.lines:
			o.buf = append(o.buf, '\n')
		}
		o.any = true
		o.buf = append(o.buf, '{')
		for c, key := range o.keys {
			if c > 0 {
				o.buf = append(o.buf, ',')
			}
			o.buf = append(o.buf, key...)
			o.buf = query.AppendJSON(o.buf, b.Column(c), i, o.json[c])
		}
		o.buf = append(o.buf, '}')
		if o.lines {
			o.buf = append(o.buf, '\n')
		}
		if len(o.buf) >= flushAt {
			if err := o.flush(); err != nil {
				return err
			}
		}
	}
	return o.flush()
}

func (o *objects) end() error {
	if !o.lines {
		o.buf = append(o.buf, "\n]\n"...)
	}
	return o.flush()
}

func (o *objects) flush() error {
	_, err := o.out.Write(o.buf)
	o.buf = o.buf[:0]
	return err
}
