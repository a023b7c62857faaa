package warehouse

import (
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/landlock-lsm/go-landlock/landlock"
	landlocksys "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"

	"agnes/domain/work"
)

// doors are the folders that a child needs; all others are shut to it.
type doors struct {
	read, write []string
}

// enterSandbox gives up, for good and for the whole process, what the job does
// not need: memory beyond its budget, core dumps, the network, and the
// file system but for doors. It runs before the engine starts, whose threads
// inherit it. What the kernel does not offer is logged.
func enterSandbox(budget work.Budget, d doors, log *slog.Logger) error {
	unix.Umask(0o027)
	if err := limitProcess(budget); err != nil {
		return err
	}
	for _, dir := range d.write {
		if err := makeDir(dir); err != nil {
			return err
		}
	}
	abi, err := landlocksys.LandlockGetABIVersion()
	if err != nil {
		log.Warn("the kernel has no Landlock: this child is held by DuckDB's own locks only", "err", err)
		return nil
	}
	rules := []landlock.Rule{
		landlock.RODirs(d.read...).IgnoreIfMissing(),
		landlock.RWDirs(d.write...).WithRefer(),
		// DuckDB asks for the memory of its control group when it opens, and
		// ends the process when it may not; io is how progress is told.
		landlock.ROFiles("/proc/self/cgroup", "/proc/self/io", "/proc/meminfo", "/dev/urandom").IgnoreIfMissing(),
		landlock.RODirs("/sys/fs/cgroup", "/sys/devices/system/cpu").IgnoreIfMissing(),
	}
	if err := landlock.V6.BestEffort().Restrict(rules...); err != nil {
		return fmt.Errorf("restrict file access: %w", err)
	}
	log.Debug("sandboxed", "landlock_abi", abi)
	return nil
}

// limitProcess bounds the memory that the process may write to. What it holds
// already is part of it.
func limitProcess(budget work.Budget) error {
	memory := budget.MemoryBytes
	if memory <= 0 {
		memory = defaultMemory
	}
	return setLimits([]limit{
		{"core dumps", unix.RLIMIT_CORE, 0},
		{"data", unix.RLIMIT_DATA, 2*uint64(memory) + dataSlack},
	})
}

// extractDoors opens what one extraction needs: its inputs, the folder of its
// versions, its scratch folder.
func (s *Store) extractDoors(job work.ExtractJob) doors {
	d := doors{write: []string{s.scratch}}
	for _, dir := range []string{filesDir, uploadsDir} {
		d.read = append(d.read, filepath.Join(s.dir, dir))
	}
	d.read = append(d.read, filepath.Join(s.dir, extractsDir, job.Source))
	if job.Inspect == "" {
		d.write = append(d.write, filepath.Join(s.dir, versionsDir, job.Source))
	}
	return d
}

// rebuildDoors opens what a rebuild needs. Versions are writable because a
// hard link gives the linked file the rights of both places.
func (s *Store) rebuildDoors() doors {
	d := doors{write: []string{s.scratch}}
	for _, dir := range []string{versionsDir, extractsDir, analyticsDir} {
		d.write = append(d.write, filepath.Join(s.dir, dir))
	}
	return d
}
