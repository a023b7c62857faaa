package jobs

import (
	"bufio"
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
	"agnes/domain/work"
)

// queryChild is a child that holds tables and answers statements over them.
type queryChild struct {
	process  *child
	conn     net.Conn
	frames   *bufio.Reader // of conn
	held     held
	tables   []work.QueryTable
	share    *share
	answered int
	expiry   *time.Timer // while idle
	aging    *time.Timer // until it is old
	old      atomic.Bool // it is to answer no more
	forced   atomic.Bool // killed because it did not stop when told to
}

// end kills the child and waits until it is gone.
func (c *queryChild) end() {
	c.process.kill()
	<-c.process.ended
	if c.aging != nil {
		c.aging.Stop()
	}
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

// spawn starts a process that waits for its tables.
func (p *QueryPool) spawn() (*queryChild, error) {
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
	return &queryChild{process: process, conn: ours, frames: bufio.NewReaderSize(ours, frameBuffer)}, nil
}

// frameBuffer holds small frames and the beginning of large ones.
const frameBuffer = 32 << 10

// launch gives tables to a child, one that was started ahead if there is one.
// The caller holds a share.
func (p *QueryPool) launch(ctx context.Context, h held, tables []work.QueryTable, part *share) (*queryChild, error) {
	c := p.spare()
	if c == nil {
		var err error
		if c, err = p.spawn(); err != nil {
			return nil, err
		}
	}
	c.held, c.tables, c.share = h, tables, part
	c.aging = time.AfterFunc(p.cfg.MaxAge, func() { c.old.Store(true) })
	unwatch := context.AfterFunc(ctx, c.process.kill)
	defer unwatch()
	if err := p.configure(c); err != nil {
		c.end()
		if ctx.Err() != nil {
			return nil, queryStopped(ctx)
		}
		return nil, err
	}
	return c, nil
}

func (p *QueryPool) configure(c *queryChild) error {
	cfg := work.QueryConfig{DataDir: p.supervisor.cfg.DataDir, Budget: c.process.budget(c.share.limits), Tables: c.tables}
	notReady := domain.E(domain.Unavailable, "query_child_setup", "The query engine could not be started. Try again; if it stays, tell an administrator.")
	if err := work.WriteJSONFrame(c.conn, work.FrameConfigure, cfg); err != nil {
		return notReady.Because(err)
	}
	t, payload, err := work.ReadFrame(c.frames)
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
