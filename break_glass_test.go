package main

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/store"
)

// glass breaks the glass as a script does and returns what it printed.
func glass(t *testing.T, args ...string) map[string]any {
	t.Helper()
	out := map[string]any{}
	text := mustCommand(t, append([]string{"admin", "break-glass"}, append(args, "-y", "--json")...)...)
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return out
}

func mustState(t *testing.T, data string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Dir: data + "/state", Now: time.Now, NewID: newID})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// The server may run or not: who has its shell gets in.
func TestBreakGlass(t *testing.T) {
	data := shell(t)
	t.Setenv("SERVER_URL", "https://agnes.example.com")
	if _, _, err := command(t, "admin", "break-glass", "ada@example.com", "-y"); domain.CodeOf(err) != "no_state" {
		t.Errorf("without a state: %v", err)
	}
	mustCommand(t, "migrate")
	first := glass(t, "grant-admin", "Ada@Example.com")
	if first["created"] != true || first["made_admin"] != true || first["email"] != "ada@example.com" {
		t.Errorf("stopped server: %v", first)
	}

	running := mustState(t, data) // holds the lock as a server does
	ada, err := running.GetUserByEmail(t.Context(), "ada@example.com")
	if err != nil || !ada.Admin || ada.HasPassword {
		t.Fatalf("made %+v, %v", ada, err)
	}
	ben, err := running.CreateUser(t.Context(), audit.System("test"), people.NewUser{Email: "ben@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	off := false
	if _, err := running.UpdateUser(t.Context(), audit.System("test"), ben.ID, people.UserChange{Active: &off}); err != nil {
		t.Fatal(err)
	}
	second := glass(t, "ben@example.com")
	if second["created"] != false || second["reactivated"] != true || second["made_admin"] != true {
		t.Errorf("running server: %v", second)
	}
	if again := glass(t, "ben@example.com"); again["reactivated"] != false || again["made_admin"] != false || again["setup_url"] == second["setup_url"] {
		t.Errorf("again: %v", again)
	}
	p, err := running.Principal(t.Context(), ben.ID)
	if err != nil || !p.Admin {
		t.Errorf("the running server sees %+v, %v", p, err)
	}
	memberships, err := running.Memberships(t.Context(), ben.ID)
	if err != nil || memberships[0].GroupName != people.AdminGroup || memberships[0].Source != people.ByBreakGlass {
		t.Errorf("memberships %+v, %v", memberships, err)
	}
	link, err := url.Parse(second["setup_url"].(string))
	if err != nil || link.Host != "agnes.example.com" || link.Path != "/auth/password/setup" || len(link.Query().Get("token")) != 43 {
		t.Errorf("link %v, %v", link, err)
	}
	entries, err := running.ListAudit(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, e := range entries {
		if e.Action == "break_glass.grant_admin" {
			rows++
		}
		if text, _ := json.Marshal(e); strings.Contains(string(text), link.Query().Get("token")) {
			t.Error("the token is in the audit log")
		}
	}
	if rows != 3 {
		t.Errorf("%d audit rows, want 3", rows)
	}
}

func TestBreakGlassAsks(t *testing.T) {
	shell(t)
	mustCommand(t, "migrate")
	for answer, want := range map[string]string{"y\n": "", "n\n": "not_confirmed", "": "not_confirmed"} {
		var out, errs strings.Builder
		root := newRoot()
		root.SetArgs([]string{"admin", "break-glass", "ada@example.com"})
		root.SetIn(strings.NewReader(answer))
		root.SetOut(&out)
		root.SetErr(&errs)
		err := root.ExecuteContext(t.Context())
		if domain.CodeOf(err) != want || !strings.Contains(errs.String(), "ada@example.com an active administrator") {
			t.Errorf("answer %q: %v, asked %q", answer, err, errs.String())
		}
		if printed := strings.Contains(out.String(), "/auth/password/setup?email="); printed != (want == "") {
			t.Errorf("answer %q printed %q", answer, out.String())
		}
	}
	if _, _, err := command(t, "admin", "break-glass", "nobody", "-y"); domain.KindOf(err) != domain.Invalid {
		t.Errorf("no address: %v", err)
	}
}
