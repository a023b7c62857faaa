//go:build faults

package main

import (
	"os"
	"strings"
	"time"
)

// clock is the machine's, shifted by what the file that AGNES_FAULT_CLOCK names
// says, such as -1h; it is read each time, so that the clock can jump.
func clock() time.Time {
	now := time.Now()
	file := os.Getenv("AGNES_FAULT_CLOCK")
	if file == "" {
		return now
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return now
	}
	shift, err := time.ParseDuration(strings.TrimSpace(string(data)))
	if err != nil {
		return now
	}
	return now.Round(0).Add(shift)
}
