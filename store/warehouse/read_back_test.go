package warehouse

import (
	"database/sql"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"agnes/domain/files"
	"agnes/domain/work"
)

// Random tables are written in many dialects and read back: what was written is
// what is read, as its type or as text.

// dialects is how many random tables each test writes.
const dialects = 80

// randomTable has a row of names and rows of values.
type randomTable struct {
	names []string
	rows  [][]string
}

var (
	randomWords = []string{
		"x", "Ann B", " lead", "trail ", "a,b", "a;b", "a\tb", "a|b", `say "hi"`, `"`, "it's", "'q'", "two\nlines", "two\r\nlines", "old\rmac", "#no comment", "é😀", "NULL", "null", "N/A", "#N/A", "-",
		`back\slash`, `\N`, "yes", "no", "TRUE", "f", "nan", "inf", "epoch", "infinity", "1e5", "2E10", "12e4", "1d2", "0x1F", "+1", "007", "-0", "1_000", "1,5", "1.234,56", "1,234.56", "$5", "5%", "(5)",
		"2024-01-02", "02.01.2024", "1/2/24", "2024-01-02T03:04:05Z", "2024-01-02 03:04:05+02", "10:00", "24:00:00", "550E8400-E29B-41D4-A716-446655440000", "12345678901234567.5", "12345678901234567890", "\u00a05", "\ufeff1",
		"{\"a\": 1}", "[1]", "\x1a", strings.Repeat("long ", 200), "=1+1", "@x",
	}
	randomKinds = []func(*rand.Rand) string{
		func(r *rand.Rand) string { return strconv.Itoa(r.IntN(2000) - 1000) },
		func(r *rand.Rand) string { return strconv.FormatInt(r.Int64()-r.Int64(), 10) },
		func(r *rand.Rand) string { return strconv.FormatFloat(r.NormFloat64()*1000, 'f', r.IntN(5), 64) },
		func(r *rand.Rand) string { return strconv.FormatFloat(r.NormFloat64()*1e9, 'g', -1, 64) },
		func(r *rand.Rand) string { return fmt.Sprintf("%d.%02d", r.Int64N(1e17), r.IntN(100)) },
		func(r *rand.Rand) string { return fmt.Sprintf("%de%d", r.IntN(100), r.IntN(9)) },
		func(r *rand.Rand) string { return fmt.Sprintf("%05d", r.IntN(200000)) },
		func(r *rand.Rand) string { return randomDay(r).Format(time.DateOnly) },
		func(r *rand.Rand) string { return randomDay(r).Format("02.01.2006") },
		func(r *rand.Rand) string { return randomDay(r).Format("01/02/2006") },
		func(r *rand.Rand) string { return randomDay(r).Format(time.DateTime) },
		func(r *rand.Rand) string { return randomDay(r).Format("2006-01-02T15:04:05.999999Z07:00") },
		func(r *rand.Rand) string { return randomDay(r).Format("15:04") },
		func(r *rand.Rand) string { return []string{"true", "false"}[r.IntN(2)] },
		func(r *rand.Rand) string { return []string{"Y", "N", "yes", "no", "T", "F", "TRUE"}[r.IntN(7)] },
		func(r *rand.Rand) string { return randomWords[r.IntN(len(randomWords))] },
		func(r *rand.Rand) string { return randomWords[r.IntN(len(randomWords))] },
	}
)

func randomDay(r *rand.Rand) time.Time {
	return time.Date(1950+r.IntN(120), time.Month(1+r.IntN(12)), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1000000)*1000, time.UTC)
}

// newTable makes columns of one kind each, with now and then a value of another.
func newTable(r *rand.Rand) randomTable {
	var t randomTable
	kinds := make([]func(*rand.Rand) string, 1+r.IntN(6))
	for i := range kinds {
		kinds[i] = randomKinds[r.IntN(len(randomKinds))]
		t.names = append(t.names, fmt.Sprintf("name %d", i))
	}
	odd := r.IntN(3)
	for range 1 + r.IntN(40) {
		row := make([]string, len(kinds))
		for i, kind := range kinds {
			switch n := r.IntN(40); {
			case n < 3:
			case n < 3+odd:
				row[i] = randomWords[r.IntN(len(randomWords))]
			default:
				row[i] = kind(r)
			}
		}
		t.rows = append(t.rows, row)
	}
	return t
}

// randomDialect is how a table is written as CSV.
type randomDialect struct {
	delim    string
	ends     []string
	always   bool // quotes around all values
	mark     bool
	named    bool // a first line sep=;
	unended  bool // no end of the last line
	packed   bool
	encoding files.Encoding
}

func newDialect(r *rand.Rand) randomDialect {
	d := randomDialect{
		delim: []string{",", ";", "\t", "|"}[r.IntN(4)], always: r.IntN(4) == 0, mark: r.IntN(5) == 0, named: r.IntN(8) == 0, unended: r.IntN(4) == 0, packed: r.IntN(8) == 0,
		ends: [][]string{{"\n"}, {"\n"}, {"\r\n"}, {"\r"}, {"\n", "\r\n"}, {"\n", "\r\n", "\r"}}[r.IntN(6)],
	}
	if r.IntN(6) == 0 {
		d.encoding = files.UTF16
	}
	return d
}

func (d randomDialect) write(t *testing.T, r *rand.Rand, table randomTable) (name, content string) {
	t.Helper()
	var b strings.Builder
	if d.mark {
		b.WriteString(byteOrderMark)
	}
	end := func() { b.WriteString(d.ends[r.IntN(len(d.ends))]) }
	if d.named {
		b.WriteString("sep=" + d.delim)
		end()
	}
	for i, row := range append([][]string{table.names}, table.rows...) {
		for k, value := range row {
			if k > 0 {
				b.WriteString(d.delim)
			}
			if d.always || strings.ContainsAny(value, "\"'\r\n"+d.delim) || strings.TrimSpace(value) != value || len(row) == 1 && value == "" {
				value = `"` + strings.ReplaceAll(value, `"`, `""`) + `"`
			}
			b.WriteString(value)
		}
		if i < len(table.rows) || !d.unended {
			end()
		}
	}
	name, content = "a.csv", b.String()
	if d.encoding == files.UTF16 {
		var units []byte
		for _, u := range utf16.Encode([]rune(content)) {
			units = binary.LittleEndian.AppendUint16(units, u)
		}
		content = "\xff\xfe" + string(units)
	}
	if d.packed {
		return name + ".gz", mustGzip(t, content)
	}
	return name, content
}

// TestTablesWrittenAsCSVAreReadBack tells the reader the separator and that there is
// a header; everything else is found out.
func TestTablesWrittenAsCSVAreReadBack(t *testing.T) {
	t.Parallel()
	for seed := range uint64(dialects) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 1))
			table, d := newTable(r), newDialect(r)
			name, content := d.write(t, r, table)
			s := newTestStore(t)
			out, _, err := convertWith(t, s, name, content, files.Options{Delimiter: d.delim, Quote: `"`, Header: files.Yes, Encoding: d.encoding})
			if err != nil {
				t.Fatalf("%v\n%+v\n%q", err, d, content)
			}
			wantTable(t, s, out, table.rows)
			if t.Failed() {
				t.Logf("%+v %q", d, content)
			}
		})
	}
}

// TestTablesWrittenAsCSVAreFoundOut tells the reader nothing. It may refuse what
// it does not understand, but what it takes is what was written.
func TestTablesWrittenAsCSVAreFoundOut(t *testing.T) {
	t.Parallel()
	refused := 0
	for seed := range uint64(dialects) {
		r := rand.New(rand.NewPCG(seed, 2))
		table, d := newTable(r), newDialect(r)
		name, content := d.write(t, r, table)
		s := newTestStore(t)
		out, _, err := convertWith(t, s, name, content, files.Options{Encoding: d.encoding})
		if err != nil {
			refused++
			if f := FailureOf(err); f.Code == "internal" || f.NextStep == "" {
				t.Errorf("%d: %v", seed, err)
			}
			t.Logf("%d refused: %v %+v %.300q", seed, err, d, content)
			continue
		}
		if slices.ContainsFunc(out.Warnings, func(w string) bool { return strings.HasPrefix(w, "No line with column names") }) {
			table.rows = append([][]string{table.names}, table.rows...)
		}
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			wantTable(t, s, out, table.rows)
			if t.Failed() {
				t.Logf("%+v %q %q", d, out.Warnings, content)
			}
		})
	}
	if refused > dialects/5 {
		t.Errorf("%d of %d tables were refused", refused, dialects)
	}
}

// wantTable compares a version with what was written.
func wantTable(t *testing.T, s *Store, out work.Extracted, want [][]string) {
	t.Helper()
	rows := mustCells(t, s, out)
	if len(rows) != len(want) || out.Rows != int64(len(want)) {
		t.Fatalf("%d rows and told %d, want %d: %v", len(rows), out.Rows, len(want), rows)
	}
	for i, row := range rows {
		if len(row) != len(want[i]) {
			t.Fatalf("row %d has %d values, want %d", i+1, len(row), len(want[i]))
		}
		for k, cell := range row {
			if kind := out.Columns[k].Type; !sameValue(cell, want[i][k], kind) {
				t.Errorf("row %d, column %d: %q of type %s, want %q", i+1, k+1, cell.String, kind, want[i][k])
			}
		}
	}
}

// mustCells reads a version value by value, as text.
func mustCells(t *testing.T, s *Store, out work.Extracted) [][]sql.NullString {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := collect(t.Context(), db, "SELECT CAST(COLUMNS(*) AS VARCHAR) FROM read_parquet("+quoteFile(mustPath(t, s, out.Files[0].Key))+")", func(r *sql.Rows) ([]sql.NullString, error) {
		cells, into := make([]sql.NullString, len(out.Columns)), make([]any, len(out.Columns))
		for i := range cells {
			into[i] = &cells[i]
		}
		return cells, r.Scan(into...)
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// sameValue reports whether a value says what was written.
func sameValue(got sql.NullString, wrote, kind string) bool {
	if !got.Valid || wrote == "" {
		return !got.Valid && wrote == "" || kind == "VARCHAR" && got.Valid && got.String == wrote
	}
	trimmed := strings.TrimSpace(wrote)
	switch kind {
	case "VARCHAR":
		return got.String == wrote
	case "BIGINT":
		n, err := strconv.ParseInt(trimmed, 10, 64)
		return err == nil && strconv.FormatInt(n, 10) == got.String && (trimmed == got.String || trimmed == "-0")
	case "DOUBLE":
		return sameNumber(got.String, trimmed)
	case "BOOLEAN":
		return slices.Contains(map[string][]string{"true": {"true", "t", "yes", "y", "1"}, "false": {"false", "f", "no", "n", "0"}}[got.String], strings.ToLower(trimmed))
	}
	return sameTime(got.String, trimmed)
}

// sameNumber compares numbers of up to 17 digits before and behind the point; more
// behind it are cut.
func sameNumber(got, wrote string) bool {
	a, aerr := strconv.ParseFloat(got, 64)
	b, berr := strconv.ParseFloat(wrote, 64)
	if aerr != nil || berr != nil || a != b && (a == a || b == b) {
		return false
	}
	whole, _, _ := strings.Cut(strings.TrimLeft(strings.ToLower(wrote), "-"), ".")
	if digits := strings.ContainsAny(whole, "en"); !digits && len(whole) > 15 {
		exact, _ := strconv.ParseInt(whole, 10, 64)
		return int64(max(b, -b)) == exact
	}
	return !strings.HasPrefix(wrote, "+") && (whole == "0" || !strings.HasPrefix(whole, "0") || strings.HasPrefix(whole, "0e"))
}

// sameTime compares dates and times, however they are written.
func sameTime(got, wrote string) bool {
	if got == wrote || got == "infinity" && wrote == "inf" || wrote == "epoch" && strings.HasPrefix(got, "1970-01-01") {
		return true
	}
	for _, form := range []string{
		"2006-01-02", "02.01.2006", "01/02/2006", "02/01/2006", "1/2/06", "2/1/06", "2006-01-02 15:04:05.999999", "2006-01-02T15:04:05.999999Z07:00", "2006-01-02 15:04:05-07", "15:04", "15:04:05", "2006-01-02 15:04:05.999999-07",
	} {
		a, aerr := time.Parse(form, wrote)
		for _, shown := range []string{"2006-01-02", "2006-01-02 15:04:05.999999", "2006-01-02 15:04:05.999999-07", "15:04:05"} {
			if b, berr := time.Parse(shown, got); aerr == nil && berr == nil && a.Equal(b) {
				return true
			}
		}
	}
	return false
}
