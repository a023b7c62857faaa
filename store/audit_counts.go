package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"agnes/domain/audit"
)

// facetSize is how many values of each kind are named.
const facetSize = 50

// bounded is the plan over the rows that are counted, and since when that is.
func (p auditPlan) bounded(ctx context.Context, r runner) (auditPlan, time.Time, error) {
	most := auditIndexed
	if p.looks {
		most = auditLooked
	}
	stop, err := p.floor(ctx, r, most)
	if err != nil || stop.IsZero() {
		return p, stop, err
	}
	return p.with(">=", micros(stop)), stop, nil
}

// CountActivity sums up the rows that a filter means: how many, by how many
// people, how many failed, and of which kinds they are. facets asks for the
// values too.
func (s *Store) CountActivity(ctx context.Context, f audit.Filter, facets bool) (audit.Counts, error) {
	var c audit.Counts
	err := s.view(ctx, func(r runner) error {
		plan, err := s.planAudit(ctx, r, f)
		if err != nil || len(plan.branches) == 0 {
			return err
		}
		plan, stop, err := plan.bounded(ctx, r)
		if err != nil {
			return err
		}
		if !stop.IsZero() {
			c.From = &stop
		}
		if err := plan.kinds(ctx, r, &c); err != nil || !facets {
			return err
		}
		if err := plan.labels(ctx, r, c.Users); err != nil {
			return err
		}
		return plan.recent(ctx, r, &c)
	})
	if err != nil {
		return audit.Counts{}, fmt.Errorf("count activity: %w", err)
	}
	return c, nil
}

// kinds counts the rows by what an index holds of them, in one pass, and adds
// up c.
func (p auditPlan) kinds(ctx context.Context, r runner, c *audit.Counts) error {
	byUser, byAction, byResult := map[string]int64{}, map[string]int64{}, map[string]int64{}
	_, err := collect(ctx, r, func(row scanner) (struct{}, error) {
		var (
			user, action, result string
			n                    int64
		)
		err := row.Scan(&user, &action, &result, &n)
		byUser[user] += n
		byAction[action] += n
		byResult[result] += n
		return struct{}{}, err
	}, `SELECT m.user_id, m.action, m.result, count(*) FROM (`+p.each(func(branch string) string {
		// The limit is never reached; it keeps the engine from reading a whole
		// other index in the order of the groups.
		return `SELECT a.user_id, a.action, a.result FROM audit_log a WHERE ` + p.where(branch, true) + ` ORDER BY a.timestamp DESC LIMIT ` + strconv.Itoa(auditIndexed*maxBranches)
	})+`) AS m GROUP BY m.user_id, m.action, m.result`, p.args...)
	if err != nil {
		return fmt.Errorf("count: %w", err)
	}
	for user, n := range byUser {
		c.Events += n
		if isPerson(user) {
			c.People++
		}
	}
	for result, n := range byResult {
		if audit.IsFailure(result) {
			c.Failed += n
		}
	}
	c.Users, c.Actions, c.Results = most(byUser), most(byAction), most(byResult)
	return nil
}

// isPerson reports whether a row's user is an account, not Agnes or a guest.
func isPerson(user string) bool { return audit.Actor{UserID: user}.Person() }

// most are the values that occur most, the most frequent first.
func most(counts map[string]int64) []audit.Counted {
	all := make([]audit.Counted, 0, len(counts))
	for v, n := range counts {
		all = append(all, audit.Counted{Value: v, Count: n})
	}
	slices.SortFunc(all, func(a, b audit.Counted) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
	})
	return all[:min(len(all), facetSize)]
}

// labels names users by their addresses.
func (p auditPlan) labels(ctx context.Context, r runner, users []audit.Counted) error {
	if len(users) == 0 {
		return nil
	}
	in, args := marks(users, func(c audit.Counted) any { return c.Value })
	names := map[string]string{}
	_, err := collect(ctx, r, func(row scanner) (struct{}, error) {
		var id, email string
		err := row.Scan(&id, &email)
		names[id] = email
		return struct{}{}, err
	}, `SELECT u.id, u.email FROM users u WHERE u.id IN (`+in+`)`, args...)
	if err != nil {
		return fmt.Errorf("name people: %w", err)
	}
	for i := range users {
		users[i].Label = cmp.Or(names[users[i].Value], users[i].Value)
	}
	return nil
}

// recent looks at the newest rows themselves, for what no index holds.
func (p auditPlan) recent(ctx context.Context, r runner, c *audit.Counts) error {
	const newest = 5000
	byResource, bySource := map[string]int64{}, map[string]int64{}
	var took []int64
	_, err := collect(ctx, r, func(row scanner) (struct{}, error) {
		var (
			resource, source string
			ms               int64
		)
		err := row.Scan(&resource, &source, &ms)
		byResource[resource]++
		bySource[cmp.Or(source, "other")]++
		if ms > 0 {
			took = append(took, ms)
		}
		return struct{}{}, err
	}, p.each(func(branch string) string {
		return `SELECT a.resource, a.client_kind, COALESCE(a.duration_ms, 0) FROM audit_log a WHERE ` + p.where(branch, true) +
			` ORDER BY a.timestamp DESC LIMIT ` + strconv.Itoa(max(1, newest/len(p.branches)))
	}), p.args...)
	if err != nil {
		return fmt.Errorf("count resources: %w", err)
	}
	delete(byResource, "")
	if len(took) > 0 {
		slices.Sort(took)
		c.P95 = &took[(len(took)*95-1)/100]
	}
	c.Resources, c.Sources = most(byResource), most(bySource)
	return nil
}

// ChartActivity counts the rows that a filter means in steps of time, as far
// back as CountActivity does.
func (s *Store) ChartActivity(ctx context.Context, f audit.Filter, now time.Time) ([]audit.Bucket, error) {
	var bars []audit.Bucket
	err := s.view(ctx, func(r runner) error {
		plan, err := s.planAudit(ctx, r, f)
		if err != nil || len(plan.branches) == 0 {
			return err
		}
		plan, from, err := plan.bounded(ctx, r)
		if err != nil {
			return err
		}
		if from.IsZero() && f.Since.IsZero() {
			if from, err = one(ctx, r, func(row scanner) (t time.Time, err error) { return t, row.Scan(at{&t}) }, `SELECT min(timestamp) FROM audit_log`); err != nil {
				return err
			}
		}
		if !from.IsZero() {
			f.Since = from
		}
		bars = f.Steps(now)
		return plan.fill(ctx, r, bars)
	})
	if err != nil {
		return nil, fmt.Errorf("chart activity: %w", err)
	}
	return bars, nil
}

// fill counts the rows of bars that are all of one width.
func (p auditPlan) fill(ctx context.Context, r runner, bars []audit.Bucket) error {
	if len(bars) == 0 {
		return nil
	}
	from, width := p.arg(micros(bars[0].From)), p.arg(bars[0].To.Sub(bars[0].From).Microseconds())
	_, err := collect(ctx, r, func(row scanner) (struct{}, error) {
		var i, events, failed int64
		err := row.Scan(&i, &events, &failed)
		if err == nil && i >= 0 && i < int64(len(bars)) { // else later than now
			bars[i].Events, bars[i].Failed = events, failed
		}
		return struct{}{}, err
	}, `SELECT m.i, count(*), SUM(m.failed) FROM (`+p.each(func(branch string) string {
		return `SELECT (a.timestamp - ` + from + `) / ` + width + ` AS i, CASE WHEN a.result >= 'error' AND a.result < 'errors' THEN 1 ELSE 0 END AS failed
			FROM audit_log a WHERE ` + p.where(branch, true)
	})+`) AS m GROUP BY m.i`, p.args...)
	if err != nil {
		return fmt.Errorf("count by time: %w", err)
	}
	return nil
}
