package people

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"agnes/domain"
	"agnes/domain/audit"
)

func TestNormalEmail(t *testing.T) {
	for in, want := range map[string]string{"a@b.c": "a@b.c", "  Petra.N@Example.COM ": "petra.n@example.com"} {
		if got, err := NormalEmail(in); got != want || err != nil {
			t.Errorf("NormalEmail(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for _, bad := range []string{"", "a", "a@", "Petra <a@b.c>", "a@b.c, d@e.f", "a@b.c\nx", "\u212aate@b.c", "r\u0130ck@b.c", strings.Repeat("a", 250) + "@b.cd"} {
		if got, err := NormalEmail(bad); domain.KindOf(err) != domain.Invalid {
			t.Errorf("NormalEmail(%q) = %q, %v; want Invalid", bad, got, err)
		}
	}
}

func FuzzNormalEmail(f *testing.F) {
	for _, s := range []string{"a@b.c", "A@B.C", "<a@b.c>", "a@b.c "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once, err := NormalEmail(s)
		if err != nil {
			return
		}
		if twice, err := NormalEmail(once); err != nil || twice != once {
			t.Errorf("NormalEmail(%q) = %q, which becomes %q, %v", s, once, twice, err)
		}
	})
}

func TestCheckPassword(t *testing.T) {
	for password, fine := range map[string]bool{
		"nine green": true, "ěščřžýáí": true, "1234567": false, "": false, strings.Repeat("x", 1025): false,
	} {
		if err := CheckPassword(password); (err == nil) != fine {
			t.Errorf("CheckPassword of %d bytes = %v, want fine %v", len(password), err, fine)
		}
	}
}

func TestGroupName(t *testing.T) {
	if got, err := GroupName(" Sales "); got != "Sales" || err != nil {
		t.Errorf("GroupName = %q, %v", got, err)
	}
	for _, bad := range []string{" ", strings.Repeat("g", 129)} {
		if _, err := GroupName(bad); domain.KindOf(err) != domain.Invalid {
			t.Errorf("GroupName(%q) = %v, want Invalid", bad, err)
		}
	}
}

// accounts holds one user and one link.
type accounts struct {
	email, hash string
	active      bool
	broken      error
	link        string
	expires     time.Time
	created     NewUser
}

func (a *accounts) CountUsers(context.Context) (int, error) { return 1, nil }
func (a *accounts) PasswordHash(_ context.Context, email string) (UserID, string, bool, error) {
	switch {
	case a.broken != nil:
		return "", "", false, a.broken
	case email != a.email:
		return "", "", false, domain.E(domain.NotFound, "user_not_found", "User not found")
	}
	return "u1", a.hash, a.active, nil
}

func (a *accounts) RenewPasswordHash(_ context.Context, _ UserID, old, renewed string) error {
	if a.hash == old {
		a.hash = renewed
	}
	return nil
}

func (a *accounts) GetUser(_ context.Context, id UserID) (User, error) {
	return User{ID: id, Email: a.email}, nil
}

func (a *accounts) ReplaceFirstRunLink(_ context.Context, hash []byte, expires time.Time) error {
	a.link, a.expires = string(hash), expires
	return nil
}

func (a *accounts) FirstRunOpen(_ context.Context, hash []byte) error {
	if string(hash) != a.link {
		return domain.E(domain.NotFound, "link", "The link is not valid.")
	}
	return nil
}

func (a *accounts) CreateFirstAdmin(ctx context.Context, _ audit.Actor, hash []byte, u NewUser) (User, error) {
	if err := a.FirstRunOpen(ctx, hash); err != nil {
		return User{}, err
	}
	a.created = u
	return User{ID: "u2", Email: u.Email}, nil
}

func (a *accounts) EnsureSeedAdmin(context.Context, string, string) error { return nil }

func TestPasswordSignIn(t *testing.T) {
	hash, err := HashPassword("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name            string
		accounts        accounts
		email, password string
		code            string
	}{
		{"right", accounts{email: "a@b.c", hash: hash, active: true}, " A@B.C ", "correct horse", ""},
		{"wrong password", accounts{email: "a@b.c", hash: hash, active: true}, "a@b.c", "wrong horse", "invalid_credentials"},
		{"unknown address", accounts{email: "a@b.c", hash: hash, active: true}, "x@b.c", "correct horse", "invalid_credentials"},
		{"no address", accounts{}, "", "correct horse", "invalid_credentials"},
		{"no password set", accounts{email: "a@b.c", active: true}, "a@b.c", "", "invalid_credentials"},
		{"deactivated, wrong password", accounts{email: "a@b.c", hash: hash}, "a@b.c", "wrong", "invalid_credentials"},
		{"deactivated", accounts{email: "a@b.c", hash: hash}, "a@b.c", "correct horse", "deactivated"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := &SignIn{Accounts: &c.accounts, Now: time.Now}
			u, err := s.Password(t.Context(), c.email, c.password)
			if got := domain.CodeOf(err); got != c.code {
				t.Errorf("Password = %v, want code %q", err, c.code)
			}
			if c.code == "" && u.ID != "u1" {
				t.Errorf("signed in as %q, want u1", u.ID)
			}
		})
	}
	broken := &SignIn{Accounts: &accounts{broken: errors.New("disk")}, Now: time.Now}
	if _, err := broken.Password(t.Context(), "a@b.c", "x"); domain.KindOf(err) != domain.Internal {
		t.Errorf("Password on a broken store = %v, want Internal", err)
	}
}

// Hashes of the predecessor have costs of their own.
func TestHashesAreRenewedAtSignIn(t *testing.T) {
	old, err := argon2id.CreateHash("correct horse", &argon2id.Params{Memory: 8 * 1024, Iterations: 1, Parallelism: 2, SaltLength: 8, KeyLength: 16})
	if err != nil {
		t.Fatal(err)
	}
	a := &accounts{email: "a@b.c", hash: old, active: true}
	s := &SignIn{Accounts: a, Now: time.Now}
	if _, err := s.Password(t.Context(), "a@b.c", "wrong horse"); err == nil || a.hash != old {
		t.Errorf("a wrong password: %v, hash renewed %t", err, a.hash != old)
	}
	var hashes []string
	for range 2 {
		if _, err := s.Password(t.Context(), "a@b.c", "correct horse"); err != nil {
			t.Errorf("the right password: %v", err)
		}
		if params, _, _, err := argon2id.DecodeHash(a.hash); err != nil || *params != *hashing() {
			t.Errorf("costs %+v, %v", params, err)
		}
		hashes = append(hashes, a.hash)
	}
	if hashes[0] == old || hashes[0] != hashes[1] {
		t.Error("a hash is renewed once, when its costs are not ours")
	}
}

func TestFirstAdmin(t *testing.T) {
	a := &accounts{}
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	s := &SignIn{Accounts: a, Now: func() time.Time { return now }}
	token, err := s.FirstRunToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(token) != 43 || strings.Contains(a.link, token) || !a.expires.Equal(now.Add(time.Hour)) {
		t.Errorf("token of %d characters, stored expiry %s", len(token), a.expires)
	}
	for name, form := range map[string][3]string{
		"another token":  {"x", "a@b.c", "long enough"},
		"no e-mail":      {token, "", "long enough"},
		"short password": {token, "a@b.c", "short"},
	} {
		if _, err := s.FirstAdmin(t.Context(), audit.Actor{}, form[0], form[1], "A", form[2]); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	u, err := s.FirstAdmin(t.Context(), audit.Actor{}, token, "A@B.C", "A", "long enough")
	if err != nil || u.Email != "a@b.c" || a.created.Source != BySeed || a.created.PasswordHash == "" {
		t.Errorf("FirstAdmin = %+v, %v; created %+v", u, err, a.created)
	}
}

// tries counts in memory; the store's own counting is tested there.
type tries map[string]int

func (c tries) TakeTry(_ context.Context, key string, l TryLimit) (time.Duration, error) {
	if c[key] >= l.Free {
		return 90 * time.Second, nil
	}
	c[key]++
	return 0, nil
}

func (c tries) ForgetTries(_ context.Context, key string) error {
	delete(c, key)
	return nil
}

func TestPasswordTriesAreBounded(t *testing.T) {
	hash, err := HashPassword("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	counter := tries{}
	s := &SignIn{Accounts: &accounts{email: "a@b.c", hash: hash, active: true}, Throttle: &Throttle{Counter: counter}, Now: time.Now}
	for range 9 {
		if _, err := s.Password(t.Context(), "a@b.c", "x"); domain.CodeOf(err) != "invalid_credentials" {
			t.Fatal(err)
		}
	}
	if _, err := s.Password(t.Context(), " A@B.C", "correct horse"); err != nil {
		t.Fatalf("the tenth: %v", err)
	}
	if len(counter) != 0 {
		t.Errorf("a success left tries: %v", counter)
	}
	var known, unknown error
	for range 11 {
		_, known = s.Password(t.Context(), "a@b.c", "x")
		_, unknown = s.Password(t.Context(), "nobody@b.c", "x")
	}
	if domain.KindOf(known) != domain.Limited || TryAgainAfter(known) != 90*time.Second || known.Error() != unknown.Error() {
		t.Errorf("known: %v; unknown: %v", known, unknown)
	}
	if want := "Too many attempts to sign in to this account. Wait 2 minutes, then try again."; known.Error() != want {
		t.Errorf("sentence = %q", known)
	}
	if _, err := s.Password(t.Context(), "a@b.c", "correct horse"); domain.KindOf(err) != domain.Limited {
		t.Errorf("the right password during the wait: %v", err)
	}
}

func TestMayHavePassword(t *testing.T) {
	for name, c := range map[string]struct {
		user User
		code string
	}{
		"nobody else vouches":           {User{}, ""},
		"by link":                       {User{Methods: []Method{ByLink}}, ""},
		"a service vouches":             {User{Methods: []Method{ByGoogle}}, "signs_in_elsewhere"},
		"another service vouches":       {User{Methods: []Method{ByLink, ByOIDC}}, "signs_in_elsewhere"},
		"a password beside the service": {User{HasPassword: true, Methods: []Method{ByPassword, ByGoogle}}, ""},
		"a directory keeps the groups":  {User{HasPassword: true, SSO: true}, "sso_user"},
	} {
		if got := domain.CodeOf(c.user.MayHavePassword()); got != c.code {
			t.Errorf("%s: %q, want %q", name, got, c.code)
		}
	}
}
