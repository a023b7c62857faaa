package mail_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"agnes/connectors/mail"
	"agnes/connectors/mail/mailtest"
	"agnes/domain/config"
	"agnes/domain/settings"
)

// tested runs a check and returns each step in one line.
func tested(t *testing.T, k settings.ConnectionTest, text string) string {
	t.Helper()
	cfg, _, err := config.Load(config.Input{YAML: []config.File{{Name: "instance.yaml", Data: []byte(text)}}})
	if err != nil {
		t.Fatal(err)
	}
	if !k.Ready(cfg) {
		t.Fatal("the check is not ready")
	}
	var lines []string
	k.Run(t.Context(), cfg, func(s settings.Step) {
		lines = append(lines, fmt.Sprintf("%s: %s: %s", s.Name, s.State, s.Detail))
		if (s.State == settings.StepFailed) != (s.Fix != "") {
			t.Errorf("%s: a failure, and only a failure, has a fix: %+v", s.Name, s)
		}
	})
	all := strings.Join(lines, "\n")
	if strings.Contains(all, "s3cret") {
		t.Errorf("the steps show the secret:\n%s", all)
	}
	return all
}

func TestCheckSendGrid(t *testing.T) {
	t.Parallel()
	const conf = "mail: {from: a@example.com, sendgrid_api_key: SG.s3cret}"
	for name, c := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"it works":       {200, `{"scopes":["mail.send"]}`, "May send mail: ok"},
		"it may not":     {200, `{"scopes":["alerts.read"]}`, "May send mail: failed"},
		"the wrong key":  {401, `{"errors":[{"message":"authorization required"}]}`, "sign in with the key: failed: The mail server answered: 401 authorization required."},
		"another's site": {302, ``, "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "Bearer SG.s3cret" || r.URL.Path != "/v3/scopes" {
					t.Errorf("asked for %s", r.URL)
				}
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			t.Cleanup(server.Close)
			if got := tested(t, mail.Check{Now: time.Now, SendGridURL: server.URL}, conf); !strings.Contains(got, c.want) {
				t.Errorf("steps:\n%s\nwant %q", got, c.want)
			}
		})
	}
}

func TestCheckSMTP(t *testing.T) {
	t.Parallel()
	server := mailtest.New(t, mailtest.Options{User: "agnes", Password: "s3cret"})
	host, port := server.Host, server.Port
	conf := func(password, tls string, port int) string {
		return fmt.Sprintf("mail: {from: a@example.com, smtp_host: %s, smtp_port: %d, smtp_tls: %s, smtp_user: agnes, smtp_password: %s}", host, port, tls, password)
	}
	for name, c := range map[string]struct{ conf, want string }{
		"it works":           {conf("s3cret", "starttls", port), "Send from a@example.com: ok"},
		"the wrong password": {conf("s3cret-not", "starttls", port), "Sign in as agnes: failed"},
		"not as it expects":  {conf("s3cret", "tls", port), "Encrypt the connection: failed"},
		"nobody there":       {conf("s3cret", "none", 1), "Reach the server: failed"},
	} {
		if got := tested(t, mail.Check{Now: time.Now, Roots: server.Roots}, c.conf); !strings.Contains(got, c.want) {
			t.Errorf("%s: steps:\n%s\nwant %q", name, got, c.want)
		}
	}
	if n := len(server.Mails); n != 0 {
		t.Errorf("the tests sent %d mails", n)
	}
}
