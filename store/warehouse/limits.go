package warehouse

import (
	"fmt"

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
		if l.resource == unix.RLIMIT_DATA && raceDetector {
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
