package warehouse

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"agnes/domain/work"
)

const (
	hiddenURL   = "https://hidden.example/it's"
	hiddenToken = "s3cr'et-token"
)

// The extension json is linked in, so it loads; what it attaches is nothing.
func TestAttachRemote(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	tried, err := s.AttachRemote(t.Context(), []work.Attachment{
		{Alias: "kbc", Extension: "keboola", URL: hiddenURL, Token: hiddenToken},
		{Alias: "odd", Extension: "json", URL: hiddenURL, Token: hiddenToken},
		{Alias: "plain", Extension: "json", URL: hiddenURL},
	})
	if err != nil || len(tried) != 3 {
		t.Fatalf("%+v, %v", tried, err)
	}
	for i, code := range []string{"extension_missing", "attach_failed", "attach_failed"} {
		if got := tried[i]; got.Code != code || got.Message == "" {
			t.Errorf("%s: %+v, want %s", got.Alias, got, code)
		}
	}
	if text := fmt.Sprintf("%+v", tried); strings.Contains(text, "hidden") || strings.Contains(text, "s3cr") || strings.Contains(text, s.dir) {
		t.Errorf("told too much: %s", text)
	}
	for _, bad := range []work.Attachment{{Alias: `x" (TYPE y)`, Extension: "json"}, {Alias: "x", Extension: "/tmp/evil.duckdb_extension"}} {
		if _, err := s.AttachRemote(t.Context(), []work.Attachment{bad}); FailureOf(err).Code != "job_invalid" {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

// Whoever puts an extension where the sentence says has it found there.
func TestWhereExtensionsBelong(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	try := func() work.Attached {
		t.Helper()
		tried, err := s.AttachRemote(t.Context(), []work.Attachment{{Alias: "kbc", Extension: "keboola", URL: hiddenURL}})
		if err != nil {
			t.Fatal(err)
		}
		return tried[0]
	}
	missing := try()
	_, after, _ := strings.Cut(missing.Message, "data directory's folder ")
	folder, _, told := strings.Cut(after, ", then look again")
	if missing.Code != "extension_missing" || !told {
		t.Fatalf("%+v", missing)
	}
	dir := filepath.Join(s.dir, folder)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "keboola.duckdb_extension"), bytes.Repeat([]byte("no extension"), 500), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := try(); got.Code != "extension_refused" || strings.Contains(got.Message, s.dir) {
		t.Errorf("a file that is no extension: %+v", got)
	}
}

func TestAttachStatements(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		a    work.Attachment
		want []string
	}{
		"everything is quoted": {
			work.Attachment{Alias: "kbc", Extension: "keboola", URL: hiddenURL, Token: hiddenToken},
			[]string{`ATTACH 'https://hidden.example/it''s' AS "kbc" (TYPE "keboola", READ_ONLY, TOKEN 's3cr''et-token')`},
		},
		"BigQuery": {
			work.Attachment{Alias: "bq", Extension: "bigquery", URL: "project=p", Token: hiddenToken, QueryTimeout: 10 * time.Minute},
			[]string{
				`CREATE TEMPORARY SECRET "bq_secret_bq" (TYPE bigquery, ACCESS_TOKEN 's3cr''et-token')`, `SET GLOBAL bq_query_timeout_ms = 600000`,
				`ATTACH 'project=p' AS "bq" (TYPE "bigquery", READ_ONLY)`,
			},
		},
		"BigQuery by itself": {
			work.Attachment{Alias: "bq", Extension: "bigquery", URL: "project=p"}, []string{`ATTACH 'project=p' AS "bq" (TYPE "bigquery", READ_ONLY)`},
		},
		"a timeout is BigQuery's alone": {
			work.Attachment{Alias: "kbc", Extension: "keboola", URL: "u", QueryTimeout: time.Minute}, []string{`ATTACH 'u' AS "kbc" (TYPE "keboola", READ_ONLY)`},
		},
	} {
		before, attach := attachStatements(c.a)
		if diff := cmp.Diff(c.want, append(before, attach)); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

// A secret is the engine's own to make; without the extension there is no such
// type, and the refusal tells nothing of the token.
func TestBigQuerySecretIsKnownToTheEngine(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	db, err := s.openWith(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	before, _ := attachStatements(work.Attachment{Alias: "bq", Extension: "bigquery", Token: hiddenToken})
	_, err = db.ExecContext(t.Context(), before[0])
	if err == nil || !strings.Contains(err.Error(), "bigquery") || strings.Contains(err.Error(), "Parser") {
		t.Errorf("%v, want a statement that parses and a type that is not there", err)
	}
}

// Address and token reach the child on standard input only, and no log of it.
func TestAttachChildTellsNothing(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustWrite(t, s, "extracts/shop/extract.duckdb", "not even opened")
	job := extractJob(s, "")
	job.Connector, job.Source, job.Inspect = "custom", "shop", work.InspectRemote
	job.Attach = []work.Attachment{{Alias: "odd", Extension: "json", URL: hiddenURL, Token: hiddenToken}, {Alias: "kbc", Extension: "keboola", URL: hiddenURL, Token: hiddenToken}}
	text, err := json.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	cmd := childCommand(t, "extract")
	var said bytes.Buffer
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = bytes.NewReader(text), &said, &said, []*os.File{write}
	for _, arg := range cmd.Args {
		if strings.Contains(arg, "s3cr") {
			t.Errorf("argument %q", arg)
		}
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := write.Close(); err != nil {
		t.Fatal(err)
	}
	var events bytes.Buffer
	if _, err := events.ReadFrom(read); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("child: %v\n%s", err, said.String())
	}
	all := events.String() + said.String()
	if !strings.Contains(all, "extension_missing") || !strings.Contains(all, "attach_failed") || !strings.Contains(all, `"done":true`) {
		t.Errorf("events %s", all)
	}
	if strings.Contains(all, "hidden") || strings.Contains(all, "s3cr") {
		t.Errorf("the child told: %s", all)
	}
}

func TestAttachmentsHideThemselves(t *testing.T) {
	t.Parallel()
	a := work.Attachment{Alias: "kbc", Extension: "keboola", URL: hiddenURL, Token: hiddenToken}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("tried", "system", a, "all", []work.Attachment{a})
	text := fmt.Sprintf("%v %+v %#v %s", a, a, a, log.String())
	if strings.Contains(text, "hidden") || strings.Contains(text, "s3cr") {
		t.Errorf("shown: %s", text)
	}
}
