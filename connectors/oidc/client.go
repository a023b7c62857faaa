package oidc

import (
	"errors"
	"io"
	"net"
	"net/http"
)

// newClient returns a client that waits no longer and reads no more than it
// should. Redirects are not followed: none of these calls has one, and a secret
// must not go where another answer points.
func newClient(c Config) *http.Client {
	next := c.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	return &http.Client{
		Timeout:       c.Timeout,
		Transport:     bounded{next},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// bounded fails for answers that are too large to be meant.
type bounded struct{ next http.RoundTripper }

// RoundTrip asks, and bounds the answer.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = &limited{ReadCloser: answer.Body, left: maxAnswer}
	return answer, nil
}

// limited is a body that fails, and does not merely end, beyond its limit.
type limited struct {
	io.ReadCloser
	left int
}

// Read reads the body.
func (l *limited) Read(b []byte) (int, error) {
	if l.left <= 0 {
		return 0, errors.New("the answer is too large")
	}
	n, err := l.ReadCloser.Read(b[:min(len(b), l.left)])
	l.left -= n
	return n, err
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
