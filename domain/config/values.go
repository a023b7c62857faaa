package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dustin/go-humanize"

	"agnes/domain/registry"
)

// The errors of these parsers are the rest of a sentence that starts with the
// value: `"soon" is not a whole number`.

func text(s string) (string, error) {
	if strings.ContainsRune(s, 0) {
		return "", errors.New("has a character that is never in a path")
	}
	return s, nil
}

func label(s string) (string, error) {
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) > 200 {
		return "", errors.New("is longer than 200 characters")
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		return "", errors.New("has more than one line")
	}
	return s, nil
}

func secret(shortest int) func(string) (Secret, error) {
	return func(s string) (Secret, error) {
		if n := utf8.RuneCountInString(s); n < shortest {
			return Secret{}, fmt.Errorf("has %d characters; %d are the least", n, shortest)
		}
		return NewSecret(s), nil
	}
}

func integer(s string, least, most int64) (int64, error) {
	n, err := strconv.ParseInt(strings.ReplaceAll(s, "_", ""), 10, 64)
	if err != nil {
		return 0, errors.New("is not a whole number")
	}
	if n < least || n > most {
		return 0, fmt.Errorf("is outside %d to %d", least, most)
	}
	return n, nil
}

// whole reads a count, from 1.
func whole(most int64) func(string) (int, error) {
	return func(s string) (int, error) {
		n, err := integer(s, 1, most)
		return int(n), err
	}
}

func seconds(least, most int64) func(string) (time.Duration, error) {
	return func(s string) (time.Duration, error) {
		n, err := integer(s, least, most)
		return time.Duration(n) * time.Second, err
	}
}

func milliseconds(least, most int64) func(string) (time.Duration, error) {
	return func(s string) (time.Duration, error) {
		n, err := integer(s, least, most)
		return time.Duration(n) * time.Millisecond, err
	}
}

func minutes(least, most int64) func(string) (time.Duration, error) {
	return func(s string) (time.Duration, error) {
		n, err := integer(s, least, most)
		return time.Duration(n) * time.Minute, err
	}
}

func days(most int64) func(string) (time.Duration, error) {
	return func(s string) (time.Duration, error) {
		n, err := integer(s, 1, most)
		return time.Duration(n) * 24 * time.Hour, err
	}
}

func mebibytes(least, most int64) func(string) (int64, error) {
	return func(s string) (int64, error) {
		n, err := integer(s, least, most)
		return n << 20, err
	}
}

func size(s string) (int64, error) {
	n, err := humanize.ParseBytes(strings.ReplaceAll(s, "_", ""))
	if err != nil || strings.HasPrefix(strings.TrimSpace(s), "-") {
		return 0, errors.New("is not a size")
	}
	if n < 1 || n > 1<<50 {
		return 0, errors.New("is outside 1 byte to 1 PiB")
	}
	return int64(n), nil
}

func yesNo(s string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "1", "true", "yes", "on":
		return true, nil
	case "0", "false", "no", "off":
		return false, nil
	}
	return false, errors.New("is neither true nor false")
}

func level(s string) (slog.Level, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "debug":
		return slog.LevelDebug, nil
	case "info":
		return slog.LevelInfo, nil
	case "warn", "warning":
		return slog.LevelWarn, nil
	case "error", "critical":
		return slog.LevelError, nil
	}
	return 0, errors.New("is not a level")
}

func schedule(s string) (string, error) {
	if _, ok := registry.ParseSchedule(s); !ok {
		return "", errors.New("is not a schedule")
	}
	return s, nil
}

func hostPort(s string) (string, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return "", errors.New("is not host:port")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return "", errors.New("has no port from 0 to 65535")
	}
	if strings.ContainsFunc(host, func(r rune) bool { return unicode.IsSpace(r) || r == '/' }) {
		return "", errors.New("has no host name in front")
	}
	return s, nil
}

func hostPortOrOff(s string) (string, error) {
	if strings.EqualFold(strings.TrimSpace(s), "off") {
		return "", nil
	}
	return hostPort(s)
}

func webAddress(s string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(strings.TrimSpace(s), "/"))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return nil, errors.New("is not a whole web address")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" {
		return nil, errors.New("has more than scheme, host and port")
	}
	return u, nil
}

func hostName(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	u, err := url.Parse("http://" + s)
	if err != nil || u.Host != s || u.Port() != "" || s == "" || len(s) > 253 {
		return "", errors.New("is not a host name")
	}
	return s, nil
}

func list(s string, one func(string) (string, error)) ([]string, error) {
	var all []string
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		v, err := one(part)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// namesOrNone reads a list of names; "none" is an empty one.
func namesOrNone(s, what string, right func(string) bool) ([]string, error) {
	if strings.EqualFold(strings.TrimSpace(s), "none") {
		return nil, nil
	}
	return list(s, func(one string) (string, error) {
		if !right(one) {
			return "", fmt.Errorf("has %q, which is not the name of %s", one, what)
		}
		return one, nil
	})
}

func extensions(s string) ([]string, error) {
	return namesOrNone(s, "an extension", registry.Identifier)
}

func variables(s string) ([]string, error) {
	return namesOrNone(s, "a variable: capitals, digits and _", registry.Variable)
}

func domains(s string) ([]string, error) {
	return list(s, func(one string) (string, error) {
		name, err := hostName(strings.TrimPrefix(one, "@"))
		if err != nil {
			return "", fmt.Errorf("has %q, which is not a domain", one)
		}
		return name, nil
	})
}

// origins refuses "*": answers carry cookies, and a browser would refuse it too.
func origins(s string) ([]string, error) {
	return list(s, func(one string) (string, error) {
		u, err := webAddress(one)
		if err != nil {
			return "", fmt.Errorf("has %q, which is not an origin", one)
		}
		return u.String(), nil
	})
}
