package warehouse

import "golang.org/x/sys/unix"

// The numbers that system calls have on this machine.
const (
	seccompArch    = unix.AUDIT_ARCH_AARCH64
	seccompForeign = 0 // there is no second set of numbers
)

// machineCalls are the refused calls that only this architecture has.
func machineCalls() (always, files []uint32) { return nil, nil }
