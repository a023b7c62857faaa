package config

import (
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Setting describes one thing that can be set.
type Setting struct {
	Key     string   // in instance.yaml; "" when only the environment or a flag sets it
	Env     []string // variables, the first one wins
	Flag    string   // without dashes; "" when there is none
	Default string   // in words where it depends on the machine
	About   string
	Secret  bool
	Kind    Kind
	Options []string // of Select, and of the items of an Array that takes only these
	Live    bool     // a change is in force at once; else with the next start
	Later   bool     // kept, but read by nothing yet
}

// Name is the key, or the variable where there is no key.
func (s Setting) Name() string {
	if s.Key != "" {
		return s.Key
	}
	return s.Env[0]
}

// spec is a setting with how it is read.
type spec struct {
	Setting
	value string // the default's text
	form  string // what a right value is, after "Give "
	place bool   // needed to find the files, so never read from one
	read  reader
}

// Settings lists everything that can be set, in the order it is shown.
func Settings() []Setting {
	var all []Setting
	for _, s := range specs(Machine{}) {
		all = append(all, s.Setting)
	}
	return all
}

// specs is the table. A default that depends on the machine is described in
// words and valued by m.
func specs(m Machine) []spec {
	all := append(placeSpecs(), serverSpecs()...)
	all = append(all, peopleSpecs()...)
	all = append(all, signInSpecs()...)
	all = append(all, mailSpecs()...)
	all = append(all, providerSpecs()...)
	all = append(all, dataSpecs()...)
	all = append(all, querySpecs(m)...)
	all = append(all, childSpecs(m)...)
	all = append(all, resultSpecs()...)
	all = append(all, profilerSpecs()...)
	all = append(all, auditSpecs()...)
	all = append(all, buildSpecs()...)
	for i := range all {
		if all[i].Default == "" {
			all[i].Default = all[i].value
		}
		all[i].Kind, all[i].Options = all[i].read.kind, all[i].read.options
	}
	return all
}

func placeSpecs() []spec {
	folder := "a folder"
	return []spec{
		{
			Setting: Setting{Env: []string{"DATA_DIR"}, Flag: "data-dir", About: "Folder of everything Agnes keeps."},
			value:   "./data", form: folder, place: true,
			read: into(func(c *Config) *string { return &c.Dirs.Data }, text),
		},
		{
			Setting: Setting{Env: []string{"STATE_DIR"}, Default: "`DATA_DIR/state`", About: "Folder of the state database, generated keys and the overlay `instance.yaml`."},
			form:    folder, place: true,
			read: into(func(c *Config) *string { return &c.Dirs.State }, text),
		},
		{
			Setting: Setting{Env: []string{"CONFIG_DIR"}, Flag: "config-dir", About: "Folder of the base `instance.yaml`."},
			value:   "./config", form: folder, place: true,
			read: into(func(c *Config) *string { return &c.Dirs.Config }, text),
		},
		{
			Setting: Setting{Key: "config_version", About: "Layout of this file."},
			value:   "1", form: "1, the only layout there is",
			read: into(func(c *Config) *int { return &c.version }, whole(1)),
		},
	}
}

func serverSpecs() []spec {
	address := "host:port, such as 127.0.0.1:8000 or 0.0.0.0:8000"
	return []spec{
		{
			Setting: Setting{Key: "server.addr", Env: []string{"AGNES_ADDR", "PORT"}, Flag: "addr", About: "Address of pages and API. `PORT` changes the port only."},
			value:   "127.0.0.1:8000", form: address,
			read: into(func(c *Config) *string { return &c.Server.Addr }, hostPort),
		},
		{
			Setting: Setting{Key: "server.metrics_addr", Env: []string{"AGNES_METRICS_ADDR"}, Flag: "metrics-addr", About: "Address of `/metrics`, which asks for no sign-in; `off` for none."},
			value:   "127.0.0.1:9090", form: address + ", or off",
			read: into(func(c *Config) *string { return &c.Server.MetricsAddr }, hostPortOrOff),
		},
		{
			Setting: Setting{Key: "server.url", Env: []string{"SERVER_URL"}, Default: "from the request", About: "Address that people type, for links; with `https` cookies are for HTTPS only."},
			form:    "a whole address, such as https://agnes.example.com",
			read:    into(func(c *Config) **url.URL { return &c.Server.URL }, webAddress),
		},
		{
			Setting: Setting{Key: "server.domain", Env: []string{"DOMAIN"}, Default: "none", About: "Host name behind HTTPS; when set, cookies are for HTTPS only."},
			form:    "a host name, such as agnes.example.com",
			read:    into(func(c *Config) *string { return &c.Server.Domain }, hostName),
		},
		{
			Setting: Setting{Key: "server.cors_origins", Live: true, Env: []string{"CORS_ORIGINS"}, About: "Other sites whose pages may call the API."},
			value:   "http://localhost:3000,http://localhost:8000", form: "origins with commas between, such as https://tools.example.com",
			read: into(func(c *Config) *[]string { return &c.Server.CORSOrigins }, origins),
		},
		{
			Setting: Setting{Key: "server.trusted_proxies", Live: true, Env: []string{"AGNES_TRUSTED_PROXIES"}, About: "Addresses or networks of proxies whose `X-Forwarded-For` is believed."},
			value:   "none", form: "addresses or networks with commas between, such as 10.0.0.0/8, or none",
			read: into(func(c *Config) *[]netip.Prefix { return &c.Server.Proxies }, networks),
		},
		{
			Setting: Setting{Key: "server.shutdown_grace_seconds", Live: true, Env: []string{"AGNES_SHUTDOWN_GRACE_SECONDS"}, About: "How long running requests may finish when Agnes stops."},
			value:   "20", form: "whole seconds from 0 to 600",
			read: into(func(c *Config) *time.Duration { return &c.Server.ShutdownGrace }, seconds(0, 600)),
		},
		{
			Setting: Setting{Env: []string{"DEBUG"}, Flag: "debug", About: "Shows the cause of internal errors in API answers. Not for use by many."},
			value:   "false", form: "true or false",
			read: into(func(c *Config) *bool { return &c.Server.Debug }, yesNo),
		},
		{
			Setting: Setting{Key: "log.level", Live: true, Env: []string{"LOG_LEVEL"}, Flag: "log-level", About: "Least level that is logged."},
			value:   "info", form: "debug, info, warning or error",
			read: chosen(into(func(c *Config) *slog.Level { return &c.Log.Level }, level), "debug", "info", "warning", "error"),
		},
	}
}

// Markdown is the table of settings as the README shows it.
func Markdown() string {
	var b strings.Builder
	b.WriteString("| `instance.yaml` | environment | flag | default | what it is |\n|---|---|---|---|---|\n")
	code := func(s string) string {
		if s == "" {
			return ""
		}
		return "`" + s + "`"
	}
	for _, s := range specs(Machine{}) {
		fallback := code(s.value)
		if s.Default != s.value {
			fallback = s.Default
		}
		flag := ""
		if s.Flag != "" {
			flag = "--" + s.Flag
		}
		var env []string
		for _, name := range s.Env {
			env = append(env, code(name))
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", code(s.Key), strings.Join(env, ", "), code(flag), fallback, s.About)
	}
	return b.String()
}

// Help is the table of settings as the command line shows it.
func Help() string {
	var b strings.Builder
	for _, s := range Settings() {
		var ways []string
		if s.Flag != "" {
			ways = append(ways, "--"+s.Flag)
		}
		ways = append(ways, s.Env...)
		if s.Key != "" {
			ways = append(ways, s.Key)
		}
		about := strings.ReplaceAll(s.About, "`", "")
		fmt.Fprintf(&b, "  %s\n      %s", strings.Join(ways, ", "), about)
		if s.Default != "" {
			fmt.Fprintf(&b, " Default: %s.", strings.ReplaceAll(s.Default, "`", ""))
		}
		b.WriteByte('\n')
	}
	return b.String()
}
