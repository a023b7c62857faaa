package config

import (
	"log/slog"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"time"

	"agnes/domain/people"
	"agnes/domain/profile"
)

// Config is the effective configuration, whole and valid.
type Config struct {
	Dirs     Dirs
	Server   Server
	Instance Instance
	Auth     Auth
	Mail     Mail
	Google   Google
	OIDC     OIDC
	Files    Files
	Sync     Sync
	State    State
	Remote   Remote
	Query    Query
	Children Children
	Profiler profile.Settings
	Log      Log
	Build    Build
	Audit    Audit

	version   int // of the file's layout; checked only
	effective []Effective
}

// Dirs are the folders Agnes works in.
type Dirs struct {
	Data   string // DATA_DIR
	State  string // STATE_DIR, else DATA_DIR/state
	Config string // CONFIG_DIR
}

// Server is where and how Agnes listens.
type Server struct {
	Addr          string   // host:port; port 0 takes a free one
	MetricsAddr   string   // host:port, or "" when metrics are off
	URL           *url.URL // as people reach it, or nil
	Domain        string
	CORSOrigins   []string
	ShutdownGrace time.Duration
	Debug         bool
	// Proxies may say for whom they ask (X-Forwarded-For).
	Proxies []netip.Prefix
}

// SecureCookies reports whether cookies are for HTTPS only.
func (s Server) SecureCookies() bool {
	return s.Domain != "" || (s.URL != nil && s.URL.Scheme == "https")
}

// Instance is what pages call this installation.
type Instance struct {
	Name     string
	Brand    string
	Subtitle string
}

// Auth is who gets in.
type Auth struct {
	AllowedDomains []string // of e-mail addresses; none means all
	JWTSecretKey   Secret   // not set: Agnes makes one and keeps it in Dirs.State
	SchedulerToken Secret
	SeedEmail      string
	SeedPassword   Secret
	Disabled       []string // ways to sign in that are switched off: link, password, google, oidc
	LimitAttempts  bool     // tries to sign in are counted and bounded
	SessionAge     time.Duration
	SessionIdle    time.Duration
}

// Off reports whether a way to sign in is switched off.
func (a Auth) Off(way string) bool { return slices.Contains(a.Disabled, way) }

// Mail is how Agnes sends mail: by SMTP, or by SendGrid when its key is set.
type Mail struct {
	From        string // address of the sender
	Host        string // of the SMTP server; "" for none
	Port        int
	TLS         string // starttls, tls or none
	User        string
	Password    Secret
	SendGridKey Secret
}

// Set reports whether mail can be sent at all.
func (m Mail) Set() bool { return m.Host != "" || m.SendGridKey.Set() }

// Sender is the address that mail comes from, "" for none.
func (m Mail) Sender() string {
	if m.From != "" {
		return m.From
	}
	if user, err := people.NormalEmail(m.User); err == nil {
		return user
	}
	return ""
}

// Google is sign-in with Google and the groups of Google Workspace.
type Google struct {
	ClientID       string
	ClientSecret   Secret
	AdminSubject   string   // the Workspace administrator whose view of groups is used
	ServiceAccount string   // that may act for AdminSubject; "": the machine's own
	MockGroups     []string // taken in place of Workspace's, for trials
	GroupPrefix    string   // only groups whose address begins so count
	AdminGroup     string   // address of the group that is Admin here
	EveryoneGroup  string   // address of the group that is Everyone here
}

// OIDC is sign-in with any other OpenID Connect provider.
type OIDC struct {
	Name         string // on the sign-in page
	Issuer       string // "" for none
	ClientID     string
	ClientSecret Secret
	Scopes       []string
	GroupsClaim  string // claim with the names of groups; "" for none
	AdminGroup   string // value of GroupsClaim that makes an administrator
}

// Files bounds uploads and kept versions.
type Files struct {
	MaxUploadBytes int64
	VersionsKept   int
	VersionsAge    time.Duration
	JoinedBytes    int64 // of files made of several for downloads
	Unfinished     int   // uploads of one person that have not arrived whole
}

// Sync is how tables are brought up to date.
type Sync struct {
	DefaultSchedule  string // of tables without their own
	ExtractorTimeout time.Duration
}

// Remote is which outside systems custom extracts may name in _remote_attach.
type Remote struct {
	Extensions []string // DuckDB extensions that may be loaded
	TokenEnvs  []string // variables that may hold a token
	// QueryTimeout ends a query in BigQuery; 0 leaves it to the extension.
	QueryTimeout time.Duration
}

// State is what is made of the state database for others.
type State struct {
	MirrorEvery time.Duration // the read-only mirror, at most once in this time; 0: never
}

// Query bounds what one query, and all of them, may take.
type Query struct {
	Timeout     time.Duration
	MemoryBytes int64 // of DuckDB, in one child
	Threads     int   // in one child
	Children    int
	PerPerson   int // queries of one person at a time
	Queue       int // queries that may wait
	MaxRows     int // shown by the console

	PersonConcurrent  int   // queries of one person that run or wait
	PersonDailyBytes  int64 // that one person's queries return
	ResultBytes       int64 // of one kept result
	PersonResultBytes int64 // of one person's kept results
	ResultAge         time.Duration
	HistoryAge        time.Duration // of runs on their author's list
}

// Children is what all child processes together may take.
type Children struct {
	MemoryBytes int64 // of DuckDB
	Threads     int
}

// Log is what is written about the work.
type Log struct {
	Level slog.Level
}

// Build names the running version.
type Build struct {
	Version  string
	Commit   string
	Channel  string
	ImageTag string
}

// Effective is one setting as it is in force.
type Effective struct {
	Setting
	Value  string // "[redacted]" for a secret that is set
	Origin string // such as "default", "DATA_DIR", "--addr" or "config/instance.yaml:12"
	raw    Secret
}

// Same reports whether two configurations agree on a setting, also on a secret.
func (e Effective) Same(other Effective) bool { return e.raw.Reveal() == other.raw.Reveal() }

// Effective lists every setting in the order of Settings.
func (c Config) Effective() []Effective { return c.effective }

// Default is the origin of a setting that nobody set.
const Default = "default"

// OriginOf says where a setting comes from, "" for an unknown one.
func (c Config) OriginOf(name string) string {
	for _, e := range c.effective {
		if e.Name() == name {
			return e.Origin
		}
	}
	return ""
}

// Places returns the folders, which decide where the files to read lie. Empty
// variables count as not set.
func Places(getenv func(string) (string, bool), flags map[string]string) Dirs {
	var c Config
	l := loader{in: Input{Getenv: getenv, Flags: flags}}
	for _, s := range specs(Machine{}) {
		if s.place {
			l.apply(&c, s)
		}
	}
	if c.Dirs.State == "" {
		c.Dirs.State = filepath.Join(c.Dirs.Data, "state")
	}
	return c.Dirs
}

// BaseFile is the file that the operator writes.
func (d Dirs) BaseFile() string { return filepath.Join(d.Config, "instance.yaml") }

// OverlayFile is the file that wins over the base one, key by key.
func (d Dirs) OverlayFile() string { return filepath.Join(d.State, "instance.yaml") }

// EnvOverlayFile holds KEY=VALUE lines for variables that the environment does
// not set.
func (d Dirs) EnvOverlayFile() string { return filepath.Join(d.State, ".env_overlay") }
