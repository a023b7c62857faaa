package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// takenAway is F6: folders become read-only, files and folders vanish while the
// server runs: syncs fail in words, what was confirmed is read as long as it is
// there, and all works again afterwards.
func takenAway(t *trials) {
	dir, ok := t.mounted("away", "size=256m")
	if !ok {
		return
	}
	l := newLedger()
	s := t.serve(dir, nil)
	defer s.kill()
	work := &load{server: s, ledger: l}
	must(work.bring("orders", l.next("orders", usual(t.Rand))))
	for _, folder := range []string{"versions", "extracts", "analytics", "uploads", "files"} {
		t.one("read-only "+folder, func() error { return t.readOnly(work, folder) })
	}
	for _, name := range []string{"analytics/server.duckdb", "analytics", "extracts/files/data", "extracts/files", "scratch"} {
		t.one(name+" vanished", func() error {
			if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
				return err
			}
			if err := work.checkRows("orders", l.snapshot()["orders"]); err != nil {
				return err
			}
			return t.healed(work)
		})
	}
}

// readOnly makes a folder read-only under a running server.
func (t *trials) readOnly(work *load, folder string) error {
	path := filepath.Join(work.dir, folder)
	if err := syscall.Mount(path, path, "", syscall.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	away := func() { _ = syscall.Unmount(path, syscall.MNT_DETACH) }
	defer away()
	if err := syscall.Mount("", path, "", syscall.MS_REMOUNT|syscall.MS_BIND|syscall.MS_RDONLY, ""); err != nil {
		return fmt.Errorf("make read-only: %w", err)
	}
	err := work.bring("orders", work.next("orders", usual(t.Rand)))
	if err == nil {
		return fmt.Errorf("a sync wrote into a read-only folder")
	}
	if err := excusable(err); err != nil {
		return err
	}
	if err := work.checkRows("orders", work.snapshot()["orders"]); err != nil {
		return err
	}
	away()
	return t.healed(work)
}

// healed: once the fault is gone, the next sync works and all is whole.
func (t *trials) healed(work *load) error {
	if err := work.settle(settleLimit); err != nil {
		return err
	}
	if err := work.bring("orders", work.next("orders", usual(t.Rand))); err != nil {
		return fmt.Errorf("afterwards: %w", err)
	}
	return check(work.server, work.ledger)
}
