package faults

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
)

// mounted makes a directory of its own small file system, until the line ends.
func (t *trials) mounted(name, options string) (dir string, ok bool) {
	dir = t.newDir(name)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.skipped = "a small file system needs root: " + err.Error()
		return "", false
	}
	t.onClose(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir, true
}

// writingRoute is one way to write.
type writingRoute struct {
	name string
	do   func(l *load) error
}

func writingRoutes(t *trials) []writingRoute {
	name := func(kind string) string { return fmt.Sprintf("%s%08x", kind, t.Uint32()) }
	post := func(kind, path string, in func() any) writingRoute {
		return writingRoute{kind, func(l *load) error { return l.call("POST", path, in(), nil) }}
	}
	return []writingRoute{
		{"upload and replace", func(l *load) error { return l.bring("big", l.next("big", 20_000)) }},
		{"upload a new table", func(l *load) error { n := name("new"); return l.bring(n, l.next(n, 20_000)) }},
		post("sync", "/api/sync/trigger", func() any { return []string{"orders"} }),
		post("person", "/api/users", func() any { return map[string]string{"email": name("p") + "@example.com"} }),
		post("group", "/api/admin/groups", func() any { return map[string]string{"name": name("g")} }),
		post("sign in", "/auth/token", func() any { return map[string]string{"email": adminEmail, "password": password} }),
		{"samples", func(l *load) error { return l.form("/samples", url.Values{}) }},
		{"samples removed", func(l *load) error { return l.form("/samples/remove", url.Values{}) }},
		{"session", func(l *load) error {
			return l.form("/login", url.Values{"email": {adminEmail}, "password": {password}})
		}},
		{"backup", func(l *load) error {
			file := filepath.Join(l.dir, name("backup"))
			if said, err := l.c.command(l.dir, "backup", file); err != nil && len(said) < 20 {
				return fmt.Errorf("backup says no word: %w", err)
			} else if _, there := os.Stat(file); err != nil && there == nil {
				return errors.New("a backup that failed left its file")
			}
			return nil
		}},
	}
}

// diskFull is F5: the disk is full at each writing route: refused in words,
// nothing half written, reading goes on, and all works again after room is made.
func diskFull(t *trials) {
	dir, ok := t.mounted("full", "size=64m")
	if !ok {
		return
	}
	l := newLedger()
	s := t.serve(dir, nil)
	defer s.kill()
	work := &load{server: s, ledger: l}
	must(work.bring("orders", l.next("orders", usual(t.Rand))))
	routes := writingRoutes(t)
	refusals := 0
	for i := range t.n {
		route := routes[i%len(routes)]
		left := []int{0, 64 << 10, 512 << 10}[i/len(routes)%3] // bytes that stay free
		t.one(fmt.Sprintf("%s with %d KiB free", route.name, left>>10), func() error {
			if err := fill(dir, left); err != nil {
				return err
			}
			err := route.do(work)
			if err != nil {
				refusals++
				if err := excusable(err); err != nil {
					return err
				}
			}
			if _, err := s.send("GET", "/catalog", "", nil); err != nil {
				return fmt.Errorf("reading while the disk is full: %w", err)
			}
			if err := checkFiles(dir); err != nil {
				return err
			}
			if err := os.Remove(filepath.Join(dir, "ballast")); err != nil {
				return err
			}
			if err := s.settle(settleLimit); err != nil {
				return err
			}
			if err := work.bring("orders", l.next("orders", usual(t.Rand))); err != nil {
				return fmt.Errorf("after room was made: %w", err)
			}
			return check(s, l)
		})
		_ = os.Remove(filepath.Join(dir, "ballast"))
	}
	t.note("%d refused in words", refusals)
}

// fill leaves only so many bytes of a file system free.
func fill(dir string, left int) error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, "ballast"))
	if err != nil {
		return err
	}
	block := make([]byte, 64<<10)
	for todo := int(fs.Bavail)*int(fs.Bsize) - left; todo > 0; todo -= len(block) {
		if _, err := f.Write(block[:min(todo, len(block))]); err != nil {
			if errors.Is(err, syscall.ENOSPC) {
				break
			}
			return errors.Join(err, f.Close())
		}
	}
	return f.Close()
}
