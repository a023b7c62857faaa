package views

import (
	"strings"
	"testing"
)

func TestSignInRefusal(t *testing.T) {
	t.Parallel()
	if got := SignInRefusal(""); got != "" {
		t.Errorf("no code says %q", got)
	}
	other := SignInRefusal("<b>call 555</b>")
	if strings.Contains(other, "555") {
		t.Errorf("an unknown code puts words on the page: %q", other)
	}
	for _, code := range []string{
		"google_not_configured", "oidc_not_configured", "no_email", "email_not_verified", "domain_not_allowed", "not_invited", "deactivated",
		"not_in_allowed_group", "identity_changed", "provider_unavailable", "access_denied", "sign_in_expired", "not_fresh",
	} {
		if got := SignInRefusal(code); got == other || !strings.HasSuffix(got, ".") {
			t.Errorf("%s says %q", code, got)
		}
	}
}
