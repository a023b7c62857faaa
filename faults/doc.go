// Package faults holds the fault campaign: tests that start the real program,
// break it on purpose and look whether anything that it confirmed is lost.
// docs/reliability.md says how to run it and how to read its table. There is
// nothing here but tests; without -campaign only those of the campaign's own
// parts run.
package faults
