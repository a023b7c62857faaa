package faults

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// session signs in with the form, and sometimes out again: what the browser was
// told holds after any kill.
func (l *load) session(dice *rand.Rand, _ int) error {
	form := url.Values{"email": {adminEmail}, "password": {password}}.Encode()
	got, err := l.sendWith(http.MethodPost, "/login", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, strings.NewReader(form))
	if err != nil {
		return err
	}
	cookie := ""
	for _, c := range (&http.Response{Header: got.header}).Cookies() {
		if c.MaxAge >= 0 && c.Value != "" && strings.Contains(c.Name, "session") {
			cookie = c.Name + "=" + c.Value
		}
	}
	if cookie == "" {
		return errors.New("signing in brought no cookie")
	}
	l.set(l.sessions, cookie, there)
	if dice.IntN(3) > 0 {
		return nil
	}
	l.set(l.sessions, cookie, unsure)
	if _, err := l.sendWith(http.MethodPost, "/logout", http.Header{"Cookie": {cookie}}, nil); err != nil {
		return err
	}
	l.set(l.sessions, cookie, gone)
	return nil
}

// sessionsKept is how many sign-ins are looked at after each fault.
const sessionsKept = 6

// checkSessions: who was signed in still is, who signed out is not.
func checkSessions(s *server, l *ledger) error {
	looked := 0
	for cookie, f := range l.sure(l.sessions) {
		if looked++; looked > sessionsKept { // the rest was looked at before, or is as good
			l.forgetSession(cookie)
			continue
		}
		got, err := s.sendWith(http.MethodGet, "/catalog", http.Header{"Cookie": {cookie}}, nil)
		if err != nil {
			return fmt.Errorf("a page for who signed in: %w", err)
		}
		if in := got.status == http.StatusOK; in != (f == there) {
			return fmt.Errorf("somebody whose sign-in is %d (1: confirmed, 2: ended) gets the answer %d", f, got.status)
		}
	}
	return nil
}

func (l *ledger) forgetSession(cookie string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.sessions, cookie)
}

// piece is an upload that arrives in pieces.
type piece struct {
	size    int64
	arrived int64 // bytes that the server said are safe
	gone    bool  // the server said that it was thrown away
}

const chunk = 20_000

// piece begins an upload in pieces, sends some of it, and sometimes throws it away.
func (l *load) piece(dice *rand.Rand, w int) error {
	name := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "piece%d-%08x.csv", w, dice.Uint32()))
	got, err := l.tus(http.MethodPost, "/api/uploads", http.Header{"Upload-Length": {strconv.Itoa(4 * chunk)}, "Upload-Metadata": {"filename " + name}}, "")
	if err != nil {
		return err
	}
	place := got.header.Get("Location")
	if at, err := url.Parse(place); err == nil {
		place = at.Path
	}
	p := piece{size: 4 * chunk}
	l.keep(place, p)
	for range 1 + dice.IntN(3) {
		body := strings.Repeat("x", chunk)
		got, err := l.tus(http.MethodPatch, place, http.Header{"Upload-Offset": {strconv.FormatInt(p.arrived, 10)}, "Content-Type": {"application/offset+octet-stream"}}, body)
		if err != nil {
			return err
		}
		if p.arrived, err = strconv.ParseInt(got.header.Get("Upload-Offset"), 10, 64); err != nil {
			return fmt.Errorf("a piece was taken without saying how much arrived: %w", err)
		}
		l.keep(place, p)
	}
	if dice.IntN(2) > 0 {
		return nil
	}
	l.drop(place) // until it is answered either is right
	if _, err := l.tus(http.MethodDelete, place, http.Header{}, ""); err != nil {
		return err
	}
	p.gone = true
	l.keep(place, p)
	return nil
}

func (s *server) tus(method, path string, header http.Header, body string) (*answer, error) {
	header.Set("Tus-Resumable", "1.0.0")
	return s.sendWith(method, path, header, strings.NewReader(body))
}

func (l *ledger) keep(place string, p piece) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pieces[place] = p
	l.acked++
}

func (l *ledger) drop(place string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.pieces, place)
}

// checkPieces: what arrived of an upload is there, and it goes on; then all are
// thrown away, so that they do not pile up.
func checkPieces(s *server, l *ledger) error {
	l.mu.Lock()
	pieces := l.pieces
	l.pieces = map[string]piece{}
	l.mu.Unlock()
	for place, p := range pieces {
		got, err := s.tus(http.MethodHead, place, http.Header{}, "")
		var no *refused
		if p.gone {
			if !errors.As(err, &no) || no.status != http.StatusNotFound && no.status != http.StatusGone {
				return fmt.Errorf("an upload that was thrown away is back: %w", err)
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("an upload of which %d bytes had arrived: %w", p.arrived, err)
		}
		at, err := strconv.ParseInt(got.header.Get("Upload-Offset"), 10, 64)
		if err != nil || at < p.arrived || at > p.size {
			return fmt.Errorf("an upload goes on at %q after %d bytes were confirmed: %w", got.header.Get("Upload-Offset"), p.arrived, err)
		}
		if _, err := s.tus(http.MethodDelete, place, http.Header{}, ""); err != nil {
			return fmt.Errorf("throw an upload away: %w", err)
		}
	}
	return nil
}
