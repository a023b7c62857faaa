package config

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"

	"agnes/domain/people"
)

// Input is everything a configuration is made of.
type Input struct {
	YAML    []File                      // the base first; later ones win key by key
	Getenv  func(string) (string, bool) // nil: no environment
	Flags   map[string]string           // the flags given, by name without dashes
	Machine Machine
}

// File is the text of one YAML file.
type File struct {
	Name string // as messages show it
	Data []byte
}

// Machine is what defaults depend on. Zero values mean unknown.
type Machine struct {
	MemoryBytes int64
	CPUs        int
}

// Warning is something odd that does not stop Agnes.
type Warning struct {
	Key     string
	Origin  string
	Message string
}

// String is the warning in one line.
func (w Warning) String() string { return place(w.Key, w.Origin) + ": " + w.Message }

// Mistake is one setting that cannot be used, and what to do about it.
type Mistake struct {
	Key     string
	Origin  string // file:line, variable or flag
	Problem string
	Remedy  string
}

// String is the mistake in one line.
func (m Mistake) String() string {
	return place(m.Key, m.Origin) + ": " + m.Problem + ". " + m.Remedy
}

func place(key, origin string) string {
	if key == origin {
		return key
	}
	return key + " (" + origin + ")"
}

// Mistakes are all mistakes of one configuration, the error of Load.
type Mistakes []Mistake

// Error lists the mistakes, one a line.
func (m Mistakes) Error() string {
	var b strings.Builder
	if len(m) == 1 {
		b.WriteString("One setting has to change before Agnes can start:")
	} else {
		b.WriteString(strconv.Itoa(len(m)) + " settings have to change before Agnes can start:")
	}
	for _, one := range m {
		b.WriteString("\n  " + one.String())
	}
	return b.String()
}

// Load makes the effective configuration. A flag wins over the environment,
// that over the later and then the earlier file, those over the default; an
// empty value counts as not set. The error is always Mistakes and holds all of
// them; the warnings are complete in either case.
func Load(in Input) (Config, []Warning, error) {
	l := loader{in: in, file: map[string]entry{}}
	for _, f := range in.YAML {
		l.read(f)
	}
	l.nameUnknown()

	var c Config
	for _, s := range specs(in.Machine) {
		l.apply(&c, s)
	}
	if c.Dirs.State == "" {
		c.Dirs.State = filepath.Join(c.Dirs.Data, "state")
	}
	l.together(c)

	if len(l.mistakes) > 0 {
		return Config{}, l.warnings, l.mistakes
	}
	return c, l.warnings, nil
}

// loader collects what Load finds on its way.
type loader struct {
	in       Input
	file     map[string]entry // dotted key → value of the last file that has it
	mistakes Mistakes
	warnings []Warning
}

// apply reads one setting from the first origin that has it.
func (l *loader) apply(c *Config, s spec) {
	text, origin := l.find(s)
	if text != "" {
		if err := s.read.into(c, text); err != nil {
			shown := strconv.Quote(text)
			if s.Secret {
				shown = "the value"
			}
			l.mistakes = append(l.mistakes, Mistake{
				Key: s.Name(), Origin: origin, Problem: shown + " " + err.Error(), Remedy: "Give " + s.form + ".",
			})
		}
	}
	raw := NewSecret(text)
	if s.Secret {
		text = raw.String()
	}
	c.effective = append(c.effective, Effective{Setting: s.Setting, Value: text, Origin: origin, raw: raw})
}

// find returns a setting's text and where it comes from.
func (l *loader) find(s spec) (text, origin string) {
	if v := l.in.Flags[s.Flag]; s.Flag != "" && v != "" {
		return v, "--" + s.Flag
	}
	text, origin = s.value, Default
	if e, ok := l.file[s.Key]; ok {
		if e.section {
			l.mistakes = append(l.mistakes, Mistake{
				Key: s.Key, Origin: e.origin, Problem: "a list or section stands where one value belongs", Remedy: "Give " + s.form + ".",
			})
		} else if e.text != "" {
			text, origin = e.text, e.origin
		}
	}
	for _, name := range s.Env {
		v := l.getenv(name)
		if v == "" {
			continue
		}
		if name == "PORT" {
			v = withPort(text, v)
		}
		return v, name
	}
	return text, origin
}

// withPort is the address with another port: PORT holds no host.
func withPort(addr, port string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return port
	}
	return net.JoinHostPort(host, port)
}

func (l *loader) getenv(name string) string {
	if l.in.Getenv == nil {
		return ""
	}
	v, _ := l.in.Getenv(name)
	return v
}

func (l *loader) warn(key, origin, format string, args ...any) {
	l.warnings = append(l.warnings, Warning{Key: key, Origin: origin, Message: fmt.Sprintf(format, args...)})
}

// together checks what concerns more than one setting.
func (l *loader) together(c Config) {
	origin := map[string]string{}
	for _, e := range c.effective {
		origin[e.Name()] = e.Origin
	}
	if c.Auth.SeedPassword.Set() && c.Auth.SeedEmail == "" {
		l.mistakes = append(l.mistakes, Mistake{
			Key: "SEED_ADMIN_PASSWORD", Origin: origin["SEED_ADMIN_PASSWORD"],
			Problem: "a first password is set, but nobody to have it", Remedy: "Set SEED_ADMIN_EMAIL too, or remove the password.",
		})
	}
	if c.Mail.Set() && c.Mail.Sender() == "" {
		l.mistakes = append(l.mistakes, Mistake{
			Key: "mail.from", Origin: origin["mail.from"],
			Problem: "mail is set up, but nobody that it comes from", Remedy: "Set SMTP_FROM to an address that the mail server takes mail from.",
		})
	}
	if c.Server.Addr == c.Server.MetricsAddr && c.Server.Addr != "" && !strings.HasSuffix(c.Server.Addr, ":0") {
		l.mistakes = append(l.mistakes, Mistake{
			Key: "server.metrics_addr", Origin: origin["server.metrics_addr"],
			Problem: "the metrics have the same address as the pages", Remedy: "Give another port, or off.",
		})
	}
	if n := len(c.Auth.JWTSecretKey.Reveal()); n > 0 && n < 32 {
		l.warn("JWT_SECRET_KEY", origin["JWT_SECRET_KEY"],
			"it has fewer than 32 characters, so tokens could be forged by trying keys. Set a longer one; people sign in anew after that.")
	}
	if l.in.Getenv != nil && origin["server.addr"] == "AGNES_ADDR" && l.getenv("PORT") != "" {
		l.warn("server.addr", "PORT", "it has no effect, because AGNES_ADDR is set as well.")
	}
	if c.Auth.SeedPassword.Set() {
		if err := people.CheckPassword(c.Auth.SeedPassword.Reveal(), c.Auth.SeedEmail); err != nil {
			l.mistakes = append(l.mistakes, Mistake{
				Key: "SEED_ADMIN_PASSWORD", Origin: origin["SEED_ADMIN_PASSWORD"],
				Problem: "this password cannot be used", Remedy: err.Error(),
			})
		}
	}
}
