package faults

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// wrapWord is the first argument that makes this program the wrapper.
const wrapWord = "wrap-system-calls"

// systemCall is a call that a process of the server is about to make.
type systemCall struct {
	role string // serve, extract, rebuild, query
	op   string // write, fsync, rename, link, unlink, truncate
	path string // relative to the data directory; of a rename or link the new name
}

// verdict of a watcher: 0 lets the call pass, anything else is its error.
type watcher func(systemCall) syscall.Errno

// tap hands the system calls of a server and its children to a watcher. The
// kernel asks before each call, so the program under test needs no hooks.
type tap struct {
	dir string

	mu    sync.Mutex
	watch watcher
	roles map[uint32]string
}

// tapped starts a server whose writing system calls pass a tap.
func (c *campaign) tapped(dir string, w watcher, extra ...string) (*server, *tap, error) {
	ours, theirs, err := pair()
	if err != nil {
		return nil, nil, err
	}
	defer ours.Close()
	defer theirs.Close()
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	t := &tap{dir: dir, watch: w, roles: map[uint32]string{}}
	s := c.launchAs(dir, []string{self, wrapWord, "3", c.agnes, "serve"}, append(extra, tapMark+"="+strconv.Itoa(int(theirs.Fd())))...)
	fd, err := receiveFD(ours)
	if err != nil {
		s.kill()
		return nil, nil, fmt.Errorf("watch system calls: %w: %s", err, s.lastWords())
	}
	go t.serve(fd, s)
	return s, t, nil
}

// tapMark tells launchAs which descriptor to hand on.
const tapMark = "AGNES_FAULT_TAP"

// inherit hands the descriptor that tapMark names to the process.
func inherit(cmd *exec.Cmd) {
	for i, v := range cmd.Env {
		if text, ok := strings.CutPrefix(v, tapMark+"="); ok {
			fd, err := strconv.Atoi(text)
			must(err)
			dup, err := unix.Dup(fd)
			must(err)
			cmd.ExtraFiles = []*os.File{os.NewFile(uintptr(dup), "tap")}
			cmd.Env = append(cmd.Env[:i:i], cmd.Env[i+1:]...)
			return
		}
	}
}

func pair() (*net.UnixConn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	file := os.NewFile(uintptr(fds[0]), "ours")
	defer file.Close()
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, nil, err
	}
	return conn.(*net.UnixConn), os.NewFile(uintptr(fds[1]), "theirs"), nil
}

func receiveFD(conn *net.UnixConn) (int, error) {
	word, oob := make([]byte, 256), make([]byte, unix.CmsgSpace(4))
	n, oobn, _, _, err := conn.ReadMsgUnix(word, oob)
	if err != nil {
		return 0, err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil || len(messages) == 0 {
		return 0, fmt.Errorf("the wrapper says: %s %w", word[:n], err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return 0, err
	}
	return fds[0], nil
}

// wrap is the wrapper process: it asks the kernel to hand on its system calls,
// gives the campaign the end that hears of them, and becomes the program.
func wrap(socket string, command []string) error {
	runtime.LockOSThread()
	fd, err := strconv.Atoi(socket)
	if err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no new privileges: %w", err)
	}
	program := filter()
	args := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	const newListener, waitKillable = 1 << 3, 1 << 5
	listener, _, errno := unix.Syscall(unix.SYS_SECCOMP, 1, newListener|waitKillable, uintptr(unsafe.Pointer(&args)))
	if errno != 0 {
		return fmt.Errorf("watch system calls: %w", errno)
	}
	if err := unix.Sendmsg(fd, []byte("x"), unix.UnixRights(int(listener)), nil, 0); err != nil {
		return fmt.Errorf("hand the watch on: %w", err)
	}
	unix.CloseOnExec(fd)
	unix.CloseOnExec(int(listener))
	return syscall.Exec(command[0], command, os.Environ())
}

// filter is the kernel's program: the calls that change files are asked about.
func filter() []unix.SockFilter {
	nrs := watched()
	program := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}}
	left := len(nrs)
	for nr := range nrs {
		program = append(program, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(nr), Jt: uint8(left)})
		left--
	}
	const allow, notify = 0x7fff0000, 0x7fc00000
	return append(program,
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: allow},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: notify})
}

// operand says how a call names its file: by a descriptor, or by a path that
// may be relative to one; -1: the current directory.
type operand struct {
	op      string
	fd, str int
}

type notice struct {
	id    uint64
	pid   uint32
	flags uint32
	nr    int32
	arch  uint32
	ip    uint64
	args  [6]uint64
}

type reply struct {
	id    uint64
	val   int64
	err   int32
	flags uint32
}

// serve answers the kernel until the server is gone.
func (t *tap) serve(fd int, s *server) {
	defer unix.Close(fd)
	for {
		ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		_, err := unix.Poll(ready, 100)
		if s.gone() || (ready[0].Revents&unix.POLLHUP != 0) {
			return
		}
		if err != nil || ready[0].Revents&unix.POLLIN == 0 {
			continue
		}
		var n notice
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), 0xc0502100, uintptr(unsafe.Pointer(&n))); errno != 0 {
			continue // the process died meanwhile
		}
		r := reply{id: n.id, flags: 1} // go on
		if errno := t.ask(n); errno != 0 {
			r = reply{id: n.id, err: -int32(errno)}
		}
		_, _, _ = unix.Syscall(unix.SYS_IOCTL, uintptr(fd), 0xc0182101, uintptr(unsafe.Pointer(&r)))
	}
}

// ask describes a call to the watcher if it is about a file of ours.
func (t *tap) ask(n notice) syscall.Errno {
	o := watched()[int(n.nr)]
	path := ""
	if o.str < 0 {
		path, _ = os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", n.pid, n.args[o.fd]))
	} else {
		path = readString(n.pid, n.args[o.str])
		if !filepath.IsAbs(path) && o.fd >= 0 {
			at, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", n.pid, int32(n.args[o.fd])))
			path = filepath.Join(at, path)
		}
	}
	rel, inside := strings.CutPrefix(path, t.dir+"/")
	if !inside {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.watch == nil {
		return 0
	}
	role, known := t.roles[n.pid]
	if !known {
		role = roleOf(int(n.pid))
		t.roles[n.pid] = role
	}
	return t.watch(systemCall{role, o.op, strings.TrimSuffix(rel, " (deleted)")})
}

func readString(pid uint32, at uint64) string {
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return ""
	}
	defer mem.Close()
	data := make([]byte, 4096)
	n, err := mem.ReadAt(data, int64(at))
	if n == 0 && err != nil {
		n, _ = mem.ReadAt(data[:4096-int(at%4096)], int64(at))
	}
	text, _, _ := bytes.Cut(data[:n], []byte{0})
	return string(text)
}

// counter counts the calls that it is told of and fails or ends at one of them.
type counter struct {
	mu   sync.Mutex
	n    int
	at   int    // 0: none
	of   string // the place whose calls are counted; "": all
	do   func() syscall.Errno
	hit  *systemCall
	only func(systemCall) bool
	seen []string // the places of all calls since it was armed
}

func (c *counter) watch(call systemCall) syscall.Errno {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.only(call) {
		return 0
	}
	place := call.place()
	c.seen = append(c.seen, place)
	if c.of != "" && c.of != place {
		return 0
	}
	c.n++
	if c.n != c.at {
		return 0
	}
	c.hit = &call
	return c.do()
}

// target is a call, by its number among those of a place: other calls before it
// may come and go. Without a place it is the number among all.
type target struct {
	place string
	nth   int // from 1
}

// String names the call in reports.
func (t target) String() string { return fmt.Sprintf("%s, call %d", t.place, t.nth) }

// arm fails a call from now on, with its zero value none.
func (c *counter) arm(t target) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n, c.at, c.of, c.hit, c.seen = 0, t.nth, t.place, nil, nil
}

// reset disarms and returns how many calls were seen.
func (c *counter) reset() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = 0
	return len(c.seen)
}

// choose picks n of the calls that were seen, one of each place first, and
// returns how many places there are.
func (c *counter) choose(r *rand.Rand, n int) (chosen []target, places int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all, times := make([]target, len(c.seen)), map[string]int{}
	for i, place := range c.seen {
		times[place]++
		all[i] = target{place, times[place]}
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var first, rest []target
	known := map[string]bool{}
	for _, t := range all {
		if known[t.place] {
			rest = append(rest, t)
			continue
		}
		known[t.place] = true
		first = append(first, t)
	}
	return append(first, rest...)[:min(n, len(all))], len(known)
}

// place is what calls have in common that differ in ids and numbers alone.
func (call systemCall) place() string {
	return call.op + " " + varying.ReplaceAllString(call.path, "*")
}

var varying = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}|[0-9]+`)

// take disarms and returns the call that failed, nil for none.
func (c *counter) take() *systemCall {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = 0
	return c.hit
}

var errNoTap = errors.New("this kernel does not hand on system calls")
