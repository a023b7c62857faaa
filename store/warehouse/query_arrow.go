//go:build duckdb_arrow

package warehouse

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	duckdb "github.com/duckdb/duckdb-go-bindings"
)

// arrowType is the member of a column's metadata that holds its DuckDB type,
// for columns whose values were printed because Arrow cannot hold them.
const arrowType = "duckdb_type"

// engineVector is how many rows the engine takes at a time.
const engineVector = 2048

// loadArrow makes a table of an Arrow IPC file, which a stored result is. The
// table spills to the scratch folder when memory is short, and every later
// statement of this child finds it ready.
func (e *queryEngine) loadArrow(h *heldTable) (err error) {
	if len(h.links) != 1 {
		return errors.New("a table of Arrow files has one file")
	}
	file, err := os.Open(h.links[0])
	if err != nil {
		return fmt.Errorf("open rows: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	rows, err := ipc.NewFileReader(file)
	if err != nil {
		return fmt.Errorf("read rows: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	schema, data := duckdb.SchemaFromArrow(e.conn, rows.Schema())
	defer duckdb.DestroyErrorData(&data)
	if duckdb.ErrorDataHasError(data) {
		return fmt.Errorf("understand columns: %s", duckdb.ErrorDataMessage(data))
	}
	defer duckdb.DestroyArrowConvertedSchema(&schema)
	loader := arrowLoader{engine: e, schema: schema, table: h.name + ".rows"}
	if err := loader.load(rows); err != nil {
		return errors.Join(err, e.exec("DROP TABLE IF EXISTS main."+quoteIdent(loader.table)))
	}
	return e.exec("CREATE VIEW main." + quoteIdent(h.name) + " AS SELECT " + arrowColumns(rows.Schema()) + " FROM main." + quoteIdent(loader.table))
}

// arrowColumns gives columns their own names, and printed ones their own types.
func arrowColumns(schema *arrow.Schema) string {
	parts := make([]string, schema.NumFields())
	for i, f := range schema.Fields() {
		parts[i] = fmt.Sprintf("c%d", i)
		if kind, printed := f.Metadata.GetValue(arrowType); printed {
			parts[i] = "CAST(" + parts[i] + " AS " + kind + ")"
		}
		parts[i] += " AS " + quoteIdent(f.Name)
	}
	return strings.Join(parts, ", ")
}

// arrowLoader fills one table.
type arrowLoader struct {
	engine   *queryEngine
	schema   duckdb.ArrowConvertedSchema
	table    string
	appender duckdb.Appender
	open     bool
}

func (l *arrowLoader) load(rows *ipc.FileReader) (err error) {
	defer func() {
		if l.open && duckdb.AppenderDestroy(&l.appender) == duckdb.StateError && err == nil {
			err = errors.New("finish the table")
		}
	}()
	for i := range rows.NumRecords() {
		batch, err := rows.RecordBatchAt(i)
		if err != nil {
			return fmt.Errorf("read rows: %w", err)
		}
		err = l.appendBatch(batch)
		batch.Release()
		if err != nil {
			return err
		}
	}
	if !l.open {
		return l.appendBatch(emptyBatch(rows.Schema()))
	}
	if duckdb.AppenderFlush(l.appender) == duckdb.StateError {
		return errors.New(duckdb.AppenderError(l.appender))
	}
	return nil
}

func (l *arrowLoader) appendBatch(batch arrow.RecordBatch) error {
	for at := int64(0); at == 0 || at < batch.NumRows(); at += engineVector {
		part := batch.NewSlice(at, min(at+engineVector, batch.NumRows()))
		err := l.appendPart(part)
		part.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *arrowLoader) appendPart(part arrow.RecordBatch) error {
	chunk, data := duckdb.DataChunkFromArrow(l.engine.conn, part, l.schema)
	defer duckdb.DestroyErrorData(&data)
	if duckdb.ErrorDataHasError(data) {
		return fmt.Errorf("take rows: %s", duckdb.ErrorDataMessage(data))
	}
	defer duckdb.DestroyDataChunk(&chunk)
	if !l.open {
		if err := l.create(chunk); err != nil {
			return err
		}
	}
	if part.NumRows() > 0 && duckdb.AppendDataChunk(l.appender, chunk) == duckdb.StateError {
		return fmt.Errorf("keep rows: %s", duckdb.AppenderError(l.appender))
	}
	return nil
}

// create makes the table with the types that the engine gave the first rows.
func (l *arrowLoader) create(chunk duckdb.DataChunk) error {
	parts := make([]string, duckdb.DataChunkGetColumnCount(chunk))
	for i := range parts {
		kind := duckdb.VectorGetColumnType(duckdb.DataChunkGetVector(chunk, duckdb.IdxT(i)))
		parts[i] = fmt.Sprintf("c%d %s", i, wholeTypeName(kind))
		duckdb.DestroyLogicalType(&kind)
	}
	if err := l.engine.exec("CREATE TABLE main." + quoteIdent(l.table) + " (" + strings.Join(parts, ", ") + ")"); err != nil {
		return err
	}
	l.open = true
	if duckdb.AppenderCreate(l.engine.conn, "main", l.table, &l.appender) == duckdb.StateError {
		return fmt.Errorf("fill the table: %s", duckdb.AppenderError(l.appender))
	}
	return nil
}

// emptyBatch is no rows of a schema.
func emptyBatch(schema *arrow.Schema) arrow.RecordBatch {
	columns := make([]arrow.Array, schema.NumFields())
	for i, f := range schema.Fields() {
		columns[i] = array.MakeArrayOfNull(memory.DefaultAllocator, f.Type, 0)
	}
	defer releaseAll(columns)
	return array.NewRecordBatch(schema, columns, 0)
}
