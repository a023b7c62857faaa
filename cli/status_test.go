package cli

import (
	"path/filepath"
	"testing"
)

func TestStatus(t *testing.T) {
	b := newBench(t)
	b.env["AGNES_TOKEN"] = jwtOf(`{"email":"ana@example.com","exp":1772409600}`)
	b.publish(map[string]string{"orders": parquet("1"), "visits": parquet("2")})
	b.mustRun("pull")
	mustWrite(t, filepath.Join(b.workspace, ".claude", "agnes-sessions.txt"), "s1\t/a\n\ns2\t/b\n")
	mustWrite(t, filepath.Join(b.workspace, ".claude", "init-complete"), "")
	b.log = nil

	var got workspaceStatus
	mustParse(t, b.mustRun("status", "--json"), &got)
	want := workspaceStatus{
		Workspace: b.workspace, Initialized: true, ParquetTables: 2, LastSynced: "2026-03-01T12:00:00Z",
		SessionsPendingUpload: 2, Server: b.server.URL, SignedIn: true, Email: "ana@example.com",
	}
	if got != want {
		t.Errorf("status --json = %+v, want %+v", got, want)
	}
	wantIn(t, b.mustRun("status"), "Server:    "+b.server.URL, "Signed in: ana@example.com", "Copies:    2 tables", "Last pull: 2026-03-01T12:00:00Z")
	if len(b.requests("")) != 0 {
		t.Error("status asked the server")
	}
}

func TestStatusOfNothing(t *testing.T) {
	for name, token := range map[string]string{"no token": "", "an ended one": jwtOf(`{"email":"ana@example.com","exp":1}`)} {
		b := newBench(t)
		b.env["AGNES_TOKEN"] = token
		wantIn(t, b.mustRun("status"), "nobody; sign in with: agnes login --server", "0 tables", "pull with: agnes pull")
		var got workspaceStatus
		mustParse(t, b.mustRun("status", "--json"), &got)
		if got.SignedIn || got.Initialized || got.LastSynced != "" {
			t.Errorf("%s: status --json = %+v", name, got)
		}
	}
}

func TestStatusAfterAPullThatFailed(t *testing.T) {
	b := newBench(t)
	o := b.publish(map[string]string{"orders": parquet("1")})
	o.tables["lost"] = entry(parquet("2"))
	b.mustFail(1, "pull")
	var got workspaceStatus
	mustParse(t, b.mustRun("status", "--json"), &got)
	if got.LastSynced != "" || got.ParquetTables != 1 {
		t.Errorf("status --json = %+v: an incomplete pull is no sync", got)
	}
}
