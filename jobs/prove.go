package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"

	"agnes/domain/work"
)

// Prove has a child run against the walls around queries and tells of each
// whether it held. The error says that no child could try.
func (s *Supervisor) Prove(ctx context.Context) (walls []work.Wall, err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the child: %w", err)
	}
	foreign, err := os.CreateTemp(s.cfg.DataDir, ".doctor-*")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make a file that is not the child's: %w", err), listener.Close())
	}
	defer func() {
		// A child that got through left this.
		gone := os.Remove(filepath.Join(s.cfg.DataDir, ".doctor-child"))
		if errors.Is(gone, os.ErrNotExist) {
			gone = nil
		}
		err = errors.Join(err, gone, foreign.Close(), os.Remove(foreign.Name()), listener.Close())
	}()
	part, err := s.broker.takeJob(ctx, s.cfg.Jobs)
	if err != nil {
		return nil, jobStopped(ctx)
	}
	defer part.release()
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer ours.Close()
	c, err := s.start("prove", nil, theirs)
	if err = errors.Join(err, theirs.Close()); err != nil {
		return nil, err
	}
	defer func() { c.kill(); <-c.ended }()
	defer context.AfterFunc(ctx, c.kill)()
	cfg := work.QueryConfig{DataDir: s.cfg.DataDir, Budget: c.budget(part.limits), Tables: []work.QueryTable{}}
	job := work.ProveJob{Foreign: foreign.Name(), Address: listener.Addr().String(), Parent: os.Getpid()}
	if err := errors.Join(work.WriteJSONFrame(ours, work.FrameConfigure, cfg), work.WriteJSONFrame(ours, work.FrameProve, job)); err != nil {
		return nil, err
	}
	return readWalls(ours)
}

// readWalls reads what a child tells until its end. One that ends without a
// word has run another program.
func readWalls(conn io.Reader) ([]work.Wall, error) {
	var walls []work.Wall
	for {
		t, payload, err := work.ReadFrame(conn)
		switch {
		case errors.Is(err, io.EOF) && len(walls) > 0:
			return append(walls, work.Wall{Name: "programs", Detail: "The child ended, most likely because it could run a program."}), nil
		case err != nil:
			return nil, fmt.Errorf("hear of the walls: %w", err)
		case t == work.FrameEnd:
			return walls, nil
		case t != work.FrameProve:
			return nil, fmt.Errorf("unexpected frame %q", byte(t))
		}
		var wall work.Wall
		if err := json.Unmarshal(payload, &wall); err != nil {
			return nil, fmt.Errorf("read of a wall: %w", err)
		}
		walls = append(walls, wall)
	}
}
