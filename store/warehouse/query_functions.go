package warehouse

import "strings"

// allowedTableFunctions are the table functions that read nothing but their
// arguments. Everything else that stands after FROM with parentheses is
// refused or answered from a listing: SELECT is not read-only in DuckDB
// (checkpoint, enable_logging), some functions run a text (query), some take a
// table for a column (histogram_values) and some show paths (duckdb_settings).
var allowedTableFunctions = queryWords(`range generate_series unnest repeat repeat_row json_each json_tree
pg_timezone_names icu_calendar_names test_all_types test_vector_types
duckdb_functions duckdb_keywords duckdb_types pragma_version pragma_collations`)

// refusedFunctions are the scalar functions that reveal or change the engine.
// TestScalarFunctionsAreReviewed fails when an engine brings a suspicious new one.
var refusedFunctions = queryWords(`current_setting getenv write_log json_serialize_plan pg_get_viewdef
json_execute_serialized_sql query query_table sql_auto_complete which_secret nextval currval
get_block_size pg_get_constraintdef`)

// systemViews are DuckDB's own views. TestSystemViewsAreKnown fails when an
// engine brings a new one.
var systemViews = queryWords(`information_schema.character_sets information_schema.check_constraints information_schema.columns
information_schema.constraint_column_usage information_schema.constraint_table_usage information_schema.key_column_usage
information_schema.referential_constraints information_schema.schemata information_schema.tables
information_schema.table_constraints information_schema.views
main.duckdb_columns main.duckdb_constraints main.duckdb_databases main.duckdb_indexes main.duckdb_logs main.duckdb_schemas
main.duckdb_tables main.duckdb_types main.duckdb_views main.pragma_database_list main.sqlite_master main.sqlite_schema
main.sqlite_temp_master main.sqlite_temp_schema
pg_catalog.pg_am pg_catalog.pg_attrdef pg_catalog.pg_attribute pg_catalog.pg_class pg_catalog.pg_collation pg_catalog.pg_constraint
pg_catalog.pg_database pg_catalog.pg_depend pg_catalog.pg_description pg_catalog.pg_enum pg_catalog.pg_index pg_catalog.pg_indexes
pg_catalog.pg_namespace pg_catalog.pg_prepared_statements pg_catalog.pg_proc pg_catalog.pg_sequence pg_catalog.pg_sequences
pg_catalog.pg_settings pg_catalog.pg_tables pg_catalog.pg_tablespace pg_catalog.pg_type pg_catalog.pg_views`)

// openViews of the engine name nothing but what every engine has.
var openViews = queryWords(`main.duckdb_types pg_catalog.pg_type pg_catalog.pg_proc pg_catalog.pg_am pg_catalog.pg_collation
information_schema.character_sets`)

func queryWords(words string) map[string]struct{} {
	set := map[string]struct{}{}
	for w := range strings.FieldsSeq(words) {
		set[w] = struct{}{}
	}
	return set
}
