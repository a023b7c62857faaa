package faults

import "golang.org/x/sys/unix"

// watched are the system calls that change files.
func watched() map[int]operand {
	return map[int]operand{
		unix.SYS_WRITE: {"write", 0, -1}, unix.SYS_PWRITE64: {"write", 0, -1}, unix.SYS_FTRUNCATE: {"truncate", 0, -1},
		unix.SYS_FSYNC: {"fsync", 0, -1}, unix.SYS_FDATASYNC: {"fsync", 0, -1},
		unix.SYS_RENAMEAT: {"rename", 2, 3}, unix.SYS_RENAMEAT2: {"rename", 2, 3},
		unix.SYS_LINKAT: {"link", 2, 3}, unix.SYS_UNLINKAT: {"unlink", 0, 1},
	}
}
