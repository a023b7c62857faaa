//go:build !faults

package main

import "context"

// withFaults changes nothing: only a build for the fault campaign stops
// children at named points.
func withFaults(ctx context.Context) context.Context { return ctx }

// serverPoints is who hears of the points of publishing in the server: nobody.
func serverPoints() func(point string) { return nil }

// childEnv is what children get of the environment: nothing.
func childEnv() []string { return nil }
