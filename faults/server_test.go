package faults

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	adminEmail = "petra@example.com"
	password   = "correct horse battery"
)

// readyLimit is how soon a started server must be ready.
const readyLimit = 5 * time.Second

// server is the real program, serving one data directory.
type server struct {
	c     *campaign
	dir   string
	url   string
	token string
	log   string // file with what it says
	http  *http.Client
	ready time.Duration // from the start to the first good answer of readiness

	cmd   *exec.Cmd
	pid   int // of the server itself, also behind a wrapper: exec keeps it
	ended chan struct{}
	exit  error
	dying atomic.Bool // the campaign ended it

	requests atomic.Int64
}

// environment is all that the program gets of ours.
func environment(dir string, extra ...string) []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "TZ=UTC", "DATA_DIR=" + dir, "AGNES_METRICS_ADDR=off",
		"SEED_ADMIN_EMAIL=" + adminEmail, "SEED_ADMIN_PASSWORD=" + password,
	}
	return append(env, extra...)
}

// launch starts a server without waiting for it.
func (c *campaign) launch(dir string, extra ...string) *server {
	return c.launchAs(dir, []string{c.agnes, "serve"}, extra...)
}

func (c *campaign) launchAs(dir string, command []string, extra ...string) *server {
	addr := freeAddr()
	s := &server{
		c: c, dir: dir, url: "http://" + addr, ended: make(chan struct{}), log: filepath.Join(c.dir, filepath.Base(dir)+".log"),
		http: &http.Client{
			Timeout:       30 * time.Second,
			Transport:     &http.Transport{MaxIdleConnsPerHost: 16, DisableCompression: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	out, err := os.OpenFile(s.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	must(err)
	defer out.Close()
	s.cmd = exec.Command(command[0], command[1:]...)
	s.cmd.Env, s.cmd.Dir = environment(dir, append(extra, "AGNES_ADDR="+addr)...), c.dir
	s.cmd.Stdout, s.cmd.Stderr = out, out
	inherit(s.cmd)
	must(c.start(s.cmd))
	s.pid = s.cmd.Process.Pid
	c.mu.Lock()
	c.live[s] = struct{}{}
	c.mu.Unlock()
	go func() {
		s.exit = s.cmd.Wait()
		c.mu.Lock()
		delete(c.live, s)
		c.mu.Unlock()
		close(s.ended)
	}()
	return s
}

// serve starts a server, waits until it is ready and signs in. A directory that
// was served before keeps its token.
func (c *campaign) serve(dir string, before *server, extra ...string) *server {
	s := c.launch(dir, extra...)
	s.awaitReady(readyLimit)
	s.signIn(before)
	return s
}

func (s *server) signIn(before *server) {
	if before != nil && before.token != "" {
		s.token = before.token
		return
	}
	var got struct {
		Token string `json:"access_token"`
	}
	must(s.call(http.MethodPost, "/auth/token", map[string]string{"email": adminEmail, "password": password}, &got))
	s.token = got.Token
}

// awaitReady fails unless readiness says yes in time, or the process ends.
func (s *server) awaitReady(limit time.Duration) {
	began := time.Now()
	must(s.readyWithin(limit))
	s.ready = time.Since(began)
}

func (s *server) readyWithin(limit time.Duration) error {
	return eventually(s.c.ctx, limit, func() error {
		if s.gone() {
			must(fmt.Errorf("the server ended: %s", s.lastWords()))
		}
		_, err := s.send(http.MethodGet, "/api/health/ready", "", nil)
		return err
	})
}

func (s *server) gone() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// kill ends the server with SIGKILL and waits until it and its children are gone.
func (s *server) kill() {
	s.signal(syscall.SIGKILL)
	<-s.ended
	_ = eventually(s.c.ctx, 3*time.Second, func() error {
		if left := processesOf(s.c.agnes, s.dir); len(left) > 0 {
			return fmt.Errorf("%d children outlive the server", len(left))
		}
		return nil
	})
}

// stop ends the server with SIGTERM.
func (s *server) stop() error {
	s.signal(syscall.SIGTERM)
	select {
	case <-s.ended:
		return s.exit
	case <-time.After(20 * time.Second):
		s.kill()
		return errors.New("the server did not end within 20 s of SIGTERM")
	}
}

func (s *server) signal(sig syscall.Signal) {
	s.dying.Store(true)
	if !s.gone() {
		_ = syscall.Kill(s.pid, sig)
	}
}

// lastWords are the last lines that the server wrote.
func (s *server) lastWords() string {
	data, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	return lastLines(string(data), 2)
}

// children lists the server's child processes by kind.
func (s *server) children() map[int]string {
	out := map[int]string{}
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.pid))
	for _, file := range tasks {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for word := range strings.FieldsSeq(string(data)) {
			pid, err := strconv.Atoi(word)
			if err == nil {
				out[pid] = roleOf(pid)
			}
		}
	}
	return out
}

// roleOf says what a process of the program does: serve, extract, rebuild, query.
func roleOf(pid int) string {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return ""
	}
	words := strings.Split(strings.TrimRight(string(data), "\x00"), "\x00")
	return words[len(words)-1]
}

// processesOf lists the processes of a program that serve a directory or are
// children without a parent.
func processesOf(program, dir string) []int {
	var found []int
	all, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, link := range all {
		to, err := os.Readlink(link)
		if err != nil || to != program {
			continue
		}
		pid, _ := strconv.Atoi(strings.Split(link, "/")[2])
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		orphan := err == nil && len(status) < 60 && parentOf(pid) == 1
		if orphan || strings.Contains(string(status), "DATA_DIR="+dir+"\x00") {
			found = append(found, pid)
		}
	}
	return found
}

func parentOf(pid int) int {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(fields[1])
	return parent
}

func freeAddr() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	defer l.Close()
	return l.Addr().String()
}
