package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"agnes/domain/syncs"
)

// mutant is a good file that gets damaged, and the table that its children become.
type mutant struct {
	table, file string
	good        []byte
	pack        func([]byte) []byte // nil: the file is as it is; else every second time the damage is within
	made        bool
}

// child is the file with damage, outside or within.
func (m *mutant) child(random *rand.Rand) []byte {
	switch {
	case m.pack == nil:
		return damage(random, m.good)
	case random.IntN(2) == 0:
		return damage(random, m.pack(m.good))
	}
	return m.pack(damage(random, m.good))
}

// TestDamagedUploads sends files that were damaged at random. Each is refused
// with a sentence, or becomes a table whole; nothing ends the server. 2,000 of
// them with AGNES_LONG=1.
func TestDamagedUploads(t *testing.T) {
	tries := 48
	if os.Getenv("AGNES_LONG") == "1" {
		tries = 2000
	} else if testing.Short() {
		t.Skip("starts a process for each of its files")
	}
	i := newInstance(t)
	admin, kinds := i.admin(), mutants(t)
	random, ended := rand.New(rand.NewPCG(10, 2026)), map[string]int{}
	for k := range tries {
		m := kinds[k%len(kinds)]
		ended[m.table+": "+admin.tryDamaged(m, m.child(random))]++
	}
	for _, outcome := range slices.Sorted(maps.Keys(ended)) {
		t.Logf("%4d %s", ended[outcome], outcome)
	}
	admin.call(http.MethodGet, "/api/health/ready", nil, http.StatusOK, nil)
}

// tryDamaged uploads a file, looks at it, makes a table of it, and says how far it came.
func (p person) tryDamaged(m *mutant, content []byte) (outcome string) {
	p.t.Helper()
	where, outcome := p.stage(m.file, content)
	if where == "" {
		return outcome
	}
	if m.made {
		where += "?table=" + m.table
	}
	resp, page := p.send(http.MethodGet, where, "", nil)
	if resp.StatusCode == http.StatusUnprocessableEntity && bytes.Contains(page, []byte("cannot be read as a table")) {
		return "refused by the preview"
	}
	if resp.StatusCode != http.StatusOK {
		p.keep(m, content)
		p.t.Errorf("preview of a damaged %s = %s: %s", m.file, resp.Status, words(page))
		return "preview " + resp.Status
	}
	resp, page = p.send(http.MethodPost, where, "application/x-www-form-urlencoded", strings.NewReader(url.Values{"name": {m.table}}.Encode()))
	if resp.StatusCode != http.StatusSeeOther {
		p.t.Errorf("table of a damaged %s = %s: %s", m.file, resp.Status, words(page))
		return "table " + resp.Status
	}
	m.made = true
	run := p.waitFor(m.table)[m.table]
	switch {
	case run.State == syncs.OK:
		if got := fmt.Sprint(p.query("SELECT count(*) FROM " + m.table).Rows[0][0]); got != fmt.Sprint(run.Rows) || run.Rows == 0 {
			p.t.Errorf("a damaged %s has %s rows where %d were taken", m.file, got, run.Rows)
		}
		return "taken whole"
	case run.State != syncs.Failed || run.Message == "" || run.Code == "internal" || run.Code == "child_died":
		p.keep(m, content)
		p.t.Errorf("sync of a damaged %s ended %s, %s: %s", m.file, run.State, run.Code, run.Message)
	}
	return "refused by the sync"
}

// stage sends a file through the form and returns where it can be looked at; ""
// when it was refused.
func (p person) stage(name string, content []byte) (where, outcome string) {
	p.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", name)
	if err == nil {
		_, err = part.Write(content)
	}
	if err != nil || form.Close() != nil {
		p.t.Fatal(err)
	}
	resp, page := p.send(http.MethodPost, "/uploads", form.FormDataContentType(), &body)
	switch {
	case resp.StatusCode == http.StatusSeeOther:
		return resp.Header.Get("Location"), ""
	case resp.StatusCode < 400 || resp.StatusCode >= 500:
		p.t.Errorf("upload of a damaged %s = %s: %s", name, resp.Status, words(page))
	}
	return "", "refused when it came"
}

// keep leaves a file that found something where it can be looked at.
func (p person) keep(m *mutant, content []byte) {
	if dir := os.Getenv("AGNES_KEEP"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, m.file), content, 0o600); err != nil {
			p.t.Error(err)
		}
	}
}

// words is the middle of a page, for messages.
func words(page []byte) string {
	_, text, _ := strings.Cut(string(page), "<main")
	return text[:min(len(text), 1500)]
}

// tokens are what readers stumble over.
var tokens = []string{"\"", "\x00", "\xff\xfe", "\n\n\n", "99999999999999999999999999", "-", "{\"", "]", "NaN", "PAR1", "\xf0\x9f\x98\x80", "\r", "<row r=\"0\">", "&x;", ","}

// damage changes a file in one place, or in a few.
func damage(random *rand.Rand, good []byte) []byte {
	bad := slices.Clone(good)
	for range 1 + max(0, random.IntN(6)-3) {
		if len(bad) < 8 {
			break
		}
		at := random.IntN(len(bad))
		to := min(len(bad), at+1+random.IntN(40))
		switch random.IntN(7) {
		case 0, 1:
			bad[at] ^= byte(1 << random.IntN(8))
		case 2:
			bad = bad[:at]
		case 3:
			bad = slices.Delete(bad, at, to)
		case 4:
			bad = slices.Insert(bad, at, slices.Clone(bad[at:to])...)
		case 5:
			bad = slices.Insert(bad, at, []byte(tokens[random.IntN(len(tokens))])...)
		case 6:
			for k := at; k < to; k++ {
				bad[k] = byte(random.IntN(256))
			}
		}
	}
	return bad
}

// mutants are small good files, one a format.
func mutants(t *testing.T) []*mutant {
	t.Helper()
	var rows, objects []string
	for n := range 60 {
		rows = append(rows, fmt.Sprintf("%d,\"name, %d\",%d.5,2026-01-%02d,true", n, n%7, n*3, n%28+1))
		objects = append(objects, fmt.Sprintf(`{"id":%d,"name":"n %d","amount":%d.5,"tags":["a",%d],"deep":{"x":%d}}`, n, n%7, n*3, n, n))
	}
	text := "id,name,amount,day,ok\n" + strings.Join(rows, "\n") + "\n"
	zipper, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return []*mutant{
		{table: "m_parquet", file: "m.parquet", good: parquetFile(t, "zstd")},
		{table: "m_csv", file: "m.csv", good: []byte(text)},
		{table: "m_xlsx", file: "m.xlsx", good: []byte(sheetText()), pack: func(sheet []byte) []byte { return workbook(t, sheet) }},
		{table: "m_zst", file: "m.csv.zst", good: []byte(text), pack: func(text []byte) []byte { return zipper.EncodeAll(text, nil) }},
		{table: "m_json", file: "m.json", good: []byte("[" + strings.Join(objects, ",\n") + "]")},
		{table: "m_ndjson", file: "m.ndjson", good: []byte(strings.Join(objects, "\n"))},
		{table: "m_gz", file: "m.csv.gz", good: []byte(text), pack: func(text []byte) []byte { return gzipped(t, text) }},
		{table: "m_plain", file: "p.parquet", good: parquetFile(t, "uncompressed")},
	}
}

func parquetFile(t *testing.T, compression string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "good.parquet")
	mustRun(t, "COPY (SELECT i AS id, 'name ' || i AS name, i * 1.5 AS amount, DATE '2026-01-01' + i::INTEGER AS day, [i, i + 1] AS list, {'x': i} AS deep FROM range(60) AS r(i)) TO '"+
		file+"' (FORMAT parquet, COMPRESSION "+compression+")")
	return mustRead(t, file)
}

func gzipped(t *testing.T, text []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	gz := gzip.NewWriter(&packed)
	if _, err := gz.Write(text); err != nil || gz.Close() != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func mustRun(t *testing.T, statement string) {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// sheetText is a sheet of 60 rows.
func sheetText() string {
	var sheet strings.Builder
	sheet.WriteString(`<worksheet><sheetData><row r="1"><c r="A1" t="str"><v>id</v></c><c r="B1" t="str"><v>name</v></c></row>`)
	for n := range 60 {
		fmt.Fprintf(&sheet, `<row r="%d"><c r="A%[1]d"><v>%d</v></c><c r="B%[1]d" t="inlineStr"><is><t>name %[2]d</t></is></c></row>`, n+2, n)
	}
	sheet.WriteString(`</sheetData></worksheet>`)
	return sheet.String()
}

// workbook is a workbook of one sheet.
func workbook(t *testing.T, sheet []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, part := range [][2]string{
		{"xl/workbook.xml", `<workbook xmlns:r="x"><sheets><sheet name="A" r:id="r1"/></sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/></Relationships>`},
		{"xl/worksheets/sheet1.xml", string(sheet)},
	} {
		w, err := z.Create(part[0])
		if err == nil {
			_, err = w.Write([]byte(part[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
