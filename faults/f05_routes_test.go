package faults

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// writingRoute is one way to write.
type writingRoute struct {
	name string
	do   func(l *load) error
}

// writingRouteCount is how many ways to write are tried.
const writingRouteCount = 31

// material is what the routes change; it is made while there is room.
type material struct {
	user, group, member, grant, piece string
	version                           string // an older one of orders
}

// prepare makes fresh material.
func prepare(t *trials, l *load) (m material, err error) {
	made := func(path string, in any) string {
		var got struct{ ID string }
		must(l.call("POST", path, in, &got))
		return got.ID
	}
	word := func() string { return fmt.Sprintf("m%08x", t.Uint32()) }
	m.user = made("/api/users", map[string]string{"email": word() + "@example.com"})
	m.group = made("/api/admin/groups", map[string]string{"name": word()})
	m.member = word() + "@example.com"
	must(l.call("POST", "/api/users", map[string]string{"email": m.member}, nil))
	m.grant = made("/api/admin/grants", map[string]string{"group_id": m.group, "resource_type": "table", "resource_id": "orders"})
	must(l.call("POST", "/api/admin/users/"+m.user+"/memberships", map[string]string{"group_id": m.group}, nil))
	got, err := l.tus("POST", "/api/uploads", http.Header{"Upload-Length": {"200000"}, "Upload-Metadata": {"filename " + base64.StdEncoding.EncodeToString([]byte("p.csv"))}}, "")
	if err != nil {
		return m, err
	}
	at, err := url.Parse(got.header.Get("Location"))
	if err != nil {
		return m, err
	}
	m.piece = at.Path
	var kept struct {
		Versions []struct{ ID, State string }
	}
	err = l.call("GET", "/api/admin/registry/orders/versions", nil, &kept)
	for _, v := range kept.Versions {
		if v.State == "kept" {
			m.version = v.ID
		}
	}
	return m, err
}

// writingRoutes are the ways to write; m is read when one of them is walked.
func writingRoutes(t *trials, m *material) []writingRoute {
	word := func(kind string) string { return fmt.Sprintf("%s%08x", kind, t.Uint32()) }
	type fields map[string]any
	call := func(name, method string, path func() string, in func() any) writingRoute {
		return writingRoute{name, func(l *load) error { return l.call(method, path(), in(), nil) }}
	}
	at := func(path string) func() string { return func() string { return path } }
	none := func() any { return nil }
	form := func(name, path string, values url.Values) writingRoute {
		return writingRoute{name, func(l *load) error { return l.form(path, values) }}
	}
	user := func(rest string) func() string { return func() string { return "/api/users/" + m.user + rest } }
	group := func(rest string) func() string { return func() string { return "/api/admin/groups/" + m.group + rest } }
	table := at("/api/admin/registry/orders")
	return []writingRoute{
		{"upload and replace", func(l *load) error { return l.bring("big", l.next("big", 20_000)) }},
		{"upload a new table", func(l *load) error { n := word("new"); return l.bring(n, l.next(n, 20_000)) }},
		{"begin an upload in pieces", func(l *load) error {
			name := base64.StdEncoding.EncodeToString([]byte(word("p") + ".csv"))
			got, err := l.tus("POST", "/api/uploads", http.Header{"Upload-Length": {"9"}, "Upload-Metadata": {"filename " + name}}, "")
			if err == nil { // an unfinished one would count against the person
				_, err = l.tus("DELETE", strings.TrimPrefix(got.header.Get("Location"), l.url), http.Header{}, "")
			}
			return err
		}},
		{"a piece", func(l *load) error {
			_, err := l.tus("PATCH", m.piece, http.Header{"Upload-Offset": {"0"}, "Content-Type": {"application/offset+octet-stream"}}, strings.Repeat("x", 150_000))
			return err
		}},
		{"throw an upload away", func(l *load) error { _, err := l.tus("DELETE", m.piece, http.Header{}, ""); return err }},
		call("sync", "POST", at("/api/sync/trigger"), func() any { return []string{"orders"} }),
		form("sync on the page", "/tables/orders/sync", nil),
		call("rebuild", "POST", at("/api/admin/rebuild"), none),
		form("rebuild on the page", "/syncs/rebuild", nil),
		call("restore", "POST", func() string { return "/api/admin/registry/orders/versions/" + m.version + "/restore" }, none),
		call("settings of a table", "PUT", table, func() any { return fields{"description": word("d")} }),
		form("settings of a table on the page", "/tables/orders/settings", url.Values{"shrink_guard_pct": {"30"}, "schema_policy": {"evolve"}}),
		call("profile", "POST", at("/api/catalog/profile/orders/refresh"), none),
		form("profile on the page", "/tables/orders/profile", nil),
		call("person", "POST", at("/api/users"), func() any { return fields{"email": word("p") + "@example.com"} }),
		call("a person's name", "PATCH", user(""), func() any { return fields{"name": word("n")} }),
		call("password", "POST", user("/set-password"), func() any { return fields{"password": password} }),
		call("deactivate", "POST", user("/deactivate"), none),
		call("activate", "POST", user("/activate"), none),
		call("group", "POST", at("/api/admin/groups"), func() any { return fields{"name": word("g")} }),
		call("a group's description", "PATCH", group(""), func() any { return fields{"description": word("d")} }),
		call("member", "POST", group("/members"), func() any { return fields{"email": m.member} }),
		call("member taken out", "DELETE", func() string { return "/api/admin/users/" + m.user + "/memberships/" + m.group }, none),
		call("grant taken back", "DELETE", func() string { return "/api/admin/grants/" + m.grant }, none),
		call("group deleted", "DELETE", group(""), none),
		call("person deleted", "DELETE", user(""), none),
		call("sign in", "POST", at("/auth/token"), func() any { return fields{"email": adminEmail, "password": password} }),
		form("session", "/login", url.Values{"email": {adminEmail}, "password": {password}}),
		form("samples", "/samples", nil),
		form("samples removed", "/samples/remove", nil),
		{"backup", func(l *load) error {
			file := filepath.Join(l.dir, word("backup"))
			if said, err := l.c.command(l.dir, "backup", file); err != nil && len(said) < 20 {
				return fmt.Errorf("backup says no word: %w", err)
			} else if _, there := os.Stat(file); err != nil && there == nil {
				return errors.New("a backup that failed left its file")
			}
			return nil
		}},
	}
}

// discard throws away the upload in pieces, so that the next trial may begin one.
func (m material) discard(l *load) error {
	_, err := l.tus("DELETE", m.piece, http.Header{}, "")
	var no *refused
	if errors.As(err, &no) && no.status == http.StatusNotFound {
		return nil // the trial did
	}
	return err
}
