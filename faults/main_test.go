package faults

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

var (
	form   = flag.String("campaign", "", "run the fault campaign: short or long")
	seed   = flag.Uint64("seed", 0, "seed of the campaign's choices; 0: a new one")
	only   = flag.String("only", "", "run these lines only, such as F1,F4")
	binary = flag.String("bin", "", "test this program, built with -tags duckdb_arrow,faults, instead of building one")
	budget = flag.Duration("budget", 0, "stop after this time; lines that were cut short count as not shown")
	keep   = flag.Bool("keep", false, "keep the working directory")
)

// TestMain runs the campaign instead of the tests when it is asked for, and is
// the wrapper that hands a process's system calls to the campaign.
func TestMain(m *testing.M) {
	if len(os.Args) > 3 && os.Args[1] == wrapWord {
		fmt.Fprintln(os.Stderr, wrap(os.Args[2], os.Args[3:]))
		os.Exit(1)
	}
	flag.Parse()
	if *form == "" {
		os.Exit(m.Run())
	}
	os.Exit(campaignMain())
}

func campaignMain() int {
	if *form != "short" && *form != "long" {
		fmt.Fprintln(os.Stderr, "-campaign is short or long")
		return 2
	}
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *budget > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *budget)
		defer cancel()
	}
	c, err := newCampaign(ctx, *form == "long", *seed)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer c.close()
	if err := c.build(*binary); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Printf("Fault campaign, %s form. Replay the choices with -seed=%d\n\n", *form, *seed)
	return c.run(chosen(lines(), *only))
}

// chosen keeps the lines that are named; no name keeps all.
func chosen(all []line, names string) []line {
	if names == "" {
		return all
	}
	var out []line
	for _, l := range all {
		for name := range strings.SplitSeq(names, ",") {
			if strings.EqualFold(l.id, strings.TrimSpace(name)) {
				out = append(out, l)
			}
		}
	}
	return out
}

// lines are the faults, in the order of the table.
func lines() []line {
	points := len(points())
	return []line{
		{"F1", "kill -9 of the server at a random moment", 25, 500, killServer},
		{"F2", "kill -9 of a random child", 15, 200, killChildren},
		{"F3", "kill at each named point of publishing", points, points * 25, killAtPoints},
		{"F4", "odd files at the start", len(oddStates()), len(oddStates()), oddStarts},
		{"F5", "disk full at each writing route", writingRouteCount, writingRouteCount * 3, diskFull},
		{"F6", "read-only or vanished folders and files", 10, 10, takenAway},
		{"F7", "cut and mutated files", 60, 600, brokenFiles},
		{"F8", "clock jumps", 4, 20, clockJumps},
		{"F9", "input/output errors of a sync, one by one", 35, 1000, ioErrors},
		{"F10", "backup under writes, restored elsewhere", 3, 20, backups},
		{"F11", "kill at each write of a migration", 12, 1 << 20, migrationKills},
		{"F12", "crash of the query engine", 5, 20, engineCrashes},
		{"F13", "SIGTERM under load", 5, 100, terminations},
		{"F14", "publishing under readers without pause", 20, 500, readersUnderPublishes},
		{"F15", "flipped bits of what is published", 30, 600, flippedBits},
		{"F16", "a sync killed while it runs is taken up again", 6, 50, takenUpAgain},
		{"F17", "input/output errors of uploads and the state", 12, 1000, serverErrors},
	}
}

// dice returns a source of choices for one line, the same for the same seed.
func dice(seed uint64, line string) *rand.Rand {
	var salt uint64
	for _, b := range []byte(line) {
		salt = salt*131 + uint64(b)
	}
	return rand.New(rand.NewPCG(seed, salt))
}
