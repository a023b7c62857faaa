//go:build duckdb_arrow

package attacks

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"agnes/domain/registry"
	"agnes/domain/work"
)

// cell is a query child of its own, as the server would start one, over a data
// directory in which there is more than it was granted.
type cell struct {
	dir     string
	listing []work.ListedTable
	tables  []work.QueryTable

	cmd   *exec.Cmd
	conn  net.Conn
	said  bytes.Buffer // what the child writes for the log
	ended chan struct{}
	lost  int // children that ended or were ended
	// answered counts statements that ran; for the report.
	answered int
}

// reply is what a child answered.
type reply struct {
	failure *work.Failure
	columns []registry.Column
	rows    int64
	raw     []byte // all frames of the answer
	lost    bool   // the child ended, or had to be
}

// newCell makes the directory: orders and towns are granted, salaries lies
// beside them, and so does a state file. plain is a DuckDB with the granted two.
func newCell(ctx context.Context, dir string) (*cell, *sql.DB, error) {
	db, err := sql.Open("duckdb", "?threads=1")
	if err != nil {
		return nil, nil, err
	}
	c := &cell{dir: dir}
	for _, t := range tablesSQL() {
		if t[0] == "million" || t[0] == "items" {
			continue
		}
		file := filepath.Join(dir, t[0]+".parquet")
		rows := strings.NewReplacer("range(3000)", "range(20)", "range(200)", "range(20)").Replace(t[1])
		if err := run(ctx, db, "COPY ("+rows+") TO '"+file+"'"); err != nil {
			return nil, nil, err
		}
		if t[0] != "orders" && t[0] != "towns" {
			continue
		}
		if err := run(ctx, db, "CREATE VIEW "+t[0]+" AS SELECT * FROM read_parquet('"+file+"')"); err != nil {
			return nil, nil, err
		}
		c.tables = append(c.tables, work.QueryTable{Name: t[0], Keys: []string{t[0] + ".parquet"}})
		c.listing = append(c.listing, work.ListedTable{Name: t[0], Rows: 20, Columns: []registry.Column{{Name: "id", Type: "INTEGER"}, {Name: "note", Type: "VARCHAR"}}})
	}
	if err := os.MkdirAll(filepath.Join(dir, "state"), 0o700); err != nil {
		return nil, nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "state", "system.csv"), []byte("canary\n"+valueCanary+"\n"), 0o600); err != nil {
		return nil, nil, err
	}
	return c, db, c.start()
}

// start starts the child and gives it its configuration.
func (c *cell) start() error {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "query"), os.NewFile(uintptr(fds[1]), "query child")
	defer theirs.Close()
	if c.conn, err = net.FileConn(ours); err != nil {
		return errors.Join(err, ours.Close())
	}
	if err := ours.Close(); err != nil {
		return err
	}
	c.said.Reset()
	c.cmd = exec.Command("/proc/self/exe", "worker", "query")
	c.cmd.Env, c.cmd.ExtraFiles, c.cmd.Stderr, c.cmd.Stdout = []string{}, []*os.File{theirs}, &c.said, &c.said
	if err := c.cmd.Start(); err != nil {
		return err
	}
	c.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		_ = cmd.Wait()
		close(ended)
	}(c.cmd, c.ended)
	cfg := work.QueryConfig{DataDir: c.dir, Tables: c.tables, Budget: work.Budget{MemoryBytes: 128 << 20, Threads: 1, ScratchKey: fmt.Sprintf("scratch/c%d", c.cmd.Process.Pid)}}
	if err := work.WriteJSONFrame(c.conn, work.FrameConfigure, cfg); err != nil {
		return err
	}
	t, payload, err := work.ReadFrame(c.conn)
	if err != nil || t != work.FrameReady {
		return fmt.Errorf("the child is not ready: %q %s %w", t, payload, err)
	}
	return nil
}

func (c *cell) stop() {
	_ = c.cmd.Process.Kill()
	<-c.ended
	_ = c.conn.Close()
}

// ask runs a statement as the server does: again with the listing when the
// child asks for it.
func (c *cell) ask(text string) (reply, error) {
	r, err := c.once(work.QueryJob{SQL: text, MaxRows: 5})
	if err == nil && r.failure != nil && r.failure.Code == work.NeedsListing {
		return c.once(work.QueryJob{SQL: text, MaxRows: 5, Listing: c.listing})
	}
	return r, err
}

func (c *cell) once(job work.QueryJob) (r reply, err error) {
	if err := c.conn.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return r, err
	}
	if err := work.WriteJSONFrame(c.conn, work.FrameQuery, job); err != nil {
		return c.renew(r)
	}
	for {
		t, payload, err := work.ReadFrame(c.conn)
		if err != nil {
			return c.renew(r)
		}
		r.raw = append(r.raw, payload...)
		switch t {
		case work.FrameSchema:
			var schema work.QuerySchema
			if err := json.Unmarshal(payload, &schema); err != nil {
				return r, err
			}
			r.columns = schema.Columns
		case work.FrameEnd:
			var end work.QueryEnd
			err := json.Unmarshal(payload, &end)
			r.rows = end.Rows
			return r, err
		case work.FrameError:
			r.failure = &work.Failure{}
			return r, json.Unmarshal(payload, r.failure)
		default: // a batch, whose bytes are kept
		}
	}
}

// renew replaces a child that ended, or did not answer in time.
func (c *cell) renew(r reply) (reply, error) {
	c.stop()
	c.lost++
	r.lost = true
	r.raw = append(r.raw, c.said.Bytes()...)
	return r, c.start()
}

// leak fails when an answer, or what the child said for the log, holds a canary.
func (c *cell) leak(r reply) error {
	for _, word := range []string{valueCanary, columnCanary, numberCanary, countCanary, quietCanary} {
		if bytes.Contains(r.raw, []byte(word)) {
			return fmt.Errorf("LEAK of %s: %.300q", word, r.raw)
		}
	}
	return nil
}
