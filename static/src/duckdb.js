// DuckDB's words, for colours and completion. Only words that read as SQL are key words here: many
// more are known to the engine, but they are common names of columns.
import { SQLDialect } from "@codemirror/lang-sql";

const keywords = `all analyze and anti any array as asc asof between by case cast collate create cross cube current
 current_date current_time current_timestamp date default delete desc describe distinct else end escape except exclude
 exists explain extract false filter first following for from full glob group grouping having ignore ilike in inner insert
 intersect interval into is isnull join last lateral left like limit materialized natural not notnull nulls offset on or
 order outer over partition pivot positional preceding qualify range recursive replace respect right rollup rows sample
 select semi set sets show similar some summarize table tablesample then ties time timestamp to true try_cast unbounded
 union unpivot update using values when where window with within without`;

const types = `bigint bit blob bool boolean bytea char datetime decimal double enum float float4 float8 hugeint int int1
 int2 int4 int8 integer json list long map numeric real short smallint string struct text timestamptz tinyint ubigint
 uhugeint uinteger usmallint utinyint uuid varchar`;

export const duckdb = SQLDialect.define({
  keywords,
  types,
  caseInsensitiveIdentifiers: true,
  charSetCasts: false,
  doubleDollarQuotedStrings: true,
  operatorChars: "+-*/<>=~!@%^&|?:",
  hashComments: false,
  identifierQuotes: '"',
});

// Functions people reach for, with their arguments.
export const functions = Object.entries({
  abs: "x", age: "timestamp", any_value: "x", approx_count_distinct: "x", arg_max: "arg, val", arg_min: "arg, val",
  array_agg: "x", avg: "x", bool_and: "x", bool_or: "x", ceil: "x", coalesce: "a, b, …", concat: "a, b, …",
  concat_ws: "separator, a, …", contains: "text, part", corr: "y, x", count: "x", count_if: "condition", date_diff: "'part', from, to",
  date_part: "'part', date", date_trunc: "'part', date", day: "date", dayname: "date", dense_rank: "", ends_with: "text, end",
  epoch: "timestamp", exp: "x", first_value: "x", floor: "x", format: "format, …", generate_series: "from, to, step",
  greatest: "a, b, …", histogram: "x", hour: "timestamp", if: "condition, a, b", ifnull: "a, b", isodow: "date",
  json_extract: "json, path", json_extract_string: "json, path", kurtosis: "x", lag: "x, offset", last_value: "x", lead: "x, offset",
  least: "a, b, …", left: "text, n", len: "x", length: "text", list: "x", list_contains: "list, x", ln: "x", log10: "x",
  lower: "text", lpad: "text, n, fill", ltrim: "text", max: "x", max_by: "arg, val", median: "x", min: "x", min_by: "arg, val",
  minute: "timestamp", mode: "x", month: "date", monthname: "date", now: "", nth_value: "x, n", ntile: "n", nullif: "a, b",
  percent_rank: "", power: "x, y", quantile_cont: "x, share", quantile_disc: "x, share", quarter: "date", random: "",
  rank: "", regexp_extract: "text, pattern, group", regexp_matches: "text, pattern", regexp_replace: "text, pattern, with",
  repeat: "text, n", replace: "text, from, to", reverse: "text", right: "text, n", round: "x, digits", row_number: "",
  rpad: "text, n, fill", rtrim: "text", second: "timestamp", sign: "x", split_part: "text, separator, n", sqrt: "x",
  starts_with: "text, start", stddev: "x", strftime: "date, format", string_agg: "x, separator", string_split: "text, separator",
  strptime: "text, format", substring: "text, start, n", sum: "x", time_bucket: "interval, date", to_timestamp: "seconds",
  today: "", trim: "text", typeof: "x", unnest: "list", upper: "text", var_samp: "x", week: "date", year: "date",
}).map(([name, args]) => ({
  label: name,
  type: "function",
  detail: `(${args})`,
  apply: `${name}(`,
  boost: -2,
}));
