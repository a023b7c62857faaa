//go:build duckdb_arrow

package warehouse

// The texts that several listings share. agnes_listing.t holds the granted
// tables, agnes_listing.c their columns.
const (
	listedDatabase = `'memory' AS database_name, 1 AS database_oid, 'main' AS schema_name, 1 AS schema_oid`
	listedCreate   = `'CREATE TABLE ' || name || '(' || array_to_string(list_transform(columns, lambda c: '"' || replace(c.name, '"', '""') || '" ' || c.type), ', ') || ');' AS sql`
	listedTypeOID  = `coalesce((SELECT min(ty.type_oid) FROM duckdb_types() ty WHERE ty.type_name = lower(regexp_replace(c.type, '[(\[].*', ''))), 25)`
	listedShow     = `SELECT 'memory' AS "database", 'main' AS "schema", name, list_transform(columns, lambda c: c.name) AS column_names,
		list_transform(columns, lambda c: c.type) AS column_types, false AS "temporary" FROM agnes_listing.t ORDER BY name`
)

// listings are what honest clients ask about tables, by schema and name, or by
// what follows SHOW.
var listings = map[string]listing{
	"show.tables":                 {rows: `SELECT name FROM agnes_listing.t ORDER BY name`},
	"show.__show_tables_expanded": {rows: listedShow},
	"show.databases":              {rows: `SELECT 'memory' AS database_name`},
	"show.schemas":                {rows: `SELECT 'memory' AS database_name, 'main' AS schema_name, true AS "current"`},
	"show.variables":              {rows: `SELECT '' AS name, '' AS "value", '' AS "type" WHERE false`},

	"main.duckdb_tables": {shape: "duckdb_tables()", function: true, rows: `SELECT ` + listedDatabase + `, name AS table_name, oid AS table_oid, comment,
		false AS internal, false AS "temporary", false AS has_primary_key, rows AS estimated_size, len(columns) AS column_count,
		0 AS index_count, 0 AS check_constraint_count, ` + listedCreate + ` FROM agnes_listing.t ORDER BY name`},
	"main.duckdb_columns": {shape: "duckdb_columns()", function: true, rows: `SELECT ` + listedDatabase + `, table_name, oid AS table_oid, name AS column_name,
		pos AS column_index, false AS internal, true AS is_nullable, type AS data_type FROM agnes_listing.c ORDER BY oid, pos`},
	"main.duckdb_schemas": {shape: "duckdb_schemas()", function: true, rows: `SELECT 1 AS oid, 'memory' AS database_name, 1 AS database_oid,
		'main' AS schema_name, false AS internal`},
	"main.duckdb_databases": {shape: "duckdb_databases()", function: true, rows: `SELECT 'memory' AS database_name, 1 AS database_oid, false AS internal,
		'duckdb' AS "type", true AS "readonly", false AS encrypted`},
	"main.duckdb_views":         {shape: "duckdb_views()", function: true},
	"main.duckdb_constraints":   {shape: "duckdb_constraints()", function: true},
	"main.duckdb_indexes":       {shape: "duckdb_indexes()", function: true},
	"main.duckdb_sequences":     {shape: "duckdb_sequences()", function: true},
	"main.pragma_database_list": {shape: "pragma_database_list", rows: `SELECT 1 AS seq, 'memory' AS name`},
	"main.sqlite_master": {shape: "sqlite_master", rows: `SELECT 'table' AS "type", name, name AS tbl_name, 0 AS rootpage, ` +
		listedCreate + ` FROM agnes_listing.t ORDER BY name`},
	"main.sqlite_schema": {shape: "sqlite_schema", rows: `SELECT 'table' AS "type", name, name AS tbl_name, 0 AS rootpage, ` +
		listedCreate + ` FROM agnes_listing.t ORDER BY name`},
	"main.sqlite_temp_master": {shape: "sqlite_temp_master"},
	"main.sqlite_temp_schema": {shape: "sqlite_temp_schema"},

	"information_schema.tables": {shape: "information_schema.tables", rows: `SELECT 'memory' AS table_catalog, 'main' AS table_schema, name AS table_name,
		'BASE TABLE' AS table_type, 'NO' AS is_insertable_into, 'NO' AS is_typed, comment AS "TABLE_COMMENT" FROM agnes_listing.t ORDER BY name`},
	"information_schema.columns": {shape: "information_schema.columns", rows: `SELECT 'memory' AS table_catalog, 'main' AS table_schema, table_name,
		name AS column_name, pos AS ordinal_position, 'YES' AS is_nullable, type AS data_type FROM agnes_listing.c ORDER BY oid, pos`},
	"information_schema.schemata": {shape: "information_schema.schemata", rows: `SELECT 'memory' AS catalog_name, 'main' AS schema_name,
		'duckdb' AS schema_owner`},
	"information_schema.views":                   {shape: "information_schema.views"},
	"information_schema.table_constraints":       {shape: "information_schema.table_constraints"},
	"information_schema.key_column_usage":        {shape: "information_schema.key_column_usage"},
	"information_schema.referential_constraints": {shape: "information_schema.referential_constraints"},
	"information_schema.constraint_column_usage": {shape: "information_schema.constraint_column_usage"},
	"information_schema.constraint_table_usage":  {shape: "information_schema.constraint_table_usage"},
	"information_schema.check_constraints":       {shape: "information_schema.check_constraints"},

	"pg_catalog.pg_tables": {shape: "pg_catalog.pg_tables", rows: `SELECT 'main' AS schemaname, name AS tablename, 'duckdb' AS tableowner,
		false AS hasindexes, false AS hasrules, false AS hastriggers FROM agnes_listing.t ORDER BY name`},
	"pg_catalog.pg_class": {shape: "pg_catalog.pg_class", rows: `SELECT oid, name AS relname, 1 AS relnamespace, rows AS reltuples,
		'p' AS relpersistence, 'r' AS relkind, len(columns) AS relnatts, true AS relispopulated, false AS relispartition FROM agnes_listing.t ORDER BY name`},
	"pg_catalog.pg_attribute": {shape: "pg_catalog.pg_attribute", rows: `SELECT c.oid AS attrelid, c.name AS attname, ` + listedTypeOID + ` AS atttypid,
		c.pos AS attnum, false AS attnotnull, false AS attisdropped, false AS atthasdef, true AS attislocal FROM agnes_listing.c c ORDER BY c.oid, c.pos`},
	"pg_catalog.pg_namespace": {shape: "pg_catalog.pg_namespace", rows: `SELECT 1 AS oid, 'main' AS nspname, 0 AS nspowner`},
	"pg_catalog.pg_database":  {shape: "pg_catalog.pg_database", rows: `SELECT 1 AS oid, 'memory' AS datname`},
	"pg_catalog.pg_description": {shape: "pg_catalog.pg_description", rows: `SELECT oid AS objoid, 0 AS objsubid, comment AS description
		FROM agnes_listing.t WHERE comment IS NOT NULL ORDER BY name`},
	"pg_catalog.pg_views":      {shape: "pg_catalog.pg_views"},
	"pg_catalog.pg_attrdef":    {shape: "pg_catalog.pg_attrdef"},
	"pg_catalog.pg_constraint": {shape: "pg_catalog.pg_constraint"},
	"pg_catalog.pg_depend":     {shape: "pg_catalog.pg_depend"},
	"pg_catalog.pg_enum":       {shape: "pg_catalog.pg_enum"},
	"pg_catalog.pg_index":      {shape: "pg_catalog.pg_index"},
	"pg_catalog.pg_indexes":    {shape: "pg_catalog.pg_indexes"},
	"pg_catalog.pg_sequence":   {shape: "pg_catalog.pg_sequence"},
	"pg_catalog.pg_sequences":  {shape: "pg_catalog.pg_sequences"},
	"pg_catalog.pg_tablespace": {shape: "pg_catalog.pg_tablespace"},
}

// describing is the text that lists the columns of one table, as the function
// of that name does.
func describing(function, table string) string {
	where := ` FROM agnes_listing.c WHERE table_name = ` + quoteLiteral(table) + ` ORDER BY pos`
	if function == "pragma_show" {
		return `SELECT name AS column_name, type AS column_type, 'YES' AS "null", NULL::VARCHAR AS "key", NULL::VARCHAR AS "default", NULL::VARCHAR AS extra` + where
	}
	return `SELECT pos - 1 AS cid, name, type, false AS "notnull", NULL::VARCHAR AS dflt_value, false AS pk` + where
}
