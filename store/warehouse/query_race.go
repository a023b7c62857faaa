//go:build race

package warehouse

const raceDetector = true
