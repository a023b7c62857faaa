package jobs

import (
	"context"

	"agnes/domain/profile"
	"agnes/domain/work"
)

// profileThreads bounds one profile, which nobody waits for.
const profileThreads = 2

// Profile says in a child what is in the columns of one version. Profiles wait
// for each other and for nothing else, and nothing waits for them.
func (s *Supervisor) Profile(ctx context.Context, job work.ProfileJob) (profile.Profile, error) {
	var result *profile.Profile
	err := s.run(ctx, s.profiles, "profile", func(b work.Budget) any {
		b.Threads = min(b.Threads, profileThreads)
		job.DataDir, job.Budget = s.cfg.DataDir, b
		return job
	}, func(e work.Event) {
		if e.Profile != nil {
			result = e.Profile
		}
	})
	return resultOf(result, err)
}
