//go:build duckdb_arrow

package attacks

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/duckdb/duckdb-go/v2"

	"agnes/domain/query"
)

// honest is S2: statements of analysts, each answered with the rows that plain
// DuckDB finds in the same files. "~" is answered, with rows of its own.
func honest(t *trials) {
	w := t.theWorld()
	classes := map[string]bool{}
	compared := 0
	for _, e := range corpus("honest.sql", w.dir) {
		classes[e.class] = true
		t.one(e.class+" "+short(e.text), func() error {
			if e.mark == '~' {
				_, err := w.analyst.ask(e.text)
				return err
			}
			compared++
			return w.asPlain(t.ctx, e.text)
		})
	}
	t.note("%d compared with plain DuckDB, %d classes", compared, len(classes))
}

// asPlain compares an answer with plain DuckDB's.
func (w *world) asPlain(ctx context.Context, text string) error {
	got, err := w.analyst.ask(text)
	if err != nil {
		return err
	}
	want, err := w.plainly(ctx, text)
	if err != nil {
		return fmt.Errorf("plain DuckDB: %w", err)
	}
	if a, b := fmt.Sprint(got.Columns), fmt.Sprint(want.Columns); a != b {
		return fmt.Errorf("columns %s, plain DuckDB has %s", a, b)
	}
	a, b := lined(got.Rows), lined(want.Rows)
	if len(a) != len(b) {
		return fmt.Errorf("%d rows, plain DuckDB has %d", len(a), len(b))
	}
	for i := range a {
		if a[i] != b[i] {
			return fmt.Errorf("row %.200s, plain DuckDB has %.200s", a[i], b[i])
		}
	}
	return nil
}

// plainly runs a statement in plain DuckDB and writes its values as the API does.
func (w *world) plainly(ctx context.Context, text string) (out rows, err error) {
	conn, err := w.plain.Conn(ctx)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	err = conn.Raw(func(c any) error {
		engine, err := duckdb.NewArrowFromConn(c.(driver.Conn))
		if err != nil {
			return err
		}
		reader, err := engine.QueryContext(ctx, text)
		if err != nil {
			return err
		}
		defer reader.Release()
		return readPlain(reader, &out)
	})
	return out, err
}

func readPlain(reader array.RecordReader, out *rows) error {
	for _, f := range reader.Schema().Fields() {
		out.Columns = append(out.Columns, f.Name)
	}
	for reader.Next() {
		batch := reader.RecordBatch()
		for i := range int(batch.NumRows()) {
			row := make([]any, batch.NumCols())
			for c := range row {
				row[c] = query.Value(batch.Column(c), i)
				if text, isText := row[c].(string); isText {
					row[c] = strings.Clone(text) // the batch goes
				}
			}
			out.Rows = append(out.Rows, row)
		}
	}
	return reader.Err()
}

// lined writes rows as sorted lines: their order is the engine's unless a
// statement says otherwise, and sums of floats depend on it.
func lined(all [][]any) []string {
	out := make([]string, len(all))
	for i, row := range all {
		var b strings.Builder
		for _, v := range row {
			b.WriteString(plainText(v) + "|")
		}
		out[i] = b.String()
	}
	slices.Sort(out)
	return out
}

// plainText writes a value alike however it came: floats to twelve digits.
func plainText(v any) string {
	text := fmt.Sprint(v)
	if _, isText := v.(string); isText {
		return "'" + text + "'"
	}
	if n, isNumber := v.(json.Number); isNumber && !strings.ContainsAny(text, ".eE") {
		return n.String()
	}
	f, err := strconv.ParseFloat(text, 64)
	_, isInt := v.(int64)
	if _, isUint := v.(uint64); err != nil || isInt || isUint || math.IsNaN(f) {
		return text
	}
	return strconv.FormatFloat(f, 'g', 12, 64)
}
