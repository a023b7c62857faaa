//go:build duckdb_arrow

package attacks

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// grammar writes random SQL around granted, forbidden and absent names. It
// knows which of its texts use what queries may not, whatever binds.
type grammar struct {
	*rand.Rand
	depth     int
	ctes      []string
	forbidden bool // the text so far uses a refused function
}

// statement returns one text and whether it uses something refused.
func statement(r *rand.Rand) (text string, forbidden bool) {
	g := &grammar{Rand: r}
	text = g.query()
	switch g.IntN(24) {
	case 0:
		text = "EXPLAIN " + text
	case 1:
		text = "DESCRIBE " + text
	case 2:
		text += ";"
	case 3:
		text = g.blank() + text + g.blank()
	case 4:
		text += " -- " + g.pick("orders", "salaries; DROP VIEW orders", "x")
	case 5:
		text = "/* salaries */ " + text
	}
	return text, g.forbidden
}

func (g *grammar) pick(of ...string) string { return of[g.IntN(len(of))] }

// deeper reports whether there is room for one more level, and takes it.
func (g *grammar) deeper() bool {
	if g.depth >= 4 {
		return false
	}
	g.depth++
	return true
}

func (g *grammar) blank() string {
	return g.pick(" ", " ", " ", "\t", "\n", "\r\n", "  ", "/**/", " -- c\n", "\u00a0", "\u200b", "\u2003", "\ufeff", "\f")
}

func (g *grammar) query() string {
	if g.deeper() {
		defer func() { g.depth-- }()
		switch g.IntN(12) {
		case 0, 1, 2:
			return g.with()
		case 3:
			return "(" + g.query() + ")" + " UNION ALL " + "(" + g.query() + ")"
		case 4:
			return "SELECT * FROM (" + g.query() + ")" + g.alias()
		}
	}
	return g.selection()
}

func (g *grammar) with() string {
	before := len(g.ctes)
	var parts []string
	for range 1 + g.IntN(2) {
		name := g.pick("orders", "salaries", "c1", "c2", "towns")
		parts = append(parts, g.quoted(name)+" AS "+g.pick("", "", "MATERIALIZED ", "NOT MATERIALIZED ")+"("+g.query()+")")
		g.ctes = append(g.ctes, name)
	}
	out := "WITH " + strings.Join(parts, ", ") + " " + g.query()
	g.ctes = g.ctes[:before]
	return out
}

func (g *grammar) selection() string {
	from := g.source()
	for range g.IntN(2) {
		from += g.pick(", ", " CROSS JOIN ", " POSITIONAL JOIN ", " NATURAL JOIN ", " LEFT JOIN ") + g.source()
		if strings.Contains(from, "LEFT JOIN") {
			from += " ON true"
			break
		}
	}
	b := g.blank
	if g.IntN(6) == 0 {
		return "FROM" + b() + from
	}
	out := "SELECT" + b() + g.columns() + b() + "FROM" + b() + from
	switch g.IntN(8) {
	case 0:
		out += " WHERE " + g.condition()
	case 1:
		out += " LIMIT " + g.pick("1", "3", "(SELECT count(*) FROM "+g.name()+")")
	case 2:
		out += " ORDER BY " + g.pick("1", "ALL", "(SELECT 1 FROM "+g.name()+" LIMIT 1)")
	}
	return out
}

func (g *grammar) columns() string {
	switch g.IntN(9) {
	case 0:
		return "count(*)"
	case 1:
		return "1 AS one"
	case 2:
		return g.pick("id", "note", "salary", "town", "kind", columnCanary[:6])
	case 3:
		if g.deeper() {
			defer func() { g.depth-- }()
			return "(SELECT max(x) FROM (" + g.query() + ") t(x))"
		}
	case 4:
		return "* EXCLUDE (id)"
	case 5:
		return "COLUMNS(*)"
	case 6:
		return g.scalar()
	case 7:
		return "[x FOR x IN [1, 2]] AS l, * REPLACE ((SELECT 1 FROM " + g.name() + " LIMIT 1) AS id)"
	}
	return "*"
}

func (g *grammar) condition() string {
	switch g.IntN(4) {
	case 0:
		return "EXISTS (FROM " + g.name() + ")"
	case 1:
		return "1 IN (SELECT count(*) FROM " + g.name() + ")"
	case 2:
		return "id = (SELECT max(id) FROM " + g.name() + ")"
	}
	return "true"
}

// scalar is a function of values, sometimes one that is refused.
func (g *grammar) scalar() string {
	if g.IntN(3) == 0 {
		g.forbidden = true
		return g.pick("current_setting('threads')", `"current_setting"('threads')`, "system.main.current_setting('threads')", "Current_Setting('threads')")
	}
	return g.pick("lower('A')", "'FROM salaries'", "length('query(x)')", "7 // 2", "NULL", "{'a': 1}", "list_sum([1, 2])")
}

// source is what may stand after FROM.
func (g *grammar) source() string {
	switch g.IntN(12) {
	case 0:
		if g.deeper() {
			defer func() { g.depth-- }()
			return "(" + g.query() + ")" + g.alias()
		}
	case 1:
		return g.pick("range(3)", "generate_series(1, 2)", "unnest([1, 2])", "(VALUES (1), (2))") + g.alias()
	case 2:
		if g.IntN(2) == 0 {
			g.forbidden = true
			return g.pick("query('FROM orders')", "query_table('orders')", `"query"('SELECT 1 AS id')`, "QUERY_TABLE(concat('ord', 'ers'))", "duckdb_settings()",
				"system.main.query('FROM towns')", "histogram_values(orders, id)", "json_execute_serialized_sql(json_serialize_sql('FROM orders'))",
				"pragma_database_list()", "glob('x')", "duckdb_memory()")
		}
	}
	return g.name() + g.alias()
}

func (g *grammar) alias() string {
	return g.pick("", "", "", " AS x", " salaries", " orders", ` AS "towns"`) // as a table's name too
}

// name is a table's name: granted, forbidden, absent or a CTE's.
func (g *grammar) name() string {
	if len(g.ctes) > 0 && g.IntN(2) == 0 {
		return g.quoted(g.ctes[g.IntN(len(g.ctes))])
	}
	name := g.pick("orders", "orders", "orders", "orders", "towns", "towns", "towns", "salaries", "nosuch", quietCanary[:5])
	switch g.IntN(10) {
	case 0:
		return "main." + g.quoted(name)
	case 1:
		return "memory.main." + g.quoted(name)
	case 2:
		return g.pick("temp.", "system.main.", "nosuch.", "pg_catalog.", `"main".`, "memory.") + g.quoted(name)
	}
	return g.quoted(name)
}

func (g *grammar) quoted(name string) string {
	switch g.IntN(6) {
	case 0:
		return `"` + name + `"`
	case 1:
		return strings.ToUpper(name)
	case 2:
		return `"` + strings.ToUpper(name[:1]) + name[1:] + `"`
	}
	return name
}

// mutate changes a text at random, with words of its own and of others.
func mutate(r *rand.Rand, text string, others []string) string {
	words := strings.SplitAfter(text, " ")
	for range 1 + r.IntN(4) {
		i := r.IntN(len(words))
		switch r.IntN(9) {
		case 0:
			words = append(words[:i:i], words[min(i+1, len(words)):]...)
		case 1:
			words = append(words[:i:i], append([]string{words[i]}, words[i:]...)...)
		case 2:
			j := r.IntN(len(words))
			words[i], words[j] = words[j], words[i]
		case 3:
			words[i] = vocabulary[r.IntN(len(vocabulary))] + " "
		case 4:
			words = append(words[:i:i], append([]string{vocabulary[r.IntN(len(vocabulary))] + " "}, words[i:]...)...)
		case 5:
			other := strings.SplitAfter(others[r.IntN(len(others))], " ")
			words = append(words[:i:i], other[r.IntN(len(other)):]...)
		case 6:
			words[i] = strings.ToUpper(words[i])
		case 7:
			words[i] = strings.Replace(words[i], "salaries", vocabulary[r.IntN(12)], 1)
		default:
			if b := []byte(words[i]); len(b) > 0 {
				b[r.IntN(len(b))] = byte(32 + r.IntN(95))
				words[i] = string(b)
			}
		}
		if len(words) == 0 {
			words = []string{"FROM salaries"}
		}
	}
	out := strings.Join(words, "")
	return out[:min(len(out), 4000)]
}

// vocabulary are words that mutations put in; the first dozen are names.
var vocabulary = []string{
	"salaries", `"salaries"`, "main.salaries", "memory.main.salaries", "'salaries.parquet'", "'state/system.csv'", "orders", "towns", "quiet", "*", "'*.parquet'", "temp.salaries",
	"SELECT", "FROM", "WITH a AS (", ")", "(", "query(", "query_table(", "'FROM salaries'", "read_parquet(", "read_csv(", "histogram_values(", ", salary", ",", ";", "--", "/*", "*/", "\x00",
	"\u200b", "EXPLAIN", "EXPLAIN ANALYZE", "DESCRIBE", "SUMMARIZE", "SHOW", "PIVOT", "ON", "USING", "UNION ALL", "LATERAL", "AS salaries", "JOIN", "COLUMNS(*)", "EXCLUDE (id)",
	"duckdb_tables()", "information_schema.tables", "information_schema.columns", "$$", "'", `"`, "E'\\x73alaries'", "LIMIT", "ORDER BY ALL", "COPY", "TO 'x'", "PREPARE p AS", "CALL", "AT (VERSION => 1)",
	"sql_auto_complete('FROM s')", "json_serialize_sql(", "error(", "CAST(", "AS INTEGER)", "unnest(", "list(", "TABLESAMPLE 1 ROWS", "rowid", "filename", "duckdb_columns()", "pg_catalog.pg_class",
}

func describe(seed uint64, text string) string { return fmt.Sprintf("seed %d: %.300q", seed, text) }
