package warehouse

import (
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/landlock-lsm/go-landlock/landlock"
	landlocksys "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"

	"agnes/domain/registry"
	"agnes/domain/work"
)

// doors are the folders that a child needs; all others are shut to it.
type doors struct {
	read, write []string
	network     bool // may reach outside systems, and read what names their addresses
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
	if err := hide(); err != nil {
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
		return filterJobCalls(d)
	}
	rules := []landlock.Rule{
		landlock.RODirs(d.read...).IgnoreIfMissing(),
		landlock.RWDirs(d.write...).WithRefer(),
		// DuckDB asks for the memory of its control group when it opens, and
		// ends the process when it may not; io is how progress is told.
		landlock.ROFiles("/proc/self/cgroup", "/proc/self/io", "/proc/meminfo", "/dev/urandom").IgnoreIfMissing(),
		landlock.RODirs("/sys/fs/cgroup", "/sys/devices/system/cpu").IgnoreIfMissing(),
	}
	restrict := landlock.V6.BestEffort().Restrict
	if d.network {
		rules = append(rules, landlock.RODirs("/etc/ssl", "/usr/share/ca-certificates").IgnoreIfMissing(),
			landlock.ROFiles("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf").IgnoreIfMissing())
		restrict = landlock.V6.BestEffort().RestrictPaths
	}
	if err := restrict(rules...); err != nil {
		return fmt.Errorf("restrict file access: %w", err)
	}
	log.Debug("sandboxed", "landlock_abi", abi)
	return filterJobCalls(d)
}

// filterJobCalls leaves a job the calls by which it publishes files.
func filterJobCalls(d doors) error {
	if !SeccompOffered() {
		return nil // said once, by the server at its start
	}
	return filterCalls(rights{network: d.network, attributes: true})
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
	if job.Inspect == work.InspectVersions {
		d.read = append(d.read, filepath.Join(s.dir, versionsDir))
		return d
	}
	if job.Inspect == work.InspectRemote {
		d.network = true
		d.read = append(d.read, filepath.Join(s.dir, extensionsDir))
		return d
	}
	if job.Inspect == work.InspectJoin {
		d.read = append(d.read, filepath.Join(s.dir, versionsDir, job.Source))
		d.write = append(d.write, filepath.Join(s.dir, joinedDir))
		return d
	}
	if job.Connector == registry.SourceCustom || job.Inspect == work.InspectSource { // somebody else's SQL: its own folder is all it sees
		d.read = append(d.read, filepath.Join(s.dir, extractsDir, job.Source))
	} else {
		d.read = append(d.read, filepath.Join(s.dir, filesDir), filepath.Join(s.dir, uploadsDir))
	}
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
