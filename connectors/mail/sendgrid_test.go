package mail_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"agnes/connectors/mail"
	"agnes/domain"
)

func sendGrid(t *testing.T, answer http.HandlerFunc) *mail.SendGrid {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	m, err := mail.NewSendGrid(mail.SendGridConfig{Key: "SG.s3cret", From: "agnes@example.com", Name: "Agnes", BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSendGridDelivers(t *testing.T) {
	t.Parallel()
	var got map[string]any
	m := sendGrid(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/v3/mail/send" || r.Header.Get("Authorization") != "Bearer SG.s3cret" {
			t.Errorf("%s %s, %v", r.Method, r.URL, r.Header)
		}
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusAccepted)
	})
	receipt, err := m.Send(t.Context(), letter())
	if err != nil || receipt.Server != "SendGrid" || receipt.Answer != "202 Accepted" {
		t.Fatalf("Send() = %+v, %v", receipt, err)
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"personalizations":[{"to":[{"email":"ben@example.com"}]}]`, `"from":{"email":"agnes@example.com","name":"Agnes"}`, `"subject":"Sign in to Agnes"`,
		`{"type":"text/plain","value":"Open this: https://agnes.example/x?token=abc"}`, `"click_tracking":{"enable":false}`, `"open_tracking":{"enable":false}`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the body lacks %s: %s", want, text)
		}
	}
}

func TestSendGridSaysWhatItSaid(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"a wrong key": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"errors":[{"message":"The provided authorization grant SG.s3cret is invalid","field":null}]}`))
		}, "401 The provided authorization grant … is invalid."},
		"no JSON": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", http.StatusBadGateway) }, "502 Bad Gateway."},
		"another place": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://evil.invalid/", http.StatusTemporaryRedirect)
		}, "307 Temporary Redirect."},
		"a broken connection": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "cannot be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := sendGrid(t, c.answer).Send(t.Context(), letter())
			var known *domain.Error
			if !errors.As(err, &known) || known.Kind != domain.Unavailable || !strings.Contains(known.Message, c.want) {
				t.Fatalf("Send() = %v, want Unavailable with %q", err, c.want)
			}
			if strings.Contains(known.Message, "s3cret") {
				t.Error("the message holds the key")
			}
		})
	}
}

func TestSendGridGivesUp(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hold }))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(hold) })
	m, err := mail.NewSendGrid(mail.SendGridConfig{Key: "k", From: "agnes@example.com", BaseURL: server.URL, Timeout: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Send(t.Context(), letter()); domain.CodeOf(err) != "mail_unreachable" {
		t.Errorf("Send() = %v, want mail_unreachable", err)
	}
	if _, err := mail.NewSendGrid(mail.SendGridConfig{Key: "k"}); err == nil {
		t.Error("NewSendGrid took no sender")
	}
}
