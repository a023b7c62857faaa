//go:build duckdb_arrow

package attacks

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is the real program, serving one data directory.
type server struct {
	c    *campaign
	dir  string
	url  string
	log  string // file with what it says
	http *http.Client

	cmd   *exec.Cmd
	pid   int
	ended chan struct{}
}

// launch starts a server on a new directory and waits until it is ready. The
// directory's name is a canary: no answer may name a place.
func (c *campaign) launch(name string, extra ...string) *server {
	dir := filepath.Join(c.dir, placeCanary+"-"+name)
	must(os.MkdirAll(dir, 0o750))
	addr := freeAddr()
	s := &server{
		c: c, dir: dir, url: "http://" + addr, ended: make(chan struct{}), log: filepath.Join(c.dir, name+".log"),
		http: &http.Client{
			Timeout:       2 * time.Minute,
			Transport:     &http.Transport{MaxIdleConnsPerHost: 128, DisableCompression: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	out, err := os.OpenFile(s.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	must(err)
	defer out.Close()
	s.cmd = exec.Command(c.agnes, "serve")
	s.cmd.Dir = c.dir
	s.cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "TZ=UTC", "DATA_DIR=" + dir, "AGNES_METRICS_ADDR=off", "AGNES_ADDR=" + addr,
		"SEED_ADMIN_EMAIL=" + adminEmail, "SEED_ADMIN_PASSWORD=" + adminPassword,
	}, append(secretEnvironment(), extra...)...)
	s.cmd.Stdout, s.cmd.Stderr = out, out
	must(c.start(s.cmd))
	s.pid = s.cmd.Process.Pid
	c.mu.Lock()
	c.live[s] = struct{}{}
	c.mu.Unlock()
	go func() {
		_ = s.cmd.Wait()
		c.mu.Lock()
		delete(c.live, s)
		c.mu.Unlock()
		close(s.ended)
	}()
	must(eventually(c.ctx, 20*time.Second, func() error {
		if s.gone() {
			must(fmt.Errorf("the server ended; its log is %s", s.log))
		}
		_, err := (&client{server: s}).send(http.MethodGet, "/api/health/ready", "", nil)
		return err
	}))
	return s
}

func (s *server) gone() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// kill ends the server and waits until it is gone; its children go with it.
func (s *server) kill() {
	if !s.gone() {
		_ = syscall.Kill(s.pid, syscall.SIGKILL)
	}
	<-s.ended
}

// queryChildren lists the processes that hold people's SQL.
func (s *server) queryChildren() []int {
	var out []int
	for _, pid := range childrenOf(s.pid) {
		if words := strings.Split(strings.TrimRight(readProc(pid, "cmdline"), "\x00"), "\x00"); words[len(words)-1] == "query" {
			out = append(out, pid)
		}
	}
	return out
}

func childrenOf(pid int) []int {
	var out []int
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, file := range tasks {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for word := range strings.FieldsSeq(string(data)) {
			if child, err := strconv.Atoi(word); err == nil {
				out = append(out, child)
			}
		}
	}
	return out
}

// readProc reads one file of a process; a process that is gone has none.
func readProc(pid int, file string) string {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	if err != nil {
		return ""
	}
	return string(data)
}

// kilobytes reads one figure of a process's status, such as VmRSS.
func kilobytes(pid int, key string) int64 {
	_, rest, found := strings.Cut(readProc(pid, "status"), key+":")
	if !found {
		return 0
	}
	n, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	return n
}

// dataLimit is the bytes of memory that the kernel lets a process have; 0: no limit.
func dataLimit(pid int) int64 {
	_, rest, found := strings.Cut(readProc(pid, "limits"), "Max data size")
	if !found {
		return 0
	}
	n, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	return n
}

func freeAddr() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	defer l.Close()
	return l.Addr().String()
}
