package warehouse

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	landlocksys "github.com/landlock-lsm/go-landlock/landlock/syscall"

	"golang.org/x/sys/unix"
)

// dataSlack is what a child may allocate beyond twice the engine's
// memory_limit, which does not count single values, plans and Go itself.
const dataSlack = 512 << 20

// limit bounds one resource of this process.
type limit struct {
	name     string
	resource int
	value    uint64
}

// setLimits lowers limits for good: the hard ones too, so that nothing in the
// process can raise them again.
func setLimits(limits []limit) error {
	for _, l := range limits {
		if (l.resource == unix.RLIMIT_DATA || l.resource == unix.RLIMIT_AS) && raceDetector {
			continue // its shadow memory alone is terabytes
		}
		var now unix.Rlimit
		if err := unix.Getrlimit(l.resource, &now); err != nil {
			return fmt.Errorf("read limit of %s: %w", l.name, err)
		}
		value := min(l.value, now.Max)
		if err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: value, Max: value}); err != nil {
			return fmt.Errorf("set limit of %s: %w", l.name, err)
		}
	}
	return nil
}

// firstToDie makes the kernel end this process, not the server, when memory
// runs out: 0 is like all others, 1000 is before all others.
const firstToDie = "900"

// hide gives up new privileges, makes the process the first to die of want of
// memory, and shuts its memory to other processes of the same user.
func hide() error {
	// A container may keep its processes from even this.
	if err := os.WriteFile("/proc/self/oom_score_adj", []byte(firstToDie), 0); err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("die first: %w", err)
	}
	if err := landlocksys.AllThreadsPrctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up new privileges: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("hide from other processes: %w", err)
	}
	return nil
}
