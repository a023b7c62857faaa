package faults

import (
	"errors"
	"fmt"
	"net/http"
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
	must(work.bring("orders", l.next("orders", usual(t.Rand))))
	var m material
	routes := writingRoutes(t, &m)
	if len(routes) != writingRouteCount {
		panic("count the writing routes again")
	}
	refusals := 0
	for i := range t.n {
		route := routes[i%len(routes)]
		left := []int{0, 64 << 10, 512 << 10}[(i/len(routes)+i)%3] // bytes that stay free
		t.one(fmt.Sprintf("%s with %d KiB free", route.name, left>>10), func() error {
			var err error
			if m, err = prepare(t, work); err != nil {
				return err
			}
			if err := fill(dir, left); err != nil {
				return err
			}
			err = route.do(work)
			if err != nil {
				refusals++
				if err := refusedForRoom(err); err != nil {
					return err
				}
			}
			if err := t.roomAgain(work); err != nil {
				return err
			}
			return m.discard(work)
		})
		_ = os.Remove(filepath.Join(dir, "ballast"))
	}
	t.note("%d refused in words", refusals)
}

// roomAgain: reading goes on while the disk is full, nothing is half written,
// and with room all works again.
func (t *trials) roomAgain(work *load) error {
	if _, err := work.send("GET", "/catalog", "", nil); err != nil {
		return fmt.Errorf("reading while the disk is full: %w", err)
	}
	if err := work.checkRows("orders", work.snapshot()["orders"]); err != nil {
		return fmt.Errorf("a query while the disk is full: %w", err)
	}
	if err := checkFiles(work.dir); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(work.dir, "ballast")); err != nil {
		return err
	}
	if err := work.settle(settleLimit); err != nil {
		return err
	}
	if err := work.bring("orders", work.next("orders", usual(t.Rand))); err != nil {
		return fmt.Errorf("after room was made: %w", err)
	}
	return check(work.server, work.ledger)
}

// refusedForRoom judges a refusal: only for want of room, and in words. Signing
// in too often is refused too.
func refusedForRoom(err error) error {
	var no *refused
	if errors.As(err, &no) && no.status == http.StatusTooManyRequests {
		return nil
	}
	return excusable(err)
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
