package faults

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"time"
)

// lockThread keeps the goroutine on its thread for good.
func lockThread() { runtime.LockOSThread() }

// refused is an answer that is not a success.
type refused struct {
	status int
	text   string
}

func (r *refused) Error() string { return fmt.Sprintf("answer %d: %s", r.status, r.text) }

// send makes one request and reads the whole answer; every status of 400 and
// above is a *refused.
func (s *server) send(method, path, contentType string, body io.Reader) (*answer, error) {
	header := http.Header{}
	if contentType != "" {
		header.Set("Content-Type", contentType)
	}
	return s.sendWith(method, path, header, body)
}

// sendWith is send with headers; one with a cookie brings no token.
func (s *server) sendWith(method, path string, header http.Header, body io.Reader) (*answer, error) {
	r, err := http.NewRequestWithContext(s.c.ctx, method, s.url+path, body)
	if err != nil {
		return nil, err
	}
	r.Header = header
	if s.token != "" && header.Get("Cookie") == "" {
		r.Header.Set("Authorization", "Bearer "+s.token)
	}
	id := fmt.Sprintf("c%d-%d", s.pid, s.requests.Add(1))
	r.Header.Set("X-Request-ID", id)
	resp, err := s.http.Do(r)
	if err != nil {
		return nil, s.lost(&lostAnswer{id, err})
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, s.lost(&lostAnswer{id, fmt.Errorf("the answer of %s broke off: %w", path, err)})
	}
	if resp.StatusCode >= 400 {
		return nil, &refused{resp.StatusCode, sentenceOf(data)}
	}
	return &answer{resp.StatusCode, resp.Header, data}, nil
}

// errGone ends all waiting: the server will not answer any more.
var errGone = errors.New("the server is gone")

// lost marks the failure of a request to a server that was killed.
func (s *server) lost(err error) error {
	if s.dying.Load() || s.gone() {
		return errors.Join(errGone, err)
	}
	return err
}

// lostAnswer is a request whose answer did not arrive whole.
type lostAnswer struct {
	id  string
	err error
}

func (l *lostAnswer) Error() string { return l.err.Error() }
func (l *lostAnswer) Unwrap() error { return l.err }

type answer struct {
	status int
	header http.Header
	body   []byte
}

// sentenceOf finds what an error says to people.
func sentenceOf(data []byte) string {
	var said struct {
		Detail any
		Checks map[string]string
	}
	if json.Unmarshal(data, &said) == nil {
		switch {
		case said.Detail != nil:
			return fmt.Sprint(said.Detail)
		case len(said.Checks) > 0:
			return fmt.Sprint(said.Checks)
		}
	}
	text := string(data)
	if i := strings.Index(text, "<main"); i >= 0 {
		text = text[i:]
	}
	var words strings.Builder
	in := false
	for _, r := range text {
		switch {
		case r == '<':
			in = true
			words.WriteByte(' ')
		case r == '>':
			in = false
		case !in:
			words.WriteRune(r)
		}
	}
	text = strings.Join(strings.Fields(words.String()), " ")
	return text[:min(len(text), 240)]
}

// call sends JSON and reads JSON; both may be nil.
func (s *server) call(method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	got, err := s.send(method, path, "application/json", body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if out == nil || len(got.body) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(got.body))
	d.UseNumber()
	if err := d.Decode(out); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// form sends a page's form.
func (s *server) form(path string, values url.Values) error {
	_, err := s.send(http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(values.Encode()))
	if err != nil {
		return fmt.Errorf("POST %s: %w", path, err)
	}
	return nil
}

// stage uploads a file and returns where the browser goes next.
func (s *server) stage(name string, data []byte, table string) (string, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if table != "" {
		must(form.WriteField("table", table))
	}
	part, err := form.CreateFormFile("file", name)
	must(err)
	_, err = part.Write(data)
	must(err)
	must(form.Close())
	got, err := s.send(http.MethodPost, "/uploads", form.FormDataContentType(), &body)
	if err != nil {
		return "", fmt.Errorf("upload: %w", err)
	}
	return got.header.Get("Location"), nil
}

// query runs SQL and returns its rows as text.
func (s *server) query(sql string) ([][]string, error) {
	var got struct{ Rows [][]any }
	if err := s.call(http.MethodPost, "/api/query", map[string]any{"sql": sql, "limit": 10000}, &got); err != nil {
		return nil, err
	}
	out := make([][]string, len(got.Rows))
	for i, row := range got.Rows {
		for _, v := range row {
			out[i] = append(out[i], fmt.Sprint(v))
		}
	}
	return out, nil
}

// syncRun is a run as the API shows it.
type syncRun struct {
	ID       string
	TableID  string `json:"table_id"`
	State    string
	Trigger  string
	Code     string
	Message  string
	QueuedAt time.Time `json:"queued_at"`
}

func (r syncRun) live() bool { return r.State == "queued" || r.State == "running" }

func (s *server) runs(query string) ([]syncRun, error) {
	var got struct{ Runs []syncRun }
	err := s.call(http.MethodGet, "/api/sync/runs?"+query, nil, &got)
	return got.Runs, err
}

// lastRun returns a table's newest run.
func (s *server) lastRun(table string) (syncRun, error) {
	runs, err := s.runs("limit=1&table=" + url.QueryEscape(table))
	if err != nil {
		return syncRun{}, err
	}
	if len(runs) == 0 {
		return syncRun{}, fmt.Errorf("%s was never synced", table)
	}
	return runs[0], nil
}

// awaitRun waits until a table has no live run and returns the newest.
func (s *server) awaitRun(table string, limit time.Duration) (last syncRun, err error) {
	err = eventually(s.c.ctx, limit, func() error {
		if last, err = s.lastRun(table); err != nil {
			return err
		}
		if last.live() {
			return fmt.Errorf("the sync of %s is still %s", table, last.State)
		}
		return nil
	})
	return last, err
}

// runIDs names the runs that a table has.
func (s *server) runIDs(table string) (map[string]bool, error) {
	runs, err := s.runs("limit=1000&table=" + url.QueryEscape(table))
	ids := map[string]bool{}
	for _, r := range runs {
		ids[r.ID] = true
	}
	return ids, err
}

// awaitNew waits until a table has a run that it did not have, and none is live;
// it returns the newest of the new ones. Ids grow, whatever the clock says.
func (s *server) awaitNew(table string, before map[string]bool, limit time.Duration) (last syncRun, err error) {
	err = eventually(s.c.ctx, limit, func() error {
		runs, err := s.runs("limit=1000&table=" + url.QueryEscape(table))
		if err != nil {
			return err
		}
		last = syncRun{}
		for _, r := range runs {
			if r.live() {
				return fmt.Errorf("the sync of %s is still %s", table, r.State)
			}
			if !before[r.ID] && r.ID > last.ID {
				last = r
			}
		}
		if last.ID == "" {
			return fmt.Errorf("%s is not synced", table)
		}
		return nil
	})
	return last, err
}

// settle waits until nothing is queued or running any more.
func (s *server) settle(limit time.Duration) error {
	return eventually(s.c.ctx, limit, func() error {
		var got struct{ Locked bool }
		if err := s.call(http.MethodGet, "/api/sync/status", nil, &got); err != nil {
			return err
		}
		if got.Locked {
			return fmt.Errorf("syncs are still queued or running")
		}
		return nil
	})
}
