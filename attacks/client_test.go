//go:build duckdb_arrow

package attacks

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// client is one person at a server; without a token nobody.
type client struct {
	*server
	token  string
	barred bool // may not see what the canaries mark
}

// refused is an answer that is not a success.
type refused struct {
	status int
	text   string
	answer *answer
}

func (r *refused) Error() string { return fmt.Sprintf("answer %d: %s", r.status, r.text) }

type answer struct {
	status int
	header http.Header
	body   []byte
	first  time.Duration // until the first byte of the body
}

// send makes one request and reads the whole answer; every status of 400 and
// above is a *refused.
func (c *client) send(method, path, contentType string, body io.Reader) (*answer, error) {
	return c.sendWith(c.c.ctx, method, path, contentType, "", body)
}

func (c *client) sendWith(ctx context.Context, method, path, contentType, accept string, body io.Reader) (*answer, error) {
	typed, isText := body.(*bytes.Reader)
	var sent []byte
	if isText {
		sent, _ = io.ReadAll(typed) // of memory
		body = bytes.NewReader(sent)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.url+path, body)
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	began := time.Now()
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	got := &answer{status: resp.StatusCode, header: resp.Header}
	head := make([]byte, 1)
	if _, err := io.ReadFull(resp.Body, head); err == nil {
		got.first = time.Since(began)
		rest, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, fmt.Errorf("the answer of %s broke off: %w", path, err)
		}
		got.body = append(head, rest...)
	}
	if err := c.c.seen.look(got, c.barred, string(sent)); err != nil {
		return nil, err
	}
	if resp.StatusCode >= 400 {
		return nil, &refused{resp.StatusCode, sentenceOf(got.body), got}
	}
	return got, nil
}

// sentenceOf finds what an error says to people.
func sentenceOf(data []byte) string {
	var said struct{ Detail any }
	if json.Unmarshal(data, &said) == nil && said.Detail != nil {
		return fmt.Sprint(said.Detail)
	}
	return strings.Join(strings.Fields(string(data[:min(len(data), 240)])), " ")
}

// call sends JSON and reads JSON; both may be nil.
func (c *client) call(method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	got, err := c.send(method, path, "application/json", body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if out == nil || len(got.body) == 0 {
		return nil
	}
	if err := decode(got.body, out); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

func decode(data []byte, out any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return d.Decode(out)
}

// rows is an answer of POST /api/query.
type rows struct {
	Columns   []string
	Rows      [][]any
	RowCount  int64 `json:"row_count"`
	Truncated bool
}

// query runs SQL.
func (c *client) query(sql string) (*answer, error) { return c.queryIn(c.c.ctx, sql, 10_000, "") }

func (c *client) queryIn(ctx context.Context, sql string, limit int, accept string) (*answer, error) {
	data, err := json.Marshal(map[string]any{"sql": sql, "limit": limit})
	if err != nil {
		return nil, err
	}
	return c.sendWith(ctx, http.MethodPost, "/api/query", "application/json", accept, bytes.NewReader(data))
}

// ask runs SQL and returns its rows.
func (c *client) ask(sql string) (rows, error) {
	got, err := c.query(sql)
	if err != nil {
		return rows{}, err
	}
	var out rows
	return out, decode(got.body, &out)
}

// signIn makes a client of a person.
func (s *server) signIn(email, password string) *client {
	c := &client{server: s}
	var got struct {
		Token string `json:"access_token"`
	}
	must(c.call(http.MethodPost, "/auth/token", map[string]string{"email": email, "password": password}, &got))
	c.token = got.Token
	return c
}

// person makes an account in a group and signs it in.
func (c *client) person(email, password, group string) *client {
	var made struct{ ID string }
	must(c.call(http.MethodPost, "/api/users", map[string]any{"email": email}, &made))
	must(c.call(http.MethodPost, "/api/users/"+made.ID+"/set-password", map[string]string{"password": password}, nil))
	if group != "" {
		must(c.call(http.MethodPost, "/api/admin/groups/"+group+"/members", map[string]string{"email": email}, nil))
	}
	return c.signIn(email, password)
}

// group makes a group that may read tables.
func (c *client) group(name string, tables ...string) (id string) {
	var made struct{ ID string }
	must(c.call(http.MethodPost, "/api/admin/groups", map[string]string{"name": name}, &made))
	for _, t := range tables {
		must(c.call(http.MethodPost, "/api/admin/grants", map[string]string{"group_id": made.ID, "resource_type": "table", "resource_id": t}, nil))
	}
	return made.ID
}

// table uploads a file as a table and waits until it can be read.
func (c *client) table(name, file string, data []byte) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", file)
	must(err)
	_, err = part.Write(data)
	must(err)
	must(form.Close())
	got, err := c.send(http.MethodPost, "/uploads", form.FormDataContentType(), &body)
	must(err)
	_, err = c.send(http.MethodPost, got.header.Get("Location"), "application/x-www-form-urlencoded", strings.NewReader(url.Values{"name": {name}}.Encode()))
	must(err)
	must(eventually(c.c.ctx, 30*time.Second, func() error {
		_, err := c.ask("SELECT count(*) FROM " + name)
		return err
	}))
}
