//go:build duckdb_arrow

package warehouse

import "strings"

// allowedTableFunctions are the table functions that read nothing but their
// arguments. Everything else that stands after FROM with parentheses is
// refused: SELECT is not read-only in DuckDB (checkpoint, enable_logging), some
// functions run a text (query) and some show paths (duckdb_views).
var allowedTableFunctions = queryWords(`range generate_series unnest repeat repeat_row json_each json_tree
pg_timezone_names icu_calendar_names test_all_types`)

// refusedFunctions are the scalar functions that reveal or change the engine.
// TestScalarFunctionsAreReviewed fails when an engine brings a suspicious new one.
var refusedFunctions = queryWords(`current_setting getenv write_log json_serialize_plan pg_get_viewdef
json_execute_serialized_sql query query_table sql_auto_complete which_secret nextval currval`)

// openInformation are the views of information_schema that name only what the
// instance holds; the others print the definitions of views.
var openInformation = queryWords("tables columns schemata")

var internalSchemas = queryWords("information_schema pg_catalog system temp")

func queryWords(words string) map[string]struct{} {
	set := map[string]struct{}{}
	for w := range strings.FieldsSeq(words) {
		set[w] = struct{}{}
	}
	return set
}
