package main

import (
	"log/slog"
	"slices"
	"strings"
	"testing"

	"agnes/domain/config"
	"agnes/domain/people"
)

// configured reads a configuration of environment lines only.
func configured(t *testing.T, env map[string]string) config.Config {
	t.Helper()
	cfg, _, err := config.Load(config.Input{Getenv: func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	}})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// TestSignInServices: only what is configured whole and not switched off is
// there; naming what is not configured switches nothing on.
func TestSignInServices(t *testing.T) {
	t.Parallel()
	google := map[string]string{"GOOGLE_CLIENT_ID": "a", "GOOGLE_CLIENT_SECRET": "b"}
	sso := map[string]string{"OIDC_ISSUER": "https://login.example.com", "OIDC_CLIENT_ID": "a", "OIDC_CLIENT_SECRET": "b", "OIDC_NAME": "Example"}
	both := func(more ...map[string]string) map[string]string {
		all := map[string]string{}
		for _, some := range append([]map[string]string{google, sso}, more...) {
			for k, v := range some {
				all[k] = v
			}
		}
		return all
	}
	for name, c := range map[string]struct {
		env      map[string]string
		want     []people.Method
		problems []string // a part of each
	}{
		"nothing":                      {nil, nil, nil},
		"Google":                       {google, []people.Method{people.ByGoogle}, nil},
		"both":                         {both(), []people.Method{people.ByGoogle, people.ByOIDC}, nil},
		"one is off":                   {both(map[string]string{"AGNES_DISABLED_SIGN_IN": "google"}), []people.Method{people.ByOIDC}, nil},
		"both are off":                 {both(map[string]string{"AGNES_DISABLED_SIGN_IN": "google,oidc"}), nil, nil},
		"off, and not there":           {map[string]string{"AGNES_DISABLED_SIGN_IN": "password,link"}, nil, nil},
		"Google by half":               {map[string]string{"GOOGLE_CLIENT_ID": "a"}, nil, []string{"for lack of GOOGLE_CLIENT_SECRET"}},
		"by half and off":              {map[string]string{"GOOGLE_CLIENT_ID": "a", "AGNES_DISABLED_SIGN_IN": "google"}, nil, nil},
		"a provider by half":           {map[string]string{"OIDC_ISSUER": "https://login.example.com"}, nil, []string{"for lack of OIDC_CLIENT_ID and OIDC_CLIENT_SECRET"}},
		"a provider by plain HTTP":     {both(map[string]string{"OIDC_ISSUER": "http://login.example.com"}), []people.Method{people.ByGoogle}, []string{"not reached by HTTPS"}},
		"a prefix that is not checked": {map[string]string{"AGNES_GOOGLE_GROUP_PREFIX": "grp_"}, nil, []string{"lets nobody new in"}},
		"an admin group outside the prefix": {
			map[string]string{"AGNES_GOOGLE_GROUP_PREFIX": "grp_", "AGNES_GROUP_ADMIN_EMAIL": "boss@example.com", "GOOGLE_ADMIN_SDK_SUBJECT": "root@example.com"},
			nil,
			[]string{"AGNES_GROUP_ADMIN_EMAIL does not begin"},
		},
		"mock groups":                  {map[string]string{"GOOGLE_ADMIN_SDK_MOCK_GROUPS": "a@example.com"}, nil, []string{"for trials only"}},
		"an admin group without claim": {map[string]string{"OIDC_ADMIN_GROUP": "admins"}, nil, []string{"groups_claim"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := configured(t, c.env)
			services, problems := signInServices(cfg)
			problems = append(problems, groupProblems(cfg)...)
			var got []people.Method
			for _, s := range services {
				got = append(got, s.Method)
			}
			if !slices.Equal(got, c.want) || len(problems) != len(c.problems) {
				t.Fatalf("services %v, problems %q; want %v, %q", got, problems, c.want, c.problems)
			}
			for i, want := range c.problems {
				if !strings.Contains(problems[i], want) {
					t.Errorf("problem %q, want %q", problems[i], want)
				}
			}
			if _, err := examineSignIn(cfg); (err != nil) != (len(c.problems) > 0) {
				t.Errorf("the doctor says %v", err)
			}
		})
	}
}

// TestFederationOf: a prefix alone closes the door to strangers.
func TestFederationOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env        map[string]string
		rules, dir bool
	}{
		"nothing":   {nil, false, false},
		"Admin SDK": {map[string]string{"GOOGLE_ADMIN_SDK_SUBJECT": "root@example.com"}, true, true},
		"trial":     {map[string]string{"GOOGLE_ADMIN_SDK_MOCK_GROUPS": "a@example.com"}, true, true},
		"prefix":    {map[string]string{"AGNES_GOOGLE_GROUP_PREFIX": "grp_"}, true, true},
	} {
		a := &app{cfg: configured(t, c.env), log: slog.New(slog.DiscardHandler)}
		got := a.federation().Services[people.ByGoogle]
		if (got.Rules != nil) != c.rules || (got.Directory != nil) != c.dir || !got.Hosted {
			t.Errorf("%s: %+v", name, got)
		}
	}
	f := (&app{cfg: configured(t, map[string]string{"OIDC_GROUPS_CLAIM": "groups", "OIDC_ADMIN_GROUP": "admins"})}).federation()
	if rules := f.Services[people.ByOIDC].Rules; rules == nil || rules.Admin != "admins" || rules.Source != people.ByOIDCSync {
		t.Errorf("rules: %+v", rules)
	}
}

func TestCallbackBaseOf(t *testing.T) {
	t.Parallel()
	for want, env := range map[string]map[string]string{
		"":                          nil,
		"https://agnes.example.com": {"SERVER_URL": "https://agnes.example.com/", "DOMAIN": "other.example.com"},
		"https://other.example.com": {"DOMAIN": "other.example.com"},
	} {
		if got := (&app{cfg: configured(t, env)}).callbackBase(); got != want {
			t.Errorf("base %q, want %q", got, want)
		}
	}
}
