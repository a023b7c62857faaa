//go:build duckdb_arrow

package warehouse

import (
	"errors"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"
	duckdb "github.com/duckdb/duckdb-go-bindings"
)

// textOf runs one of our prepared statements with one text and returns the one
// text that it answers.
func (e *queryEngine) textOf(prepared duckdb.PreparedStatement, argument string) (string, error) {
	if duckdb.BindVarchar(prepared, 1, argument) == duckdb.StateError {
		return "", errors.New("bind a text")
	}
	var result duckdb.Result
	defer duckdb.DestroyResult(&result)
	if duckdb.ExecutePrepared(prepared, &result) == duckdb.StateError {
		return "", e.engineError(argument, duckdb.ResultError(&result))
	}
	texts, err := readTexts(&result)
	if err != nil || len(texts) != 1 {
		return "", errors.Join(fmt.Errorf("read one text, got %d", len(texts)), err)
	}
	return texts[0], nil
}

// texts runs a query of ours that answers one column of texts.
func (e *queryEngine) texts(sql string) ([]string, error) {
	var result duckdb.Result
	defer duckdb.DestroyResult(&result)
	if duckdb.Query(e.conn, sql, &result) == duckdb.StateError {
		return nil, fmt.Errorf("run %s: %s", sql, duckdb.ResultError(&result))
	}
	return readTexts(&result)
}

func readTexts(result *duckdb.Result) ([]string, error) {
	rows, err := newChunkReader(result)
	if err != nil {
		return nil, err
	}
	defer rows.close()
	var texts []string
	for {
		batch, err := rows.next()
		if err != nil || batch == nil {
			return texts, err
		}
		column, isText := batch.Column(0).(*array.String)
		for i := 0; isText && i < column.Len(); i++ {
			texts = append(texts, strings.Clone(column.Value(i))) // the engine owns the bytes until Release
		}
		batch.Release()
	}
}
