package cli

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// streams makes the server answer queries with rows of the kind that is asked for.
func (b *bench) streams(rows, truncated string) {
	b.mux.HandleFunc("POST /api/query", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", r.Header.Get("Accept")+"; charset=utf-8")
		w.Header().Set("Trailer", "X-Query-Truncated")
		if _, err := io.WriteString(w, rows); err != nil {
			b.t.Error(err)
		}
		if truncated == "cut" {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("X-Query-Truncated", truncated)
	})
}

func TestQueryStreams(t *testing.T) {
	long := strings.Repeat("1\n", 200_000)
	for format, kind := range map[string]string{"csv-stream": "text/csv", "tsv": "text/tab-separated-values", "ndjson": "application/x-ndjson", "arrow": "application/vnd.apache.arrow.stream"} {
		b := newBench(t)
		b.streams(long, "false")
		stdout, stderr, err := b.run("query", "SELECT 1", "--format", format)
		if err != nil || stdout != long || stderr != "" {
			t.Errorf("%s: %d bytes, %q, %v", format, len(stdout), stderr, err)
		}
		if got, want := b.requests("POST")[0], `POST /api/query {"sql":"SELECT 1"}`; got != want || b.last.Get("Accept") != kind {
			t.Errorf("%s asked %s as %s", format, got, b.last.Get("Accept"))
		}
	}
}

func TestQueryStreamsSayWhatIsMissing(t *testing.T) {
	b := newBench(t)
	b.streams("n\n1\n", "true")
	stdout, stderr, err := b.run("query", "SELECT 1", "-f", "tsv", "--limit", "1")
	if err != nil || stdout != "n\n1\n" || !strings.Contains(stderr, "Only the first 1 row") {
		t.Errorf("%q, %q, %v", stdout, stderr, err)
	}
	if got := b.requests("POST")[0]; !strings.Contains(got, `"limit":1`) {
		t.Errorf("asked %s", got)
	}
	b = newBench(t)
	b.streams(strings.Repeat("1\n", 100_000), "cut")
	wantIn(t, b.mustFail(1, "query", "SELECT 1", "-f", "csv-stream"), "not whole")
	b = newBench(t)
	b.answer("POST /api/query", 200, `{"columns":[],"rows":[]}`)
	wantIn(t, b.mustFail(1, "query", "SELECT 1", "-f", "arrow"), "older release")
	b = newBench(t)
	b.answer("POST /api/query", 400, `{"detail":"Query error: no such table"}`)
	wantIn(t, b.mustFail(1, "query", "SELECT 1", "-f", "arrow"), "no such table")
}

func TestQueryFormatsByShortFlags(t *testing.T) {
	b := newBench(t)
	b.answer("POST /api/query", 200, `{"columns":["a"],"rows":[[1]],"row_count":1,"truncated":false}`)
	if got, want := b.mustRun("query", "SELECT 1", "--json"), "[\n  {\"a\": 1}\n]\n"; got != want {
		t.Errorf("--json: %q, want %q", got, want)
	}
	all := "a\n" + strings.Repeat("1\n", 5000) // more than --limit is by itself
	for args, want := range map[string]string{"--csv": `{"sql":"SELECT 1"}`, "--csv --limit 9000": `{"limit":9000,"sql":"SELECT 1"}`} {
		b := newBench(t)
		b.streams(all, "false")
		if got := b.mustRun(append([]string{"query", "SELECT 1"}, strings.Fields(args)...)...); got != all {
			t.Errorf("%s: %d bytes of %d", args, len(got), len(all))
		}
		if got := b.requests("POST")[0]; got != "POST /api/query "+want || b.last.Get("Accept") != "text/csv" {
			t.Errorf("%s asked %s as %s", args, got, b.last.Get("Accept"))
		}
	}
	b = newBench(t)
	b.mustFail(exitUsage, "query", "SELECT 1", "--json", "--csv")
	b.mustFail(exitUsage, "query", "SELECT 1", "--json", "-f", "table")
}
