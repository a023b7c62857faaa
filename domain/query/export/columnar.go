package export

import (
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"agnes/domain/query"
	"agnes/domain/registry"
)

// arrowWriter writes an Arrow IPC file or stream. Its schema is the first
// batch's under the result's own column names.
type arrowWriter struct {
	out     io.Writer
	columns []registry.Column
	stream  bool
	schema  *arrow.Schema
	arrow   interface {
		Write(b arrow.RecordBatch) error
		Close() error
	}
}

func newArrow(w io.Writer, columns []registry.Column, stream bool) *arrowWriter {
	return &arrowWriter{out: w, columns: columns, stream: stream}
}

func (w *arrowWriter) begin(schema *arrow.Schema) (err error) {
	w.schema = schema
	if w.stream {
		w.arrow = ipc.NewWriter(w.out, ipc.WithSchema(schema))
		return nil
	}
	w.arrow, err = ipc.NewFileWriter(w.out, ipc.WithSchema(schema))
	return err
}

func (w *arrowWriter) batch(b arrow.RecordBatch) (err error) {
	b.Retain()
	if !w.stream { // a stream may bring a dictionary with each batch
		b.Release()
		if b, err = query.Plain(b); err != nil {
			return err
		}
	}
	defer b.Release()
	if w.arrow == nil {
		if err := w.begin(named(b.Schema(), namesOf(w.columns), nil)); err != nil {
			return err
		}
	}
	renamed := array.NewRecordBatch(w.schema, b.Columns(), b.NumRows())
	defer renamed.Release()
	return w.arrow.Write(renamed)
}

func (w *arrowWriter) end() error {
	if w.arrow == nil {
		if err := w.begin(emptySchema(namesOf(w.columns), w.columns)); err != nil {
			return err
		}
		// Without a batch the library writes no schema either.
		none := emptyBatch(w.schema)
		defer none.Release()
		if err := w.arrow.Write(none); err != nil {
			return err
		}
	}
	return w.arrow.Close()
}

// groupRows and groupBytes end a row group of a Parquet file, of which one is
// held in memory.
const (
	groupRows  = 122_880 // as DuckDB writes them
	groupBytes = 32 << 20
)

// parquetWriter writes Parquet with Snappy. What Parquet has no type for, such
// as intervals, is text as Text prints it; a HUGEINT is DOUBLE, as DuckDB's COPY
// has it.
type parquetWriter struct {
	out     io.Writer
	columns []registry.Column
	schema  *arrow.Schema
	file    *pqarrow.FileWriter
	rows    int64
}

func newParquet(w io.Writer, columns []registry.Column) *parquetWriter {
	return &parquetWriter{out: w, columns: columns}
}

func (w *parquetWriter) begin(schema *arrow.Schema) (err error) {
	w.schema = schema
	w.file, err = pqarrow.NewFileWriter(schema, unclosed{w.out},
		parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy), parquet.WithVersion(parquet.V2_LATEST), parquet.WithCreatedBy("agnes")),
		pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	return err
}

func (w *parquetWriter) batch(b arrow.RecordBatch) (err error) {
	// The library panics on what it does not expect; rows are no reason to stop the server.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("parquet writer: %v", r)
		}
	}()
	b, err = forParquet(b, w.columns)
	if err != nil {
		return err
	}
	defer b.Release()
	if w.file == nil {
		if err := w.begin(named(b.Schema(), uniqueNames(w.columns), nullable)); err != nil {
			return err
		}
	}
	for from := int64(0); from < b.NumRows(); {
		to := min(b.NumRows(), from+groupRows-w.rows)
		part := array.NewRecordBatch(w.schema, b.Columns(), b.NumRows())
		slice := part.NewSlice(from, to)
		part.Release()
		err := w.file.WriteBuffered(slice)
		slice.Release()
		if err != nil {
			return err
		}
		w.rows += to - from
		from = to
		if w.rows >= groupRows || w.file.RowGroupTotalBytesWritten() >= groupBytes {
			w.file.NewBufferedRowGroup()
			w.rows = 0
		}
	}
	return nil
}

func (w *parquetWriter) end() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("parquet writer: %v", r)
		}
	}()
	if w.file == nil {
		none := emptyBatch(emptySchema(namesOf(w.columns), w.columns))
		defer none.Release()
		if err := w.batch(none); err != nil {
			return err
		}
	}
	return w.file.Close()
}

// unclosed hides Close, which the library would call.
type unclosed struct{ io.Writer }

// forParquet returns a batch, which the caller releases, of types that Parquet has.
func forParquet(b arrow.RecordBatch, kinds []registry.Column) (arrow.RecordBatch, error) {
	plain, err := query.Plain(b)
	if err != nil {
		return nil, err
	}
	defer plain.Release()
	fields := append([]arrow.Field(nil), plain.Schema().Fields()...)
	columns := append([]arrow.Array(nil), plain.Columns()...)
	for i, f := range fields {
		if i < len(kinds) {
			fits, err := fitting(columns[i], kinds[i].Type)
			if err != nil {
				return nil, err
			}
			defer fits.Release()
			f.Type, fields[i].Type, columns[i] = fits.DataType(), fits.DataType(), fits
		}
		if fitsParquet(f.Type) {
			continue
		}
		texts := spelled(columns[i])
		defer texts.Release()
		fields[i].Type, columns[i] = texts.DataType(), texts
	}
	out := array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, plain.NumRows())
	if out.NumRows() != b.NumRows() {
		out.Release()
		return nil, errors.New("rows were lost on the way to Parquet")
	}
	return out, nil
}

// spelled is a column as text.
func spelled(a arrow.Array) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	for i := range a.Len() {
		if text, ok := query.Text(a, i); ok {
			b.Append(text)
		} else {
			b.AppendNull()
		}
	}
	return b.NewArray()
}

func fitsParquet(t arrow.DataType) bool {
	switch t := t.(type) {
	case *arrow.MonthDayNanoIntervalType, *arrow.DayTimeIntervalType, *arrow.MonthIntervalType, *arrow.DurationType, *arrow.NullType,
		*arrow.StringViewType, *arrow.BinaryViewType, *arrow.Float16Type, *arrow.SparseUnionType, *arrow.DenseUnionType:
		return false
	case *arrow.StructType:
		if len(t.Fields()) == 0 || duplicated(t.Fields()) {
			return false
		}
		for _, f := range t.Fields() {
			if !fitsParquet(f.Type) {
				return false
			}
		}
	case *arrow.MapType:
		return fitsParquet(t.KeyType()) && fitsParquet(t.ItemType())
	case arrow.ListLikeType:
		return fitsParquet(t.Elem())
	case arrow.ExtensionType:
		return fitsParquet(t.StorageType())
	}
	return true
}

// duplicated reports whether a struct's fields share a name, or have none.
func duplicated(fields []arrow.Field) bool {
	seen := map[string]struct{}{}
	for _, f := range fields {
		if _, again := seen[f.Name]; again || f.Name == "" {
			return true
		}
		seen[f.Name] = struct{}{}
	}
	return false
}
