package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/work"
)

// queryChild is a child that holds one catalog and answers statements.
type queryChild struct {
	process  *child
	conn     net.Conn
	key      string // the catalog's fingerprint
	answered int
	expiry   *time.Timer // while idle
	forced   atomic.Bool // killed because it did not stop when told to
}

// end kills the child and waits until it is gone.
func (c *queryChild) end() {
	c.process.kill()
	<-c.process.ended
	// The peer is gone; there is nothing left that closing could lose.
	_ = c.conn.Close()
}

func (c *queryChild) gone() bool {
	select {
	case <-c.process.ended:
		return true
	default:
		return false
	}
}

// launch starts a child and gives it a catalog. The caller holds a slot.
func (p *QueryPool) launch(ctx context.Context, key string, catalog access.Catalog) (*queryChild, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	process, err := p.supervisor.start("query", nil, theirs)
	if cerr := theirs.Close(); cerr != nil { // the child has its own copy
		p.supervisor.cfg.Log.Debug("close the child's end", "err", cerr)
	}
	if err != nil {
		return nil, errors.Join(err, ours.Close())
	}
	c := &queryChild{process: process, conn: ours, key: key}
	unwatch := context.AfterFunc(ctx, process.kill)
	defer unwatch()
	if err := p.configure(c, catalog); err != nil {
		c.end()
		if ctx.Err() != nil {
			return nil, queryStopped(ctx)
		}
		return nil, err
	}
	return c, nil
}

func (p *QueryPool) configure(c *queryChild, catalog access.Catalog) error {
	cfg := work.QueryConfig{DataDir: p.supervisor.cfg.DataDir, Budget: c.process.budget(p.cfg.Limits), Tables: []work.QueryTable{}}
	for _, t := range catalog.Tables() {
		if t.Version == nil {
			continue
		}
		keys := make([]string, len(t.Version.Files))
		for i, f := range t.Version.Files {
			keys[i] = f.Key
		}
		cfg.Tables = append(cfg.Tables, work.QueryTable{Name: t.Name, Keys: keys})
	}
	notReady := domain.E(domain.Unavailable, "query_child_setup", "The query engine could not be started. Try again; if it stays, tell an administrator.")
	if err := work.WriteJSONFrame(c.conn, work.FrameConfigure, cfg); err != nil {
		return notReady.Because(err)
	}
	t, payload, err := work.ReadFrame(c.conn)
	switch {
	case err != nil:
		c.process.await()
		if c.process.death() == outOfMemory {
			return queryMemory().Because(err)
		}
		return notReady.Because(err)
	case t == work.FrameError:
		return notReady.Because(failureCause(payload))
	case t != work.FrameReady:
		return notReady.Because(fmt.Errorf("unexpected frame %q", t))
	}
	return nil
}

// failureCause is what a failure says to the log.
func failureCause(payload []byte) error {
	var f work.Failure
	if err := json.Unmarshal(payload, &f); err != nil {
		return fmt.Errorf("read a failure: %w", err)
	}
	return fmt.Errorf("%s: %s", f.Code, f.Cause)
}

// socketPair returns two connected ends: one to read with deadlines, one to
// hand to a child.
func socketPair() (net.Conn, *os.File, error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("connect to a child: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "query"), os.NewFile(uintptr(fds[1]), "query child")
	conn, err := net.FileConn(ours)
	if err = errors.Join(err, ours.Close()); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("connect to a child: %w", err), theirs.Close())
	}
	return conn, theirs, nil
}
