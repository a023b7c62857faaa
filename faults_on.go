//go:build faults

package main

import (
	"context"
	"os"
	"strconv"
	"strings"
	"syscall"

	"agnes/store/warehouse"
)

// The variables of a build for the fault campaign: the point at which a child
// kills itself, "database:renamed" or, for the third time it is reached,
// "database:renamed@3"; and a file that the first child to die marks, so that the
// next one lives.
const (
	failpoint     = "AGNES_FAILPOINT"
	failpointOnce = "AGNES_FAILPOINT_ONCE"
)

// withFaults makes the child that runs under the context die at the point that
// the environment names.
func withFaults(ctx context.Context) context.Context {
	if at := points(); at != nil {
		return warehouse.WithPoints(ctx, at)
	}
	return ctx
}

// serverPoints makes the server itself die at the point that the environment
// names, such as "server:published".
func serverPoints() func(point string) {
	if !strings.HasPrefix(os.Getenv(failpoint), "server:") {
		return nil
	}
	return points()
}

// points is what dies at the point that the environment names; nil: nothing.
func points() func(point string) {
	name, times, counted := strings.Cut(os.Getenv(failpoint), "@")
	if name == "" {
		return nil
	}
	left := 1
	if counted {
		if n, err := strconv.Atoi(times); err == nil {
			left = n
		}
	}
	var once *os.File // opened now: later the child may open nothing
	if file := os.Getenv(failpointOnce); file != "" {
		if f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600); err == nil {
			once = f
		}
	}
	return func(point string) {
		if point != name {
			return
		}
		if left--; left == 0 && first(once) {
			// A child may signal nothing but itself, and only so.
			_, _, _ = syscall.RawSyscall(syscall.SYS_TGKILL, uintptr(syscall.Getpid()), uintptr(syscall.Gettid()), uintptr(syscall.SIGKILL))
			select {} // nothing after the point may happen
		}
	}
}

// first reports whether nobody has marked the file yet, and marks it.
func first(once *os.File) bool {
	if once == nil {
		return true
	}
	info, err := once.Stat()
	if err != nil || info.Size() > 0 {
		return false
	}
	_, err = once.WriteString("died here\n")
	return err == nil
}

// childEnv hands the variables on to children.
func childEnv() []string {
	var env []string
	for _, name := range []string{failpoint, failpointOnce} {
		if v := os.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}
