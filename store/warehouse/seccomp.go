package warehouse

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// rights are what a child keeps beyond reading, writing and computing.
type rights struct {
	network    bool // may open sockets
	attributes bool // may change modes, owners and times of files, and link them
}

// filterCalls shuts, for good and for all threads of the process, the kernel
// to system calls that the child has no use for. Landlock says which files it
// reaches; this says what else it may ask of the kernel. The caller has
// given up new privileges.
func filterCalls(r rights) error {
	program := callFilter(r, uint32(os.Getpid()))                                                                                               //nolint:gosec // a process number is positive
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}                                                                      //nolint:gosec // some hundred instructions
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog))) //nolint:gosec // the kernel's interface
	if errno != 0 {
		return fmt.Errorf("filter system calls: %w", errno)
	}
	return nil
}

// SeccompOffered reports whether the kernel filters system calls for us.
func SeccompOffered() bool {
	action := uint32(unix.SECCOMP_RET_ERRNO)
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action))) //nolint:gosec // the kernel's interface
	return errno == 0
}

// Where a filter finds what it looks at: struct seccomp_data, of which the low
// halves of arguments come first on the little-endian machines that we know.
const (
	callNumber = 0
	callArch   = 4
	callArg0   = 16
	callArg2   = 32
)

// callFilter makes the program: calls of a foreign architecture end the
// process, refused ones fail with EPERM, all others pass.
func callFilter(r rights, self uint32) []unix.SockFilter {
	const (
		load  = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		least = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
		bits  = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
		end   = unix.BPF_RET | unix.BPF_K
	)
	refuse := func(errno unix.Errno) unix.SockFilter {
		return unix.SockFilter{Code: end, K: unix.SECCOMP_RET_ERRNO | uint32(errno)} //nolint:gosec // a small number
	}
	pass := unix.SockFilter{Code: end, K: unix.SECCOMP_RET_ALLOW}
	program := []unix.SockFilter{
		{Code: load, K: callArch},
		{Code: equal, K: seccompArch, Jt: 1},
		{Code: end, K: unix.SECCOMP_RET_KILL_PROCESS},
		{Code: load, K: callNumber},
	}
	if seccompForeign != 0 {
		program = append(program, unix.SockFilter{Code: least, K: seccompForeign, Jf: 1}, refuse(unix.ENOSYS))
	}
	for _, number := range refusedCalls(r) {
		program = append(program, unix.SockFilter{Code: equal, K: number, Jf: 1}, refuse(unix.EPERM))
	}
	return append(program,
		// Threads are cloned, processes are not. What clone3 asks for lies in
		// memory that no filter reads; without it, libc uses clone.
		unix.SockFilter{Code: equal, K: unix.SYS_CLONE3, Jf: 1}, refuse(unix.ENOSYS),
		unix.SockFilter{Code: equal, K: unix.SYS_CLONE, Jf: 4},
		unix.SockFilter{Code: load, K: callArg0},
		unix.SockFilter{Code: bits, K: unix.CLONE_THREAD, Jt: 1},
		refuse(unix.EPERM), pass,
		// Signals go to the process itself.
		unix.SockFilter{Code: equal, K: unix.SYS_TGKILL, Jf: 4},
		unix.SockFilter{Code: load, K: callArg0},
		unix.SockFilter{Code: equal, K: self, Jt: 1},
		refuse(unix.EPERM), pass,
		// Limits may be read: with a new one, the third argument is a pointer.
		unix.SockFilter{Code: equal, K: unix.SYS_PRLIMIT64, Jf: 6},
		unix.SockFilter{Code: load, K: callArg2},
		unix.SockFilter{Code: equal, K: 0, Jf: 2},
		unix.SockFilter{Code: load, K: callArg2 + 4},
		unix.SockFilter{Code: equal, K: 0, Jt: 1},
		refuse(unix.EPERM), pass,
		pass)
}

// refusedCalls are the calls that fail whatever their arguments.
func refusedCalls(r rights) []uint32 {
	always, files := machineCalls()
	all := append(always, processCalls()...)
	all = append(all, systemCalls()...)
	if !r.network {
		all = append(all, socketCalls()...)
	}
	if !r.attributes {
		all = append(append(all, files...), attributeCalls()...)
	}
	return all
}

// processCalls start, look into or steer processes.
func processCalls() []uint32 {
	return []uint32{
		unix.SYS_EXECVE, unix.SYS_EXECVEAT, unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PROCESS_MADVISE,
		unix.SYS_KCMP, unix.SYS_PIDFD_OPEN, unix.SYS_PIDFD_GETFD, unix.SYS_PIDFD_SEND_SIGNAL, unix.SYS_KILL, unix.SYS_TKILL,
		unix.SYS_RT_SIGQUEUEINFO, unix.SYS_RT_TGSIGQUEUEINFO, unix.SYS_SETRLIMIT, unix.SYS_SETPRIORITY, unix.SYS_IOPRIO_SET,
		unix.SYS_SCHED_SETSCHEDULER, unix.SYS_SCHED_SETPARAM, unix.SYS_SCHED_SETATTR, unix.SYS_SETNS, unix.SYS_UNSHARE,
		unix.SYS_SETUID, unix.SYS_SETGID, unix.SYS_SETREUID, unix.SYS_SETREGID, unix.SYS_SETRESUID, unix.SYS_SETRESGID,
		unix.SYS_SETFSUID, unix.SYS_SETFSGID, unix.SYS_SETGROUPS, unix.SYS_CAPSET, unix.SYS_MIGRATE_PAGES, unix.SYS_MOVE_PAGES,
	}
}

// systemCalls change the machine, or open parts of the kernel that nothing
// here uses.
func systemCalls() []uint32 {
	return []uint32{
		unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_MOVE_MOUNT, unix.SYS_OPEN_TREE, unix.SYS_FSOPEN,
		unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR, unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_QUOTACTL,
		unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD, unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER,
		unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE,
		unix.SYS_KEXEC_LOAD, unix.SYS_REBOOT, unix.SYS_ACCT, unix.SYS_SYSLOG, unix.SYS_VHANGUP, unix.SYS_PERSONALITY,
		unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_ADJTIMEX, unix.SYS_CLOCK_ADJTIME, unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME,
		unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_FANOTIFY_INIT, unix.SYS_INOTIFY_INIT1, unix.SYS_MEMFD_CREATE, unix.SYS_MEMFD_SECRET,
		unix.SYS_SHMGET, unix.SYS_SHMAT, unix.SYS_SHMCTL, unix.SYS_MSGGET, unix.SYS_SEMGET, unix.SYS_MQ_OPEN, unix.SYS_MQ_UNLINK,
	}
}

// socketCalls reach others. The child's own channel is open already, and a
// message could hand a descriptor over it.
func socketCalls() []uint32 {
	return []uint32{
		unix.SYS_SOCKET, unix.SYS_SOCKETPAIR, unix.SYS_CONNECT, unix.SYS_BIND, unix.SYS_LISTEN, unix.SYS_ACCEPT, unix.SYS_ACCEPT4,
		unix.SYS_SENDMSG, unix.SYS_SENDMMSG, unix.SYS_RECVMSG, unix.SYS_RECVMMSG,
	}
}

// attributeCalls change what Landlock does not look after: modes, owners,
// times and further names of files, by any path.
func attributeCalls() []uint32 {
	return []uint32{
		unix.SYS_FCHMOD, unix.SYS_FCHMODAT, unix.SYS_FCHMODAT2, unix.SYS_FCHOWN, unix.SYS_FCHOWNAT, unix.SYS_UTIMENSAT,
		unix.SYS_SETXATTR, unix.SYS_LSETXATTR, unix.SYS_FSETXATTR, unix.SYS_REMOVEXATTR, unix.SYS_LREMOVEXATTR, unix.SYS_FREMOVEXATTR,
		unix.SYS_LINKAT, unix.SYS_MKNODAT,
	}
}
