package warehouse

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"

	"agnes/domain/files"
)

// openJSON says how a JSON file is read. Types come from all rows: a field that
// first appears later would be dropped without a word.
func (r *reader) openJSON(ctx context.Context, db *sql.DB, sample int) (relation, error) {
	from := readJSON(r.path, sample, jsonDepth)
	columns, err := describe(ctx, db, from)
	if err != nil {
		return relation{}, r.fault(err)
	}
	rel := newRelation(from, columns)
	if d := (jsonDates{path: r.path, columns: columns, sample: sample}); d.any() || d.doubles() {
		if rel, err = d.mend(ctx, db, rel); err != nil {
			return relation{}, r.fault(err)
		}
	}
	if err := plainJSON(ctx, db, rel, sample); err != nil {
		return relation{}, r.fault(err)
	}
	return rel, nil
}

// jsonDepth is how deep objects and lists have types of their own; what lies deeper
// is JSON. Each level of lists takes the engine twice the time of the one above.
const jsonDepth = 16

// readJSON reads rows of JSON, with types down to a depth.
func readJSON(path string, sample, depth int) string {
	return fmt.Sprintf("read_json(%s, records = true, sample_size = %d, maximum_depth = %d, map_inference_threshold = -1, compression = 'uncompressed', hive_partitioning = false)",
		quoteFile(path), sample, depth)
}

// huge is what newRelation makes of 128-bit integers.
const huge = "DECIMAL(38,0)"

// plainJSON gives columns that the engine guessed too widely what people
// expect: text where numbers and words are mixed (not text in JSON's quotes),
// whole numbers of the usual size where signs are mixed.
func plainJSON(ctx context.Context, db *sql.DB, rel relation, sample int) error {
	var tests []string
	var which []int
	narrow := map[int]string{}
	for i, c := range rel.columns {
		name := "t." + quoteIdent(c.Name)
		switch {
		case c.Type == "JSON":
			tests = append(tests, "coalesce(bool_and(json_type("+name+") NOT IN ('OBJECT', 'ARRAY')), true)")
		case strings.Contains(c.Type, huge):
			narrow[i] = strings.ReplaceAll(c.Type, huge, "BIGINT")
			tests = append(tests, fmt.Sprintf("coalesce(bool_and(CAST(%s AS %s) IS NOT DISTINCT FROM CAST(TRY_CAST(%[1]s AS %[3]s) AS %[2]s)), true)", name, c.Type, narrow[i]))
		default:
			continue
		}
		which = append(which, i)
	}
	if len(tests) == 0 {
		return nil
	}
	from := rel.named()
	if sample != wholeFile {
		from = fmt.Sprintf("(FROM %s LIMIT %d) AS t", from, sample)
	}
	plain, into := make([]bool, len(tests)), make([]any, len(tests))
	for i := range plain {
		into[i] = &plain[i]
	}
	if err := db.QueryRowContext(ctx, "SELECT "+strings.Join(tests, ", ")+" FROM "+from).Scan(into...); err != nil {
		return err //nolint:wrapcheck // the caller reads DuckDB's words
	}
	for k, i := range which {
		switch {
		case !plain[k]:
		case rel.columns[i].Type == "JSON":
			rel.store(i, "VARCHAR", "{} ->> '$'")
		default:
			rel.store(i, narrow[i], "CAST({} AS "+narrow[i]+")")
		}
	}
	return nil
}

// loneObject warns of a JSON document that is read as one row.
func (r *reader) loneObject(rows int64) []string {
	if r.format != files.JSON || rows != 1 {
		return nil
	}
	head, _, err := readHead(r.path, files.Plain)
	if err != nil || !strings.HasPrefix(strings.TrimSpace(string(head)), "{") { // only a warning is lost
		return nil
	}
	return []string{"The file is one JSON object, so the table has one row. For a row each, upload a list of objects."}
}

var (
	emptyList    = regexp.MustCompile(`^\s*\[\s*\]\s*$`)
	emptyObjects = regexp.MustCompile(`^\s*\[?(\s*\{\s*\}\s*,?)+\s*\]?\s*$`)
	doubledKey   = regexp.MustCompile(`has duplicate key "((?:[^"\\]|\\.)*)"`)
	doubledCase  = regexp.MustCompile(`Duplicate name "(.*?)" in struct`)
)

// emptyJSON says that a JSON file has no rows, or none with a value; nil when it
// has, or is not that small.
func (r *reader) emptyJSON() error {
	head, whole, err := readHead(r.path, files.Plain)
	switch {
	case err != nil || !whole:
		return nil //nolint:nilerr // the engine's words stand
	case emptyList.Match(head):
		return refuse("file_no_rows", "Check the export that made it, then upload it again.", "%s is an empty list, so it has no rows.", r.name())
	case emptyObjects.Match(head):
		return refuse("file_no_rows", "Check the export that made it, then upload it again.", "The objects of %s have no keys, so there are no columns.", r.name())
	}
	return nil
}

func jsonFault(err error, path, name string) error {
	text := err.Error()
	switch {
	case doubledKey.MatchString(text):
		return refuse("file_json_key_doubled", "Give each key of an object a name of its own, and upload it again.",
			"%s has an object with the key %s twice.", name, shorten(doubledKey.FindStringSubmatch(text)[1], 80)).because(err)
	case doubledCase.MatchString(text):
		return refuse("file_json_key_doubled", "Give each key of an object a name of its own, and upload it again.",
			"%s has objects within a row with keys that differ only in case, such as %s.", name, shorten(doubledCase.FindStringSubmatch(text)[1], 80)).because(err)
	case strings.Contains(text, "expected records"), strings.Contains(text, "Expected OBJECT"):
		return refuse("file_json_not_rows", `Make it a list of objects, such as [{"id": 1}], or one object per line.`,
			"%s is JSON, but not a list of objects, so it has no rows and columns.", name).because(err)
	case strings.Contains(text, "invalid UTF-8"):
		return refuse("file_not_utf8", "Save it as UTF-8 and upload it again.", "%s has characters that are not UTF-8.", name).because(err)
	case strings.Contains(text, "maximum_object_size"):
		return refuse("file_json_object_too_large", "Split the object into one per row.", "%s holds one object of more than 16 MB.", name).because(err)
	}
	const next = "Check the export that made it, and upload it again."
	if line := brokenLine(path); line > 0 {
		return refuse("file_json_invalid", next, "%s is not valid JSON: what begins in line %d is broken.", name, line).atLine(line).because(err)
	}
	why := ""
	if _, after, found := strings.Cut(engineWords(err), "at byte "); found {
		_, after, _ = strings.Cut(after, ": ")
		why = " It has " + strings.TrimRight(after, ". ") + "."
	}
	return refuse("file_json_invalid", next, "%s is not valid JSON.%s", name, why).because(err)
}
