package warehouse

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"agnes/domain/files"
	"agnes/domain/work"
)

// randomJSON makes values of one kind for each key, with now and then another.
type randomJSON struct {
	r     *rand.Rand
	kinds map[string]int
}

var jsonKeys = []string{"a", "b b", "c.d", `e"e`, "é", "it's", "order", "f_1"}

func (j randomJSON) object(path string, depth int) map[string]any {
	o := map[string]any{}
	for i, key := range jsonKeys[:1+len(path)%len(jsonKeys)] {
		if j.r.IntN(6) == 0 {
			continue // a key that is missing
		}
		o[key] = j.value(path+"/"+strconv.Itoa(i), depth)
	}
	return o
}

func (j randomJSON) value(path string, depth int) any {
	kind, known := j.kinds[path]
	if !known {
		kind = j.r.IntN(14)
		j.kinds[path] = kind
	}
	if j.r.IntN(60) == 0 {
		kind = j.r.IntN(14)
	}
	switch kind {
	case 0:
		return json.Number(strconv.Itoa(j.r.IntN(2000) - 1000))
	case 1:
		return json.Number(strconv.FormatInt(j.r.Int64()-j.r.Int64(), 10))
	case 2:
		return json.Number(strconv.FormatUint(j.r.Uint64(), 10))
	case 3:
		return json.Number(strconv.FormatFloat(j.r.NormFloat64()*1e6, 'g', -1, 64))
	case 4:
		return j.r.IntN(2) == 0
	case 5:
		return nil
	case 6:
		return randomDay(j.r).Format("2006-01-02")
	case 7:
		return randomDay(j.r).Format("2006-01-02T15:04:05Z")
	case 8:
		return strings.ReplaceAll(randomKinds[j.r.IntN(len(randomKinds))](j.r), "\x00", "")
	case 9, 10:
		if depth > 0 {
			return j.object(path, depth-1)
		}
	case 11, 12:
		list := make([]any, j.r.IntN(4))
		for i := range list {
			list[i] = j.value(path+"[]", max(0, depth-1))
		}
		return list
	}
	return randomWords[j.r.IntN(len(randomWords))]
}

// writeJSON writes rows as a list or one a line.
func writeJSON(t *testing.T, r *rand.Rand, rows []map[string]any) (name, content string) {
	t.Helper()
	list, end := r.IntN(2) == 0, []string{"\n", "\r\n", " \n"}[r.IntN(3)]
	texts := make([]string, len(rows))
	for i, row := range rows {
		text, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(text)
	}
	name, content = "a.ndjson", strings.Join(texts, end)+end
	if list {
		name, content = "a.json", "["+strings.Join(texts, ","+end)+"]"
	}
	if r.IntN(5) == 0 {
		content = byteOrderMark + content
	}
	if r.IntN(5) == 0 {
		return name + ".gz", mustGzip(t, content)
	}
	return name, content
}

func TestTablesWrittenAsJSONAreReadBack(t *testing.T) {
	t.Parallel()
	for seed := range uint64(dialects) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 3))
			j := randomJSON{r, map[string]int{}}
			path := strings.Repeat("/", r.IntN(6)) // how wide the rows are
			rows := make([]map[string]any, 1+r.IntN(30))
			for i := range rows {
				rows[i] = j.object(path, 3)
			}
			rows[0]["first"] = json.Number("1")
			name, content := writeJSON(t, r, rows)
			s := newTestStore(t)
			out, _, err := convertWith(t, s, name, content, files.Options{})
			if err != nil {
				t.Fatalf("%v\n%.3000q", err, content)
			}
			wantObjects(t, s, out, rows)
			if t.Failed() {
				t.Logf("%s\n%.3000s", columnList(out.Columns), content)
			}
		})
	}
}

// wantObjects compares a version with the objects that were written.
func wantObjects(t *testing.T, s *Store, out work.Extracted, want []map[string]any) {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := collect(t.Context(), db, "SELECT CAST(to_json(t) AS VARCHAR) FROM read_parquet("+quoteFile(mustPath(t, s, out.Files[0].Key))+") AS t", func(r *sql.Rows) (got map[string]any, err error) {
		var text string
		if err := r.Scan(&text); err != nil {
			return nil, err
		}
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		return got, d.Decode(&got)
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(want) {
		t.Fatalf("%d rows, want %d", len(rows), len(want))
	}
	for i, row := range rows {
		if !sameJSON(row, want[i]) {
			got, _ := json.Marshal(row)
			wrote, _ := json.Marshal(want[i])
			t.Errorf("row %d is\n%s, want\n%s", i+1, got, wrote)
		}
	}
}

// sameJSON reports whether a value says what was written, as its type or as text.
func sameJSON(got, wrote any) bool {
	switch w := wrote.(type) {
	case nil:
		return emptyValue(got)
	case map[string]any:
		g, is := got.(map[string]any)
		for key := range w {
			if is && !sameJSON(g[key], w[key]) {
				return false
			}
		}
		for key := range g {
			if _, there := w[key]; !there && !emptyValue(g[key]) {
				return false
			}
		}
		return is || len(w) == 0 && got == nil
	case []any:
		g, is := got.([]any)
		if !is || len(g) != len(w) {
			return false
		}
		for i := range w {
			if !sameJSON(g[i], w[i]) {
				return false
			}
		}
		return true
	case json.Number:
		text := fmt.Sprint(got)
		a, aerr := strconv.ParseFloat(text, 64)
		b, berr := strconv.ParseFloat(w.String(), 64)
		whole := !strings.ContainsAny(w.String(), ".e")
		return text == w.String() || aerr == nil && berr == nil && a == b && (!whole || !exceeds(w.String()) || sameWhole(text, w.String()))
	case bool:
		return fmt.Sprint(got) == strconv.FormatBool(w)
	case string:
		g, is := got.(string)
		return is && (g == w || sameTime(g, w) || strings.EqualFold(g, w) && len(w) == 36)
	}
	return reflect.DeepEqual(got, wrote)
}

// sameWhole compares whole numbers of more digits than DOUBLE holds.
func sameWhole(got, wrote string) bool {
	a, err := strconv.ParseFloat(got, 64)
	return err == nil && strconv.FormatFloat(a, 'f', -1, 64) == wrote
}

func exceeds(whole string) bool { return len(strings.TrimPrefix(whole, "-")) > 15 }

// emptyValue is what stands where nothing was written.
func emptyValue(v any) bool {
	o, is := v.(map[string]any)
	for _, inner := range o {
		if !emptyValue(inner) {
			return false
		}
	}
	return v == nil || is
}
