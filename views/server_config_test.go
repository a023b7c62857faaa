package views

import (
	"errors"
	"testing"
	"time"

	"github.com/a-h/templ"

	"agnes/domain/config"
	"agnes/domain/settings"
)

func TestSettingLabel(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"instance.name": "Name", "mail.smtp_tls": "SMTP TLS", "auth.oidc.client_id": "OIDC client ID", "mail.sendgrid_api_key": "SendGrid API key",
		"data_source.bigquery.project": "BigQuery project", "server.url": "URL", "odd": "odd",
	} {
		if got := SettingLabel(key); got != want {
			t.Errorf("SettingLabel(%q) = %q, want %q", key, got, want)
		}
	}
}

// testSettings is every section, with fields in every state.
func testSettings() *settings.View {
	v := &settings.View{Version: 7, ChangedAt: noon().Add(-72 * time.Hour), ChangedBy: "jonas@hollisbrandt.eu"}
	for _, s := range config.Sections() {
		section := settings.SectionView{Section: s}
		for i, f := range config.Fields() {
			if config.SectionName(f.Key) != s.Name {
				continue
			}
			field := settings.Field{Setting: f, Value: f.Default, IsSet: f.Default != "", Origin: settings.FromDefault}
			switch i % 5 {
			case 1:
				field.Origin, field.Where, field.Waits = settings.FromOverlay, "state/instance.yaml:3", true
			case 2:
				field.Origin, field.Where = settings.FromEnvironment, "A_VARIABLE_OF_THE_ENVIRONMENT"
			case 3:
				field.Origin, field.Where = settings.FromBase, "config/instance.yaml:12"
			}
			if f.Secret {
				field.Value, field.IsSet, field.Origin, field.At, field.By = "", true, settings.FromOverlay, noon().Add(-72*time.Hour), "jonas@hollisbrandt.eu"
			}
			section.Fields = append(section.Fields, field)
		}
		v.Sections = append(v.Sections, section)
	}
	v.Elsewhere = []settings.Field{{Setting: config.Setting{Env: []string{"DATA_DIR"}, About: "Folder of everything."}, Value: "/srv/agnes", IsSet: true, Origin: settings.FromFlag, Where: "--data-dir"}}
	v.Waiting = []config.Effective{{Setting: config.Setting{Key: "query.queue"}}, {Setting: config.Setting{Key: "files.max_upload_bytes"}}}
	return v
}

func addSettings(add func(string, Chrome, string, Nav, func(Chrome) templ.Component), admin Chrome) {
	show := func(name string, v ServerConfigView) {
		v.Now = noon()
		add(name, admin, "Settings", NavServer, func(c Chrome) templ.Component { return ServerConfigPage(c, v) })
	}
	show("settings", ServerConfigView{View: testSettings(), Section: "mail", Testing: true, Tested: []settings.Tested{{Title: "Mail", Steps: []settings.Step{
		{Name: "Reach the server", State: settings.StepOK, Detail: "It takes connections."},
		{Name: "Sign in as agnes", State: settings.StepFailed, Detail: "The mail server answered: 535.", Fix: "Check name and password."},
		{Name: "Send", State: settings.StepSkipped},
	}}}})
	show("settings-wrong", ServerConfigView{
		View: testSettings(), Section: "query", Entered: map[string]string{"query.queue": "soon"}, Errors: FieldErrors{"query.queue": `"soon" is not a whole number.`}, Problem: "Some values cannot be used.",
	})
	broken := testSettings()
	broken.Problem, broken.Outside = errors.New("line 3"), true
	show("settings-broken", ServerConfigView{View: broken, Section: "materialize"})
	show("settings-outside", ServerConfigView{View: testSettings(), Section: OutsideSection})
	plan := &settings.Plan{
		Sections: []string{"auth", "data_source"}, Danger: []string{"auth"}, Affected: []settings.Affected{{ID: "orders", Name: "orders", Breaks: "It would be looked for in another project."}},
	}
	for _, key := range []string{"auth.session_days", "instance.name", "ai.api_key"} {
		f, _ := config.FieldOf(key)
		plan.Changes = append(plan.Changes, settings.Change{Setting: f, Path: key, Before: "7", After: "14"})
	}
	add("settings-review", admin, "Review changes", NavServer, func(c Chrome) templ.Component {
		return SettingsReviewPage(c, SettingsReviewView{ID: "x", Plan: plan, Stale: true, Error: "Nothing was saved."})
	})
}
