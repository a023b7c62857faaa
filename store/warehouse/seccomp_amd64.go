package warehouse

import "golang.org/x/sys/unix"

// The numbers that system calls have on this machine. Calls by the numbers of
// another architecture are how a filter by number is gone around.
const (
	seccompArch = unix.AUDIT_ARCH_X86_64
	// seccompForeign begins the numbers of x32, a second set for the same calls.
	seccompForeign = 0x40000000
)

// machineCalls are the refused calls that only this architecture has.
func machineCalls() (always, files []uint32) {
	always = []uint32{unix.SYS_FORK, unix.SYS_VFORK, unix.SYS_IOPL, unix.SYS_IOPERM, unix.SYS_MODIFY_LDT, unix.SYS_INOTIFY_INIT, unix.SYS_SIGNALFD}
	files = []uint32{
		unix.SYS_CHMOD, unix.SYS_CHOWN, unix.SYS_LCHOWN, unix.SYS_UTIME, unix.SYS_UTIMES, unix.SYS_FUTIMESAT, unix.SYS_LINK, unix.SYS_MKNOD,
	}
	return always, files
}
