//go:build !race

package warehouse

const raceDetector = false
