package warehouse

import (
	"fmt"

	"agnes/domain/work"
)

// Walls says which walls around children this kernel can build. What it
// cannot give is missing for good, so it is asked once.
func Walls() []work.Wall {
	files := work.Wall{Name: "files", Held: true, Detail: "Landlock"}
	network := work.Wall{Name: "network", Held: true, Detail: "system call filter"}
	calls := work.Wall{Name: "system_calls", Held: true, Detail: "system call filter"}
	abi := LandlockABI()
	files.Detail = fmt.Sprintf("Landlock %d", abi)
	if abi == 0 {
		files.Held = false
		files.Detail = "The kernel offers no Landlock: which files a child opens is held by DuckDB's own locks only."
	}
	if !SeccompOffered() {
		calls.Held = false
		calls.Detail = "The kernel filters no system calls: children are kept from programs and processes by limits only."
		network.Detail = fmt.Sprintf("Landlock %d", abi)
		if abi < 4 { // the first that knows of TCP
			network.Held = false
			network.Detail = "The kernel cannot shut the network to children: DuckDB's own locks do."
		}
	}
	return []work.Wall{files, network, calls}
}
