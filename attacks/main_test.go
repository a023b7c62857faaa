//go:build duckdb_arrow

package attacks

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"agnes/store/warehouse"
)

var (
	form   = flag.String("campaign", "", "run the attack campaign: short or long")
	seed   = flag.Uint64("seed", 0, "seed of the campaign's choices; 0: a new one")
	only   = flag.String("only", "", "run these lines only, such as S1,S3")
	binary = flag.String("bin", "", "attack this program instead of building one")
	keep   = flag.Bool("keep", false, "keep the working directory")
	texts  = flag.Int("texts", 0, "texts of the differential fuzz; 0: what the form says")
)

// TestMain runs the campaign instead of the tests when it is asked for. It also
// makes the test binary a query child, for the fuzz tests.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "worker" && os.Args[2] == "query" {
		os.Exit(beQueryChild())
	}
	flag.Parse()
	if *form == "" {
		os.Exit(m.Run())
	}
	os.Exit(campaignMain())
}

func beQueryChild() int {
	conn, err := net.FileConn(os.NewFile(3, "parent"))
	if err != nil {
		return 3
	}
	if err := warehouse.RunQuery(context.Background(), conn, slog.New(slog.NewTextHandler(os.Stderr, nil))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
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
	fmt.Printf("Attack campaign, %s form. Replay the choices with -seed=%d\n\n", *form, *seed)
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

// lines are the proofs, in the order of the table. A line of zero tries as many
// as its corpus holds.
func lines() []line {
	return []line{
		{"S1", "hostile SQL refused without a leak", 0, 0, hostile},
		{"S1b", "absent and forbidden tables answer alike", 0, 0, alike},
		{"S1c", "other people's runs and results", 0, 0, otherPeople},
		{"S2", "honest SQL answered, equal to plain DuckDB", 0, 0, honest},
		{"S3", "resource bombs end; others are served", 12, 0, bombs},
		{"S3c", "bombs stop within a second of being left", 12, 0, leftBombs},
		{"S4", "children that crash or are killed under load", 30, 200, crashes},
		{"S5", "random SQL: what is admitted is what binds", 10_000, 50_000, differential},
		{"S5c", "SQL mutated around a forbidden table", 5_000, 50_000, mutations},
		{"L2", "small aggregate on 1 M rows, 8 clients", 1, 1, loadSmall},
		{"L3", "50 queries of one person, one of another", 1, 1, loadFair},
		{"L4", "1 M rows as CSV and JSON", 2, 2, loadWide},
		{"S8i", "identity over HTTP", 0, 0, overHTTP},
		{"S9", "routes by nobody, an analyst, another site", 0, 0, strangers},
		{"S12", "what is known does not show in time", 5, 5, timing},
		{"S13", "planted secrets in output, logs, /proc", 0, 0, secrets},
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
