package pages

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"agnes/domain/access"
	"agnes/domain/query"
	"agnes/domain/registry"
	"agnes/handlers/request"
	"agnes/views"
)

// defaultLimit is how many rows the console keeps unless told otherwise.
const defaultLimit = 10000

// firstWait is how long the answer to a new query waits for its end: most end
// within, and need no second look.
const firstWait = 400 * time.Millisecond

func (s *Server) consolePage(w http.ResponseWriter, r *http.Request) error {
	p, c, err := s.tables(r)
	if err != nil {
		return err
	}
	if id := r.URL.Query().Get("run"); id != "" {
		return s.consoleShow(w, r, id)
	}
	v := s.consoleView(p, c)
	v.SQL = r.URL.Query().Get("sql")

	if name := r.URL.Query().Get("table"); name != "" {
		t, err := c.Find(name)
		if err != nil {
			return err
		}
		v.Open = t.ID
		v.SQL = cmp.Or(v.SQL, fmt.Sprintf("SELECT *\nFROM %s\nLIMIT 100", registry.Quote(t.Name)))
	}

	return s.renderConsole(w, r, http.StatusOK, v)
}

func (s *Server) renderConsole(w http.ResponseWriter, r *http.Request, status int, v views.ConsoleView) error {
	chrome := s.chrome(r, "Console", views.NavConsole)
	chrome.Rail = true
	return s.render(w, r, status, views.ConsolePage(chrome, v))
}

// consoleView is the console around an empty editor.
func (s *Server) consoleView(p access.Principal, c access.Catalog) views.ConsoleView {
	v := views.ConsoleView{Limit: defaultLimit, Limits: views.Limits(), Sources: views.ConsoleSources(c.Tables()), UserID: string(p.UserID), Now: s.Now()}
	if slices.ContainsFunc(c.Tables(), sampleReady) {
		v.Examples = examples()
	}
	return v
}

// consoleRun starts a run of its own for what the editor holds, and shows it.
func (s *Server) consoleRun(w http.ResponseWriter, r *http.Request) error {
	p, err := who(r)
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	sql, limit := r.PostFormValue("sql"), parseLimit(r.PostFormValue("limit"))
	began := s.Now()
	rec, err := s.Runner.Submit(r.Context(), p, query.Request{SQL: sql, MaxRows: int64(limit), Origin: query.FromConsole, Each: true})
	if err != nil {
		return s.consoleFailure(w, r, p, consoleFailed{sql: sql, limit: limit, elapsed: s.Now().Sub(began), err: err})
	}
	s.await(r.Context(), p, rec.ID)
	address := string(views.RunURL(rec.ID))
	if request.Partial(r) {
		w.Header().Set("HX-Push-Url", address)
		return s.consoleShow(w, r, rec.ID)
	}
	request.Redirect(w, r, address)
	return nil
}

// await gives a run a moment to end.
func (s *Server) await(ctx context.Context, p access.Principal, id string) {
	ctx, cancel := context.WithTimeout(ctx, firstWait)
	defer cancel()
	s.Runner.Wait(ctx, p.Owner(), id)
}

// parseLimit reads one of the offered limits.
func parseLimit(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || !slices.Contains(views.Limits(), n) {
		return defaultLimit
	}
	return n
}

// consoleSchema is what the editor completes: the tables that this person may
// read. It is theirs alone, and asked for again with its tag.
func (s *Server) consoleSchema(w http.ResponseWriter, r *http.Request) error {
	_, c, err := s.tables(r)
	if err != nil {
		return err
	}
	return writeJSON(w, r, views.NewSchema(c.Tables()))
}

func (s *Server) palette(w http.ResponseWriter, r *http.Request) error {
	p, c, err := s.tables(r)
	if err != nil {
		return err
	}
	return writeJSON(w, r, views.NewPalette(p.Admin, c.Tables()))
}

// writeJSON answers a script of ours, with 304 where it has this answer already.
func writeJSON(w http.ResponseWriter, r *http.Request, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", r.URL.Path, err)
	}
	sum := sha256.Sum256(body)
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	h := w.Header()
	h.Set("Cache-Control", "private, no-cache")
	h.Set("ETag", tag)
	if slices.Contains(strings.Split(r.Header.Get("If-None-Match"), ", "), tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", "application/json")
	if _, err := w.Write(body); err != nil {
		request.Logger(r.Context()).DebugContext(r.Context(), "reader left", "err", err)
	}
	return nil
}
