//go:build duckdb_arrow

package attacks

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// secrets is S13: what was planted stands in no answer of any line, in no log,
// in no argument and in no environment of a child. For what people sign in with
// the state, its copies and the operator's commands are searched too.
func secrets(t *trials) {
	w := t.theWorld()
	must(t.warm(w))
	planted := []string{adminPassword, otherPassword}
	for _, pair := range secretEnvironment() {
		_, value, _ := strings.Cut(pair, "=")
		planted = append(planted, value)
	}
	t.theIdentity().keeps(t)
	logs, err := filepath.Glob(filepath.Join(t.dir, "*.log"))
	must(err)
	children := childrenOf(w.pid)
	for _, secret := range planted {
		t.one(strings.TrimRight(secret[:min(len(secret), 24)], "0123456789"), func() error {
			for _, file := range logs {
				if err := notIn(file, secret); err != nil {
					return err
				}
			}
			for _, pid := range children {
				for _, file := range []string{"environ", "cmdline"} {
					if strings.Contains(readProc(pid, file), secret) {
						return fmt.Errorf("in %s of a child", file)
					}
				}
			}
			if strings.Contains(readProc(w.pid, "cmdline"), secret) {
				return fmt.Errorf("in the server's arguments")
			}
			return nil
		})
	}
	for _, word := range []string{valueCanary, otherCanary} {
		t.also(word, func() error {
			for _, file := range logs {
				if err := notIn(file, word); err != nil {
					return err
				}
			}
			return nil
		})
	}
	t.also("answers", func() error {
		if n := len(t.seen.found); n > 0 {
			return fmt.Errorf("%d leaks, first: %s", n, t.seen.found[0])
		}
		return nil
	})
	t.note("%d answers of %d MB, %d logs, %d children looked at", t.seen.answers, t.seen.bytes>>20, len(logs), len(children))
}

func notIn(file, word string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if at := bytes.Index(data, []byte(word)); at >= 0 {
		return fmt.Errorf("in the log: …%s…", data[max(0, at-120):min(len(data), at+60)])
	}
	return nil
}
