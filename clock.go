//go:build !faults

package main

import "time"

// clock is the machine's; a build for the fault campaign can shift it.
func clock() time.Time { return time.Now() }
