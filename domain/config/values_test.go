package config

import (
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// reading is one text and what a parser makes of it; wrong is the rest of the
// sentence when it refuses.
type reading[T any] struct {
	text  string
	want  T
	wrong string
}

func checkParser[T any](t *testing.T, name string, parse func(string) (T, error), readings []reading[T]) {
	t.Helper()
	for _, r := range readings {
		got, err := parse(r.text)
		if r.wrong != "" {
			if err == nil || err.Error() != r.wrong {
				t.Errorf("%s(%q): error %v, want %q", name, r.text, err, r.wrong)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s(%q): %v", name, r.text, err)
		}
		if diff := cmp.Diff(r.want, got); diff != "" {
			t.Errorf("%s(%q) (-want +got):\n%s", name, r.text, diff)
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()

	checkParser(t, "whole", whole(1000), []reading[int]{
		{text: "1", want: 1},
		{text: "1000", want: 1000},
		{text: "1_000", want: 1000},
		{text: "0", wrong: "is outside 1 to 1000"},
		{text: "1001", wrong: "is outside 1 to 1000"},
		{text: "1.5", wrong: "is not a whole number"},
		{text: "99999999999999999999", wrong: "is not a whole number"},
		{text: "ten", wrong: "is not a whole number"},
	})
	checkParser(t, "seconds", seconds(0, 600), []reading[time.Duration]{
		{text: "0", want: 0},
		{text: "90", want: 90 * time.Second},
		{text: "1m", wrong: "is not a whole number"},
		{text: "-1", wrong: "is outside 0 to 600"},
	})
	checkParser(t, "mebibytes", mebibytes(64, 128), []reading[int64]{
		{text: "64", want: 64 << 20},
		{text: "63", wrong: "is outside 64 to 128"},
	})
	checkParser(t, "size", size, []reading[int64]{
		{text: "1", want: 1},
		{text: "500MB", want: 500_000_000},
		{text: "2GiB", want: 2 << 30},
		{text: "2 GiB", want: 2 << 30},
		{text: "10_000", want: 10_000},
		{text: "1 PiB", want: 1 << 50},
		{text: "2 PiB", wrong: "is outside 1 byte to 1 PiB"},
		{text: "0", wrong: "is outside 1 byte to 1 PiB"},
		{text: "-5MB", wrong: "is not a size"},
		{text: "5 parsecs", wrong: "is not a size"},
	})
}

func TestWords(t *testing.T) {
	t.Parallel()

	checkParser(t, "yesNo", yesNo, []reading[bool]{
		{text: "1", want: true},
		{text: "True", want: true},
		{text: " yes ", want: true},
		{text: "ON", want: true},
		{text: "0", want: false},
		{text: "no", want: false},
		{text: "2", wrong: "is neither true nor false"},
	})
	checkParser(t, "level", level, []reading[slog.Level]{
		{text: "debug", want: slog.LevelDebug},
		{text: "INFO", want: slog.LevelInfo},
		{text: "warn", want: slog.LevelWarn},
		{text: "Warning", want: slog.LevelWarn},
		{text: "CRITICAL", want: slog.LevelError},
		{text: "trace", wrong: "is not a level"},
	})
	checkParser(t, "schedule", schedule, []reading[string]{
		{text: "every 15m", want: "every 15m"},
		{text: "daily 05:00,17:30", want: "daily 05:00,17:30"},
		{text: "0 5 * * *", wrong: "is not a schedule"},
	})
	checkParser(t, "label", label, []reading[string]{
		{text: "  Hollis & Brandt ", want: "Hollis & Brandt"},
		{text: "Škoda", want: "Škoda"},
		{text: "two\nlines", wrong: "has more than one line"},
	})
}

func TestAddresses(t *testing.T) {
	t.Parallel()

	checkParser(t, "hostPort", hostPort, []reading[string]{
		{text: "127.0.0.1:8000", want: "127.0.0.1:8000"},
		{text: ":8000", want: ":8000"},
		{text: "[::1]:0", want: "[::1]:0"},
		{text: "agnes.example.com:65535", want: "agnes.example.com:65535"},
		{text: "localhost", wrong: "is not host:port"},
		{text: "localhost:http", wrong: "has no port from 0 to 65535"},
		{text: "localhost:080", wrong: "has no port from 0 to 65535"},
		{text: "a/b:80", wrong: "has no host name in front"},
	})
	checkParser(t, "hostPortOrOff", hostPortOrOff, []reading[string]{
		{text: "off", want: ""},
		{text: " OFF ", want: ""},
		{text: "127.0.0.1:9090", want: "127.0.0.1:9090"},
		{text: "none", wrong: "is not host:port"},
	})
	checkParser(t, "hostName", hostName, []reading[string]{
		{text: "Agnes.Example.com", want: "agnes.example.com"},
		{text: "agnes.example.com:443", wrong: "is not a host name"},
		{text: "agnes/x", wrong: "is not a host name"},
		{text: "  ", wrong: "is not a host name"},
	})
	for given, want := range map[string]string{
		"https://agnes.example.com":       "https://agnes.example.com",
		" https://agnes.example.com:444/": "https://agnes.example.com:444",
		"http://[::1]:8000":               "http://[::1]:8000",
	} {
		if u, err := webAddress(given); err != nil || u.String() != want {
			t.Errorf("webAddress(%q) = %v, %v; want %q", given, u, err, want)
		}
	}
	for _, given := range []string{"ftp://x.example", "https://", "x.example", "https://u:p@x.example", "https://x.example?a=1", "https://x.example#a", "http://%zz"} {
		if u, err := webAddress(given); err == nil {
			t.Errorf("webAddress(%q) = %v, want an error", given, u)
		}
	}
}

func TestLists(t *testing.T) {
	t.Parallel()

	checkParser(t, "domains", domains, []reading[[]string]{
		{text: "example.com", want: []string{"example.com"}},
		{text: " Example.com, @two.example ,", want: []string{"example.com", "two.example"}},
		{text: ",", want: nil},
		{text: "a.example, b/c", wrong: `has "b/c", which is not a domain`},
	})
	checkParser(t, "origins", origins, []reading[[]string]{
		{text: "http://localhost:3000, https://a.example/", want: []string{"http://localhost:3000", "https://a.example"}},
		{text: "https://a.example,*", wrong: `has "*", which is not an origin`},
		{text: "null", wrong: `has "null", which is not an origin`},
	})
}

func TestNearest(t *testing.T) {
	t.Parallel()

	known := map[string]bool{}
	for _, s := range Settings() {
		known[s.Key] = true
	}
	delete(known, "")
	for given, want := range map[string]string{
		"server.adress":         "server.addr",
		"server.cors_origin":    "server.cors_origins",
		"query.timeout":         "query.timeout_seconds",
		"max_upload_bytes":      "files.max_upload_bytes",
		"file.versions_kept":    "files.versions_kept",
		"sync.defaultSchedule":  "sync.default_schedule",
		"instance.names":        "instance.name",
		"xylophone.zither.oboe": "",
	} {
		if got := nearest(given, known); got != want {
			t.Errorf("nearest(%q) = %q, want %q", given, got, want)
		}
	}
}
