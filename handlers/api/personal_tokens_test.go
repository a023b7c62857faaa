package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
)

func TestMakingPersonalTokens(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		body   string
		status int
		life   time.Duration // 0: for ever
		scope  string
	}{
		"the defaults":        {`{"name":"laptop"}`, 201, 90 * day, "general"},
		"days":                {`{"name":"laptop","expires_in_days":1}`, 201, day, "general"},
		"the most days":       {`{"name":"laptop","expires_in_days":3650}`, 201, 3650 * day, "general"},
		"too many":            {`{"name":"laptop","expires_in_days":3651}`, 400, 0, ""},
		"none":                {`{"name":"laptop","expires_in_days":0}`, 400, 0, ""},
		"for ever":            {`{"name":"laptop","expires_in_days":null}`, 201, 0, "general"},
		"seconds win":         {`{"name":"laptop","expires_in_days":5,"ttl_seconds":60}`, 201, time.Minute, "general"},
		"no seconds":          {`{"name":"laptop","ttl_seconds":0}`, 400, 0, ""},
		"too many seconds":    {`{"name":"laptop","ttl_seconds":315360001}`, 400, 0, ""},
		"scopes":              {`{"name":"laptop","scope":"query read"}`, 201, 90 * day, "query read"},
		"an unknown scope":    {`{"name":"laptop","scope":"root"}`, 400, 0, ""},
		"the scope of routes": {`{"name":"laptop","scope":"any"}`, 400, 0, ""},
		"bootstrap":           {`{"name":"laptop","scope":"bootstrap-analyst"}`, 201, time.Hour, "bootstrap-analyst"},
		"bootstrap, for ever": {`{"name":"laptop","scope":"bootstrap-analyst","expires_in_days":null}`, 201, time.Hour, "bootstrap-analyst"},
		"bootstrap, shorter":  {`{"name":"laptop","scope":"bootstrap-analyst","ttl_seconds":60}`, 201, time.Minute, "bootstrap-analyst"},
		"a blank name":        {`{"name":"  "}`, 400, 0, ""},
		"a long name":         {`{"name":"` + strings.Repeat("x", 129) + `"}`, 400, 0, ""},
		"admin, of no admin":  {`{"name":"laptop","scope":"admin"}`, 403, 0, ""},
		"admin among others":  {`{"name":"laptop","scope":"read admin"}`, 403, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			body := s.as(s.analyst, http.MethodPost, "/auth/tokens", c.body).is(c.status)
			if c.status != http.StatusCreated {
				return
			}
			id := body["id"].(string)
			if body["prefix"] != id[:8] || body["name"] != "laptop" || body["scope"] != c.scope {
				t.Errorf("made %v", body)
			}
			got, err := s.store.GetToken(t.Context(), s.analyst.ID, access.TokenID(id))
			must(t, err)
			if (got.ExpiresAt == nil) != (c.life == 0) || c.life != 0 && got.ExpiresAt.Sub(got.CreatedAt) != c.life {
				t.Errorf("from %v to %v, want %v", got.CreatedAt, got.ExpiresAt, c.life)
			}
			claims := jwt.MapClaims{}
			if _, _, err := jwt.NewParser().ParseUnverified(body["token"].(string), claims); err != nil {
				t.Fatal(err)
			}
			if claims["typ"] != "pat" || claims["jti"] != id || claims["scope"] != c.scope || claims["sub"] != string(s.analyst.ID) || (claims["exp"] == nil) != (c.life == 0) {
				t.Errorf("claims %v", claims)
			}
			if c.scope != "bootstrap-analyst" && c.life == time.Minute {
				return
			}
			s.with(body["token"].(string), http.MethodGet, "/auth/me", nil).is(http.StatusOK)
		})
	}
	if strings.Contains(s.log.String(), "eyJ") {
		t.Error("the log holds a token")
	}
}

func TestPersonalTokensAreOnesOwn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token, text := s.mustPersonal(s.analyst, "general")
	one := "/auth/tokens/" + string(token.ID)
	list := s.as(s.analyst, http.MethodGet, "/auth/tokens", nil)
	if all := list.list(); len(all) != 1 || all[0]["id"] != string(token.ID) || strings.Contains(list.Body.String(), text) || all[0]["revoked_at"] != nil {
		t.Errorf("listed %s", list.Body)
	}
	s.with(text, http.MethodGet, one, nil).is(http.StatusOK)
	for _, c := range [][2]string{{http.MethodGet, one}, {http.MethodDelete, one}, {http.MethodPost, one + "/rotate"}} {
		s.as(s.admin, c[0], c[1], nil).is(http.StatusNotFound)
	}
	s.with(text, http.MethodPost, "/auth/tokens", `{"name":"more"}`).is(http.StatusForbidden)
	s.with(text, http.MethodPost, one+"/rotate", nil).is(http.StatusForbidden)
	s.as(s.analyst, http.MethodGet, "/auth/admin/tokens", nil).is(http.StatusForbidden)

	all := s.as(s.admin, http.MethodGet, "/auth/admin/tokens?limit=1", nil)
	if rows := all.list(); len(rows) != 1 || rows[0]["user_email"] != "ben@example.com" || rows[0]["user_id"] != string(s.analyst.ID) || rows[0]["last_used_ip"] != "192.0.2.1" || all.Header().Get("X-Total-Count") != "1" {
		t.Errorf("listed %s", all.Body)
	}
	s.as(s.admin, http.MethodDelete, "/auth/admin/tokens/"+string(token.ID), nil).is(http.StatusNoContent)
	if body := s.with(text, http.MethodGet, "/auth/me", nil).is(http.StatusUnauthorized); body["detail"] != "Token revoked" {
		t.Errorf("revoked: %v", body)
	}
	s.as(s.analyst, http.MethodDelete, one, nil).is(http.StatusNoContent)
	s.as(s.analyst, http.MethodDelete, "/auth/tokens/unknown", nil).is(http.StatusNotFound)
	if rows := s.audited("token.revoke"); len(rows) != 1 || rows[0].Actor.Email != "ada@example.com" {
		t.Errorf("rows %v", rows)
	}
}

func TestRotatingOverlaps(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token, old := s.mustPersonal(s.analyst, "read")
	works := func(text string) string {
		if got := s.with(text, http.MethodGet, "/auth/me", nil); got.Code != http.StatusOK {
			return got.is(http.StatusUnauthorized)["detail"].(string)
		}
		return "works"
	}
	body := s.as(s.analyst, http.MethodPost, "/auth/tokens/"+string(token.ID)+"/rotate", nil).is(http.StatusCreated)
	fresh := body["token"].(string)
	if body["scope"] != "read" || body["name"] != "test" || fresh == old || works(old) != "works" || works(fresh) != "works" {
		t.Errorf("rotated to %v; the old one %s", body, works(old))
	}
	s.as(s.analyst, http.MethodPost, "/auth/tokens/"+string(token.ID)+"/rotate", nil).is(http.StatusConflict)
	s.clock.advance(access.RotateOverlap - time.Second)
	if got := works(old); got != "works" {
		t.Errorf("within the day the old one says %q", got)
	}
	s.clock.advance(time.Second)
	if got := works(old); got != "Token expired" || works(fresh) != "works" {
		t.Errorf("after the day the old one says %q, the new one %q", got, works(fresh))
	}
	s.clock.advance(90 * 24 * time.Hour)
	if got := works(fresh); got != "Token expired" {
		t.Errorf("after its time the new one says %q", got)
	}
	short := s.as(s.analyst, http.MethodPost, "/auth/tokens", `{"name":"short","ttl_seconds":60}`).is(http.StatusCreated)
	s.as(s.analyst, http.MethodPost, "/auth/tokens/"+short["id"].(string)+"/rotate", nil).is(http.StatusCreated)
	s.clock.advance(time.Minute)
	if got := works(short["token"].(string)); got != "Token expired" {
		t.Errorf("rotating made a short token live longer: %q", got)
	}
}

// A token of the predecessor works on, once its row was taken over.
func TestImportedPersonalToken(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const id = "3f0c2f0e-8a55-4a67-9d52-0d3f2f6b0f11"
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": string(s.analyst.ID), "email": "ben@example.com", "typ": "pat", "iat": s.clock.now().Add(-time.Hour).Unix(), "jti": id, "scope": "general",
	}).SignedString([]byte("0123456789abcdef0123456789abcdef"))
	must(t, err)
	if body := s.with(text, http.MethodGet, "/auth/me", nil).is(http.StatusUnauthorized); body["detail"] != "Token unknown" {
		t.Errorf("before the import: %v", body)
	}
	must(t, s.store.CreateToken(t.Context(), audit.System("import"), access.Token{ID: id, UserID: s.analyst.ID, Scopes: access.Scopes{access.ScopeGeneral}, CreatedAt: s.clock.now()}, access.HashToken(text)))
	if body := s.with(text, http.MethodGet, "/auth/me", nil).is(http.StatusOK); body["via"] != "pat" || body["scopes"].([]any)[0] != "general" {
		t.Errorf("after it: %v", body)
	}
	const moved = "3f0c2f0e-8a55-4a67-9d52-0d3f2f6b0f12" // of an account whose address had one here already
	text, err = jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": "the id there", "email": "BEN@example.com", "typ": "pat", "iat": s.clock.now().Add(-time.Hour).Unix(), "jti": moved,
	}).SignedString([]byte("0123456789abcdef0123456789abcdef"))
	must(t, err)
	must(t, s.store.CreateToken(t.Context(), audit.System("import"), access.Token{ID: moved, UserID: s.analyst.ID, Scopes: access.Scopes{access.ScopeGeneral}, CreatedAt: s.clock.now()}, access.HashToken(text)))
	if body := s.with(text, http.MethodGet, "/auth/me", nil).is(http.StatusOK); body["id"] != string(s.analyst.ID) {
		t.Errorf("of an account with another id there: %v", body)
	}
	if body := s.with(text+"x", http.MethodGet, "/auth/me", nil).is(http.StatusUnauthorized); body["detail"] != "Invalid or expired token" {
		t.Errorf("with another signature: %v", body)
	}
}

// Every scope against a route of each kind.
func TestScopesAreEnforced(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.engine.numbers(1, 1)
	routes := []struct {
		method, path, body string
		scope              access.Scope
	}{
		{http.MethodGet, "/api/catalog/tables", "", access.ScopeRead},
		{http.MethodGet, "/api/sync/manifest", "", access.ScopeRead},
		{http.MethodGet, "/api/query/runs", "", access.ScopeQuery},
		{http.MethodGet, "/api/sync/runs", "", access.ScopeSync},
		{http.MethodGet, "/api/uploads", "", access.ScopeSync},
		{http.MethodGet, "/api/users", "", access.ScopeAdmin},
		{http.MethodGet, "/auth/me", "", access.ScopeAny},
	}
	opens := map[string]string{
		"read": "read any", "query": "query any", "sync": "sync any", "admin": "admin any",
		"general": "read query sync admin any", "bootstrap-analyst": "read query any", "read sync": "read sync any",
	}
	for scope, open := range opens {
		_, text := s.mustPersonal(s.admin, scope)
		for _, r := range routes {
			got := s.with(text, r.method, r.path, nil)
			want := strings.Contains(" "+open+" ", " "+string(r.scope)+" ")
			if (got.Code == http.StatusOK) != want {
				t.Errorf("a token with %q on %s: %d", scope, r.path, got.Code)
			}
			if !want && (got.Code != http.StatusForbidden || !strings.Contains(got.Body.String(), "This needs "+string(r.scope))) {
				t.Errorf("a token with %q on %s: %d %s", scope, r.path, got.Code, got.Body)
			}
		}
	}
	_, text := s.mustPersonal(s.analyst, "general")
	s.with(text, http.MethodGet, "/api/users", nil).is(http.StatusForbidden) // a scope adds nothing
	if s.signedIn[s.analyst.ID] != (people.Session{}) {
		t.Error("the test used another sign-in")
	}
}
