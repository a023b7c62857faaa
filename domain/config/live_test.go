package config_test

import (
	"testing"

	"agnes/domain/config"
)

func TestLiveTakesWhatItCan(t *testing.T) {
	t.Parallel()
	before := mustLoad(t, from("mail: {smtp_host: mail.example.com, from: a@example.com, smtp_password: s3cret}\nquery: {queue: 10}", ""))
	live := config.NewLive(before)
	if got := live.Waiting(); len(got) != 0 {
		t.Fatalf("waiting at the start: %v", got)
	}

	live.Apply(mustLoad(t, from("instance: {name: Other}\nquery: {queue: 11, timeout_seconds: 5}", "")))

	now := live.Now()
	if now.Instance.Name != "Other" || now.Query.Timeout.Seconds() != 5 {
		t.Errorf("in force: %q, %v", now.Instance.Name, now.Query.Timeout)
	}
	if now.Mail.Host != "" || now.Mail.Password.Set() {
		t.Errorf("what was taken away is in force: %+v", now.Mail)
	}
	if now.Query.Queue != 10 {
		t.Errorf("queue %d, want that of the start", now.Query.Queue)
	}
	waiting := live.Waiting()
	if len(waiting) != 1 || waiting[0].Key != "query.queue" || waiting[0].Value != "11" {
		t.Errorf("waiting %v, want query.queue", waiting)
	}
	if got := now.OriginOf("instance.name"); got != "instance.yaml:1" {
		t.Errorf("origin %q", got)
	}

	live.Apply(before)
	if len(live.Waiting()) != 0 || live.Now().Mail.Password.Reveal() != "s3cret" {
		t.Errorf("back at the start: waiting %v, mail %+v", live.Waiting(), live.Now().Mail)
	}
}

// TestNeedRestartSeesSecrets: a changed secret is a change, and is not shown.
func TestNeedRestartSeesSecrets(t *testing.T) {
	t.Parallel()
	a := mustLoad(t, from("", "", "OIDC_CLIENT_SECRET=one-secret"))
	b := mustLoad(t, from("", "", "OIDC_CLIENT_SECRET=two-secret"))
	got := config.NeedRestart(a, b)
	if len(got) != 1 || got[0].Key != "auth.oidc.client_secret" || got[0].Value != "[redacted]" {
		t.Errorf("NeedRestart = %v", got)
	}
}
