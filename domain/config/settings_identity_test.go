package config

import "testing"

// TestIssuer: many providers have one issuer for each tenant, told apart by path.
func TestIssuer(t *testing.T) {
	t.Parallel()
	for want, text := range map[string]string{
		"https://login.example.com":                " https://login.example.com ",
		"https://login.example.com/":               "https://login.example.com/",
		"https://login.example.com/realms/Staff":   "https://login.example.com/realms/Staff",
		"https://login.example.com:8443/t/1/v2.0/": "https://login.example.com:8443/t/1/v2.0/",
		"http://127.0.0.1:9998":                    "http://127.0.0.1:9998",
	} {
		if got, err := issuer(text); got != want || err != nil {
			t.Errorf("issuer(%q) = %q, %v", text, got, err)
		}
	}
	for _, bad := range []string{"", "login.example.com", "https://", "ftp://login.example.com", "https://a:b@login.example.com", "https://login.example.com?x=1", "https://login.example.com/#", "https://login.example.com/?"} {
		if got, err := issuer(bad); err == nil {
			t.Errorf("issuer(%q) = %q", bad, got)
		}
	}
}
