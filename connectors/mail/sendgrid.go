package mail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"agnes/domain"
	"agnes/domain/people"
)

// sendGridAPI is where SendGrid answers.
const sendGridAPI = "https://api.sendgrid.com"

// SendGridConfig is how mail is sent through SendGrid.
type SendGridConfig struct {
	Key     string
	From    string // address
	Name    string // beside it
	BaseURL string // "": SendGrid's own

	Timeout time.Duration // 0: twenty seconds
}

// SendGrid sends mail through the API of SendGrid.
type SendGrid struct {
	config SendGridConfig
	from   sender
	client *http.Client
}

var _ people.Mailer = (*SendGrid)(nil)

// NewSendGrid fails when there is no address that mail can come from.
func NewSendGrid(c SendGridConfig) (*SendGrid, error) {
	from, err := newSender(c.From, c.Name)
	if err != nil {
		return nil, err
	}
	if c.BaseURL == "" {
		c.BaseURL = sendGridAPI
	}
	if c.Timeout <= 0 {
		c.Timeout = sendTime
	}
	return &SendGrid{config: c, from: from, client: &http.Client{
		Timeout: c.Timeout,
		// The key goes to nobody else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

type sendGridAddress struct {
	Email string `json:"email"`
	Name  string `json:"name,omitempty"`
}

type sendGridContent struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

type sendGridSwitch struct {
	Enable bool `json:"enable"`
}

type sendGridMail struct {
	Personalizations []struct {
		To []sendGridAddress `json:"to"`
	} `json:"personalizations"`
	From    sendGridAddress   `json:"from"`
	Subject string            `json:"subject"`
	Content []sendGridContent `json:"content"`
	// Rewritten links would lead through another server, which could use them.
	Tracking struct {
		Click sendGridSwitch `json:"click_tracking"`
		Open  sendGridSwitch `json:"open_tracking"`
	} `json:"tracking_settings"`
}

// Send hands one mail to SendGrid; Unavailable with its words when it refuses.
func (s *SendGrid) Send(ctx context.Context, m people.Message) (people.Receipt, error) {
	m, err := checked(m)
	if err != nil {
		return people.Receipt{}, err
	}
	mail := sendGridMail{
		From: sendGridAddress{Email: s.from.address, Name: s.from.name}, Subject: m.Subject,
		Content: []sendGridContent{{"text/plain", m.Text}, {"text/html", m.HTML}},
	}
	mail.Personalizations = append(mail.Personalizations, struct {
		To []sendGridAddress `json:"to"`
	}{[]sendGridAddress{{Email: m.To}}})
	body, err := json.Marshal(mail)
	if err != nil {
		return people.Receipt{}, fmt.Errorf("write the mail: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(s.config.BaseURL, "/")+"/v3/mail/send", bytes.NewReader(body))
	if err != nil {
		return people.Receipt{}, fmt.Errorf("ask SendGrid: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+s.config.Key)
	r.Header.Set("Content-Type", "application/json")
	got, text, err := s.do(r) //nolint:bodyclose // do has read and closed it
	if err != nil {
		return people.Receipt{}, err
	}
	said := s.said(got, text)
	if got.StatusCode/100 != 2 {
		return people.Receipt{}, refused(said, nil)
	}
	return people.Receipt{Server: "SendGrid", Answer: said}, nil
}

// do asks, and reads the answer.
func (s *SendGrid) do(r *http.Request) (*http.Response, []byte, error) {
	got, err := s.client.Do(r)
	if err != nil {
		return nil, nil, unreachable(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(io.LimitReader(got.Body, 64<<10))
	if err != nil {
		return nil, nil, unreachable(err)
	}
	return got, text, nil
}

// said is what SendGrid answered, in one line.
func (s *SendGrid) said(got *http.Response, body []byte) string {
	words := http.StatusText(got.StatusCode)
	var told struct {
		Errors []struct {
			Message string `json:"message"`
		} `json:"errors"`
	}
	if json.Unmarshal(body, &told) == nil && len(told.Errors) > 0 {
		words = told.Errors[0].Message
	}
	return answer(fmt.Sprintf("%d %s", got.StatusCode, words), s.config.Key)
}

func unreachable(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return domain.E(domain.Unavailable, "mail_unreachable", "SendGrid cannot be reached, or did not answer in time.").Because(err)
}
