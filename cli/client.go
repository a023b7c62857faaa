package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"runtime"
	"time"

	"agnes/domain"
)

const (
	apiTimeout   = 30 * time.Second
	queryTimeout = 300 * time.Second

	maxAnswer      = 256 << 20 // of JSON, in bytes
	maxErrorAnswer = 1 << 20

	tries = 3
)

// retryDelays are the pauses before the second and the third try.
var retryDelays = [tries - 1]time.Duration{300 * time.Millisecond, time.Second}

// client speaks to one server's JSON API.
type client struct {
	server string // no trailing slash
	token  string // "" before sign-in
	agent  string
	http   *http.Client
	wait   func(ctx context.Context, d time.Duration) error
}

// client returns one for the server in use, signed in.
func (a *app) client() (*client, error) {
	server, err := a.server()
	if err != nil {
		return nil, err
	}
	token, err := a.token(server)
	if err != nil {
		return nil, err
	}
	return a.newClient(server, token.AccessToken), nil
}

func (a *app) newClient(server, token string) *client {
	c := *a.env.HTTP
	c.Timeout = 0 // each request has its own deadline; a download ends when it stalls
	c.CheckRedirect = stayHere
	return &client{
		server: server, token: token, http: &c, wait: a.env.wait,
		agent: fmt.Sprintf("agnes/%s (%s)", a.env.Version, runtime.GOOS),
	}
}

// stayHere follows redirects within the server only: another one must not get
// the token, and a redirected write would become a read.
func stayHere(next *http.Request, via []*http.Request) error {
	first := via[0]
	if next.URL.Scheme != first.URL.Scheme || next.URL.Host != first.URL.Host {
		return domain.E(domain.Unavailable, "redirected_elsewhere",
			"%s sends requests on to %s://%s. If that is the right address, sign in there with: agnes login --server %s://%s",
			first.URL.Host, next.URL.Scheme, next.URL.Host, next.URL.Scheme, next.URL.Host)
	}
	if len(via) > 5 || next.Method != first.Method {
		return domain.E(domain.Unavailable, "redirected", "%s answers with a redirect to %s. Is that address really Agnes's?", first.URL.Host, next.URL.Path)
	}
	return nil
}

// get reads one resource into out, trying again when the server is away.
func (c *client) get(ctx context.Context, path string, out any) error {
	var err error
	for try := range tries {
		if try > 0 {
			if werr := c.wait(ctx, retryDelays[try-1]); werr != nil {
				return werr
			}
		}
		if err = c.call(ctx, http.MethodGet, path, nil, out); !passing(err) {
			return err
		}
	}
	return err
}

// call sends body as JSON and reads the answer's JSON into out; either may be nil.
func (c *client) call(ctx context.Context, method, path string, body, out any) error {
	return c.callWithin(ctx, apiTimeout, method, path, body, out)
}

func (c *client) callWithin(ctx context.Context, limit time.Duration, method, path string, body, out any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, slowError(c.server, limit))
	defer cancel()
	req, err := c.request(ctx, method, path, body)
	if err != nil {
		return err
	}
	res, err := c.send(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		return c.refusal(res)
	}
	data, err := readBounded(ctx, res.Body, maxAnswer)
	if err != nil {
		return err
	}
	if out == nil {
		return nil
	}
	if kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err == nil && kind == "text/html" {
		return c.notAgnes()
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber() // an id of 19 digits stays itself
	if err := decoder.Decode(out); err != nil {
		return c.notAgnes()
	}
	return nil
}

func (c *client) request(ctx context.Context, method, path string, body any) (*http.Request, error) {
	var reader io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("write the request for %s: %w", path, err)
		}
		reader = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.server+path, reader)
	if err != nil {
		return nil, fmt.Errorf("make the request for %s: %w", path, err)
	}
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	return req, nil
}

// send returns the server's answer, whatever its status, or a sentence about
// why there is none.
func (c *client) send(req *http.Request) (*http.Response, error) {
	res, err := c.http.Do(req)
	if err == nil {
		return res, nil
	}
	return nil, c.transportError(req.Context(), err)
}

func (c *client) transportError(ctx context.Context, err error) error {
	var known *domain.Error
	if errors.As(err, &known) || errors.As(context.Cause(ctx), &known) {
		return known
	}
	if ctx.Err() != nil {
		return domain.E(domain.Cancelled, "stopped", "Stopped before the server answered.")
	}
	cause := err
	var ue *url.Error
	if errors.As(err, &ue) {
		cause = ue.Err
	}
	return domain.E(domain.Unavailable, "unreachable",
		"%s does not answer (%s). Check that the server runs and that the address is right; agnes login --server sets another one.", c.server, clean(cause.Error()))
}

// passing reports whether a failure may be gone at the next try.
func passing(err error) bool {
	if code := domain.CodeOf(err); code == "unreachable" || code == "answer_cut" {
		return true
	}
	switch statusOf(err) {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

func slowError(server string, limit time.Duration) error {
	return domain.E(domain.Unavailable, "no_answer_in_time", "%s did not answer within %s. Try again; if it stays so, ask whoever runs the server.", server, limit)
}

func (c *client) notAgnes() *domain.Error {
	return domain.E(domain.Unavailable, "not_agnes", "%s answers with something that is not Agnes's JSON. Is the address right? agnes login --server sets another one.", c.server)
}

func (c *client) refusal(res *http.Response) error {
	data, err := io.ReadAll(io.LimitReader(res.Body, maxErrorAnswer))
	if err != nil {
		data = nil // the status says enough
	}
	e := parseRefusal(res.StatusCode, res.Header, data)
	if res.StatusCode == http.StatusUnauthorized && c.token != "" {
		e.hint = "Your sign-in is not accepted any more. Sign in again with: agnes login --server " + c.server
	}
	return e
}

func readBounded(ctx context.Context, r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		var known *domain.Error
		if errors.As(context.Cause(ctx), &known) {
			return nil, known
		}
		return nil, domain.E(domain.Unavailable, "answer_cut", "The server's answer broke off (%s). Try again.", err)
	}
	if int64(len(data)) > limit {
		return nil, domain.E(domain.TooLarge, "answer_too_large", "The answer has more than %s, the most that is read. Ask for less.", size(limit))
	}
	return data, nil
}
