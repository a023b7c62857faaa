package jobs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Children step back behind the portal. Jobs that take long step back behind
// queries too, for which people wait; short ones, such as publishing a small
// table, are done before queries without pause could starve them.
const (
	childNiceness = 5
	longNiceness  = 10
	longJob       = 5 * time.Second
	// The best-effort class of disk scheduling and its last place.
	ioClass, ioGroup = 2<<13 | 7, 2
)

// stepBack gives a child that was just started, and what it starts, a lower
// priority for processors and disks.
func stepBack(pid int) error {
	err := unix.Setpriority(unix.PRIO_PGRP, pid, childNiceness)
	if _, _, errno := unix.Syscall(unix.SYS_IOPRIO_SET, ioGroup, uintptr(pid), ioClass); errno != 0 {
		err = errors.Join(err, errno)
	}
	if err != nil {
		return fmt.Errorf("lower the priority: %w", err)
	}
	return nil
}

// stepBackLater has a job step back further when it turns out to be a long one.
func (s *Supervisor) stepBackLater(c *child, after time.Duration) (stop func() bool) {
	return time.AfterFunc(after, s.cfg.Guard.Func("lower a priority", func() {
		select {
		case <-c.ended:
			return
		default:
		}
		if err := unix.Setpriority(unix.PRIO_PGRP, c.cmd.Process.Pid, longNiceness); err != nil {
			s.cfg.Log.Debug("child keeps its priority", "kind", c.kind, "err", err)
		}
	})).Stop
}

// memoryKills counts the processes that the kernel has ended because memory
// ran out: in our control group where it tells, else on the whole machine.
func memoryKills() int64 {
	for _, file := range memoryEvents() {
		if n, known := counter(file, "oom_kill"); known {
			return n
		}
	}
	return 0
}

// memoryEvents are the files that may know, the nearest first.
func memoryEvents() []string {
	files := []string{}
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err == nil {
		for line := range strings.Lines(string(groups)) {
			parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
			switch {
			case len(parts) < 3:
			case parts[0] == "0":
				files = append(files, filepath.Join("/sys/fs/cgroup", parts[2], "memory.events"))
			case strings.Contains(","+parts[1]+",", ",memory,"):
				files = append(files, filepath.Join("/sys/fs/cgroup/memory", parts[2], "memory.oom_control"))
			}
		}
	}
	// Inside a container the group may be mounted as the root.
	return append(files, "/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control", "/proc/vmstat")
}

// counter reads "name number" from a file of such lines.
func counter(file, name string) (n int64, known bool) {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(data)) {
		if rest, found := strings.CutPrefix(line, name+" "); found {
			n, err := strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}
