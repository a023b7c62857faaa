package access

import (
	"context"
	"strings"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
)

func TestParseScopes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "general", " ,": "general", "READ query": "read query", "read,read": "read", "general": "general", "bootstrap-analyst": "bootstrap-analyst"} {
		if got, err := ParseScopes(text); err != nil || got.String() != want {
			t.Errorf("ParseScopes(%q) = %q, %v; want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"root", "any", "read;admin", "read root"} {
		if got, err := ParseScopes(text); domain.KindOf(err) != domain.Invalid || got != nil {
			t.Errorf("ParseScopes(%q) = %q, %v", text, got, err)
		}
	}
}

// oneToken is a store that keeps one token.
type oneToken struct{ token Token }

func (o *oneToken) CreateToken(context.Context, audit.Actor, Token, string) error { return nil }

func (o *oneToken) GetToken(context.Context, people.UserID, TokenID) (Token, error) {
	return o.token, nil
}

func (o *oneToken) RotateToken(_ context.Context, _ audit.Actor, _ TokenID, _ time.Time, next Token, _ string) error {
	o.token = next
	return nil
}

func (o *oneToken) SignPersonal(Token) (string, error) { return "text", nil }

func TestTokenOfUnknownScopesOpensNothing(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	none := Scopes{}
	if got, err := ParseScopes(none.String()); err == nil {
		t.Errorf("no scopes are read again as %q", got)
	}
	p := Principal{Via: ViaPAT, Scopes: none}
	for _, need := range []Scope{ScopeRead, ScopeQuery, ScopeAdmin, ScopeGeneral} {
		if err := p.Meet(Terms{Scope: need}, now); domain.CodeOf(err) != "scope_unknown" || !strings.Contains(err.Error(), "Make a new one") {
			t.Errorf("%s: %v", need, err)
		}
	}
	if err := p.Meet(Terms{Scope: ScopeAny}, now); err != nil {
		t.Errorf("what every token may: %v", err)
	}
	kept := &oneToken{Token{ID: "t", Name: "old", Scopes: none, CreatedAt: now}}
	m := &Tokens{Store: kept, Signer: kept, Now: func() time.Time { return now }, NewID: func() string { return "n" }}
	if next, _, err := m.Rotate(t.Context(), Principal{Via: ViaSession}, "t"); domain.CodeOf(err) != "scope_unknown" {
		t.Errorf("a token like it has the scope %q, %v", next.Scopes, err)
	}
}

// Whoever could make an administrator's token by a token, or by an old sign-in,
// could keep a stolen one for ever.
func TestWhoMakesTokens(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	m := &Tokens{Now: func() time.Time { return now }}
	old := now.Add(-RecentFor - time.Second)
	for name, c := range map[string]struct {
		p      Principal
		scopes string
		code   string
	}{
		"a person":                        {Principal{Via: ViaSession}, "general", ""},
		"a person, with an old sign-in":   {Principal{Via: ViaToken, ProvedAt: old}, "read query", ""},
		"a person, for administration":    {Principal{Via: ViaSession, ProvedAt: now}, "admin", "admin_required"},
		"an administrator":                {Principal{Via: ViaSession, Admin: true, ProvedAt: now}, "admin", ""},
		"an administrator, old":           {Principal{Via: ViaSession, Admin: true, ProvedAt: old}, "admin", CodeRecent},
		"an administrator, old, for all":  {Principal{Via: ViaSession, Admin: true, ProvedAt: old}, "general", CodeRecent},
		"an administrator, old, by token": {Principal{Via: ViaToken, Admin: true, ProvedAt: old}, "general", CodeRecent},
		"an administrator, old, to read":  {Principal{Via: ViaSession, Admin: true, ProvedAt: old}, "read", ""},
		"a personal token":                {Principal{Via: ViaPAT, Admin: true, ProvedAt: now}, "read", "session_required"},
		"the scheduler":                   {Principal{Via: ViaSystem, Admin: true, ProvedAt: now}, "read", "session_required"},
	} {
		scopes, err := ParseScopes(c.scopes)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.may(c.p, scopes); domain.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want code %q", name, err, c.code)
		}
	}
}

func TestHashTokenIsThatOfThePredecessor(t *testing.T) {
	t.Parallel()
	if got := HashToken("abc"); got != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" || len(got) != 64 || strings.ToLower(got) != got {
		t.Errorf("HashToken = %s", got)
	}
}
