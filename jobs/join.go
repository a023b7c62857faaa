package jobs

import (
	"context"
	"strings"

	"agnes/domain"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// Join makes one file of a version that is kept as several, in a child, and
// keeps it for the next who asks. Those who ask meanwhile share the answer.
func (s *Supervisor) Join(ctx context.Context, v registry.Version) (registry.File, error) {
	done := s.joins.DoChan(string(v.ID), func() (any, error) {
		// One who leaves does not take the file from the others.
		return s.join(context.WithoutCancel(ctx), v)
	})
	select {
	case got := <-done:
		file, ok := got.Val.(registry.File)
		if got.Err == nil && !ok {
			return file, domain.E(domain.Internal, "child_said_nothing", "The file could not be made. Try again.")
		}
		return file, got.Err
	case <-ctx.Done():
		return registry.File{}, jobStopped(ctx)
	}
}

func (s *Supervisor) join(ctx context.Context, v registry.Version) (registry.File, error) {
	ctx, stop := context.WithTimeout(ctx, joinTimeout)
	defer stop()
	keys := make([]string, len(v.Files))
	for i, f := range v.Files {
		keys[i] = f.Key
	}
	var made *work.Extracted
	err := s.run(ctx, s.slots, "extract", func(b work.Budget) any {
		return work.ExtractJob{
			DataDir: s.cfg.DataDir, Connector: "files", Source: sourceOfKey(keys[0]), Inspect: work.InspectJoin, VersionID: v.ID, Keys: keys, Budget: b,
		}
	}, func(e work.Event) {
		if e.Extracted != nil {
			made = e.Extracted
		}
	})
	out, err := resultOf(made, err)
	if err != nil || len(out.Files) == 0 {
		return registry.File{}, err
	}
	return out.Files[0], nil
}

// sourceOfKey is the source whose folder under versions/ a file lies in.
func sourceOfKey(key string) string {
	parts := strings.Split(key, "/")
	if len(parts) < 2 {
		return ""
	}
	return parts[1]
}
