//go:build duckdb_arrow

package warehouse

import (
	"fmt"
	"os/signal"
	"runtime/debug"

	"github.com/landlock-lsm/go-landlock/landlock"
	landlocksys "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"

	"agnes/domain/work"
)

const (
	// queryGoMemory is where Go's collector begins to work harder, so that
	// nearly all of the allowance is DuckDB's.
	queryGoMemory = 192 << 20
	// queryOpenFiles bounds descriptors; each file of a scanned table is one.
	queryOpenFiles = 4096
	// queryScratchFactor is how much a query may spill, in memory limits.
	queryScratchFactor = 8
	// queryAddressSlack is the address space beyond the data: Go and the
	// allocator reserve far more than they use.
	queryAddressSlack = 16 << 30
	// queryProcesses bounds the threads of all processes of the same user.
	queryProcesses = 8192
	// queryCPUSeconds ends a child that runs for ever while nobody ends it.
	queryCPUSeconds = 12 * 3600
)

// LandlockABI returns the version of Landlock that the kernel offers, 0 for
// none: then a query child is held by DuckDB's own locks and limits only.
func LandlockABI() int {
	version, err := landlocksys.LandlockGetABIVersion()
	if err != nil {
		return 0
	}
	return version
}

// enterQuerySandbox gives up, for good and for the whole process, everything
// that a query does not need. It runs before DuckDB opens, so that the
// engine's threads inherit it.
func enterQuerySandbox(budget work.Budget, files []string) error {
	if err := limitQueryProcess(budget); err != nil {
		return err
	}
	debug.SetMemoryLimit(queryGoMemory)
	if err := hide(); err != nil {
		return err
	}
	rules := []landlock.Rule{
		landlock.PathAccess(landlocksys.AccessFSReadFile, files...).IgnoreIfMissing(),
		// DuckDB asks for the memory of its control group when it opens, and
		// ends the process when it may not.
		landlock.PathAccess(landlocksys.AccessFSReadFile, "/proc/self/cgroup", "/proc/meminfo").IgnoreIfMissing(),
		landlock.RODirs("/sys/fs/cgroup").IgnoreIfMissing(),
		landlock.RWDirs(budget.ScratchKey),
	}
	if err := landlock.V10.BestEffort().Restrict(rules...); err != nil {
		return fmt.Errorf("restrict file access: %w", err)
	}
	if !SeccompOffered() {
		return nil // said once, by the server at its start
	}
	return filterCalls(rights{})
}

func limitQueryProcess(budget work.Budget) error {
	// A write past RLIMIT_FSIZE should fail, not end the process.
	signal.Ignore(unix.SIGXFSZ)
	memory := uint64(max(budget.MemoryBytes, 0))
	return setLimits([]limit{
		{"core dumps", unix.RLIMIT_CORE, 0},
		{"files", unix.RLIMIT_NOFILE, queryOpenFiles},
		{"file size", unix.RLIMIT_FSIZE, queryScratchFactor * memory},
		{"data", unix.RLIMIT_DATA, 2*memory + dataSlack},
		{"address space", unix.RLIMIT_AS, 2*memory + dataSlack + queryAddressSlack},
		{"processes", unix.RLIMIT_NPROC, queryProcesses},
		{"processor time", unix.RLIMIT_CPU, queryCPUSeconds},
		{"message queues", unix.RLIMIT_MSGQUEUE, 0},
		{"locked memory", unix.RLIMIT_MEMLOCK, 0},
	})
}
