//go:build duckdb_arrow

package warehouse

import (
	"fmt"
	"strings"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"agnes/domain/work"
)

// plain runs a text as any program that embeds DuckDB would: the last of its
// statements is the answer.
func (e *queryEngine) plain(sql string, sink querySink) error {
	var extracted duckdb.ExtractedStatements
	count := duckdb.ExtractStatements(e.conn, sql, &extracted)
	defer duckdb.DestroyExtracted(&extracted)
	for i := range count {
		s := &queryStatement{}
		if duckdb.PrepareExtractedStatement(e.conn, extracted, i, &s.prepared) == duckdb.StateError {
			return fmt.Errorf("%s", duckdb.PrepareError(s.prepared))
		}
		to := querySink(&collected{})
		if i == count-1 {
			to = sink
		}
		columns, _ := preparedColumns(s.prepared)
		e.names = strings.NewReplacer()
		_, err := e.stream(work.QueryJob{SQL: sql}, s, columns, nil, to)
		duckdb.DestroyPrepare(&s.prepared)
		if err != nil {
			return err
		}
	}
	return nil
}
