package syncs

import (
	"context"

	"agnes/domain"
	"agnes/domain/profile"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// ProfileView is what a reader of a table gets.
type ProfileView struct {
	Kept     *profile.Kept // nil while there is none
	Current  bool          // Kept is of the table's current version
	Counting bool          // one is being made, or waits for its turn
	Failure  *work.Failure // why the last try made none
}

// Of returns the profile of a table that the caller's catalog holds, with what
// the registry says of the table now.
func (p *Profiler) Of(ctx context.Context, t registry.Published) (ProfileView, error) {
	p.init()
	var v ProfileView
	kept, err := p.kept(ctx, t)
	switch {
	case err == nil:
		kept.Profile = kept.Profile.Describe(t)
		if kept.Profile.UsedByMetrics, err = p.Profiles.MetricsOf(ctx, t.Name); err != nil {
			return v, err
		}
		v.Kept = &kept
		v.Current = t.Version != nil && t.Version.ID == kept.Version
	case domain.KindOf(err) != domain.NotFound:
		return v, err
	}
	p.mu.Lock()
	v.Counting = p.waiting(t.ID) != nil || (p.under != nil && p.under.table == t.ID)
	p.mu.Unlock()
	if v.Counting || v.Current || t.Version == nil {
		return v, nil
	}
	failed, err := p.Profiles.GetProfileFailure(ctx, t.ID)
	switch {
	case err == nil && failed.Version == t.Version.ID:
		v.Failure = &failed.Failure
	case err != nil && domain.KindOf(err) != domain.NotFound:
		return v, err
	}
	return v, nil
}

// kept is the profile of a table, or one that another program left.
func (p *Profiler) kept(ctx context.Context, t registry.Published) (profile.Kept, error) {
	kept, err := p.Profiles.GetProfile(ctx, t.ID)
	if domain.KindOf(err) != domain.NotFound || p.Older == nil {
		return kept, err
	}
	older, at, err := p.Older.Profile(ctx, t.Name)
	return profile.Kept{Table: t.ID, ProfiledAt: at, Profile: older}, err
}
