package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"agnes/domain"
	"agnes/domain/syncs"
)

const (
	runsPath = "/api/sync/runs"
	runsPage = 1000
	// pollEvery is the pause between two looks at running syncs.
	pollEvery = time.Second
)

// syncRun is one run of GET /api/sync/runs.
type syncRun struct {
	ID       string      `json:"id"`
	TableID  string      `json:"table_id"`
	Name     string      `json:"name"`
	State    syncs.State `json:"state"`
	Rows     int64       `json:"rows"`
	Message  *string     `json:"message"`
	NextStep *string     `json:"next_step"`
}

func (r syncRun) live() bool { return r.State == syncs.Queued || r.State == syncs.Running }

func (a *app) syncCommand() *cobra.Command {
	var wait bool
	cmd := a.action("sync [TABLE]…", "Start a sync of tables, by ids or names; without any, of all that are due", takes("[TABLE]…"),
		func(cmd *cobra.Command, c *client, args []string) error {
			ids, err := tableIDs(cmd.Context(), c, args)
			if err != nil {
				return err
			}
			if !wait {
				return startSync(cmd, c, ids)
			}
			return startAndFollow(cmd, c, ids)
		})
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until the syncs have ended; fails when one of them fails")
	return cmd
}

// tableIDs resolves refs; none stand for all tables that are due.
func tableIDs(ctx context.Context, c *client, refs []string) ([]string, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	found, err := findTables(ctx, c, refs)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(found))
	for i, t := range found {
		ids[i] = t.id
	}
	return ids, nil
}

var errSyncing = errors.New("being synced already")

// startSync asks for the syncs and prints what the server says to it.
func startSync(cmd *cobra.Command, c *client, ids []string) error {
	var body any
	if len(ids) > 0 {
		body = map[string][]string{"tables": ids}
	}
	var answer struct {
		Message string `json:"message"`
	}
	err := c.call(cmd.Context(), http.MethodPost, "/api/sync/trigger", body, &answer)
	if statusOf(err) == http.StatusConflict {
		return fmt.Errorf("nothing was started, because it is %w. Wait for its end with --wait", errSyncing)
	}
	if err != nil {
		return err
	}
	if answer.Message == "" {
		answer.Message = "The sync was started."
	}
	return tell(cmd, "%s", answer.Message)
}

// startAndFollow starts the syncs, and returns when they have ended. What ran
// before for the same tables is followed too: a table has one run at a time.
func startAndFollow(cmd *cobra.Command, c *client, ids []string) error {
	ctx := cmd.Context()
	ended := map[string]bool{} // runs that ended before, or were reported
	before, err := recentRuns(ctx, c, nil)
	if err != nil {
		return err
	}
	for _, r := range before {
		ended[r.ID] = !r.live()
	}
	if err := startSync(cmd, c, ids); err != nil && !errors.Is(err, errSyncing) {
		return err
	}
	failed := 0
	for {
		runs, err := recentRuns(ctx, c, ended)
		if err != nil {
			return err
		}
		waiting := false
		for _, r := range runs {
			if ended[r.ID] || (len(ids) > 0 && !slices.Contains(ids, r.TableID)) {
				continue
			}
			if r.live() {
				waiting = true
				continue
			}
			ended[r.ID] = true
			if !reportRun(cmd, r) {
				failed++
			}
		}
		if !waiting {
			return syncOutcome(failed)
		}
		if err := c.wait(ctx, pollEvery); err != nil {
			return domain.E(domain.Cancelled, "stopped", "Stopped waiting; the syncs on the server go on.")
		}
	}
}

// recentRuns lists runs, the newest first, back to the first page that has one
// that is known; with nil the newest page.
func recentRuns(ctx context.Context, c *client, known map[string]bool) ([]syncRun, error) {
	var all []syncRun
	for {
		var page struct {
			Runs []syncRun `json:"runs"`
		}
		if err := c.get(ctx, fmt.Sprintf("%s?limit=%d&offset=%d", runsPath, runsPage, len(all)), &page); err != nil {
			return nil, err
		}
		all = append(all, page.Runs...)
		seen := slices.ContainsFunc(page.Runs, func(r syncRun) bool { return known[r.ID] })
		if seen || known == nil || len(page.Runs) < runsPage {
			return all, nil
		}
	}
}

// reportRun says how a run ended, and whether well.
func reportRun(cmd *cobra.Command, r syncRun) bool {
	if r.State == syncs.OK {
		fmt.Fprintln(cmd.OutOrStdout(), clean(fmt.Sprintf("%s: ok, %s rows", r.Name, humanize.Comma(r.Rows))))
		return true
	}
	why := strings.TrimSpace(text(r.Message) + " " + text(r.NextStep))
	fmt.Fprintln(cmd.ErrOrStderr(), clean(strings.TrimSpace(fmt.Sprintf("%s: %s (run %s). %s", r.Name, r.State, r.ID, why))))
	return false
}

func syncOutcome(failed int) error {
	if failed == 0 {
		return nil
	}
	return domain.E(domain.Unavailable, "sync_failed", "%s did not succeed. Versions from before are still served.", count(failed, "sync"))
}
