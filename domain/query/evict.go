package query

import (
	"context"
	"errors"
	"fmt"

	"agnes/domain/people"
)

// evict makes room among a person's results, the oldest first.
func (r *Runner) evict(ctx context.Context, by people.UserID) error {
	l := r.limits().Results
	if l.PersonBytes <= 0 && l.PersonCount <= 0 {
		return nil
	}
	runs, err := r.Log.EvictResults(ctx, by, l.PersonBytes, l.PersonCount)
	if err != nil {
		return fmt.Errorf("make room among the results of %s: %w", by, err)
	}
	var errs []error
	for _, id := range runs {
		errs = append(errs, r.Keeper.Remove(id))
	}
	return errors.Join(errs...)
}
