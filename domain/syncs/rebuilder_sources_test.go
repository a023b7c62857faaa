package syncs

import (
	"testing"

	"agnes/domain/registry"
	"agnes/domain/work"
)

// TestRebuildsNameTheFilesWithoutAnyTable: else what was published of the last
// one would stay readable.
func TestRebuildsNameTheFilesWithoutAnyTable(t *testing.T) {
	for name, tables := range map[string][]registry.Published{
		"no table":             nil,
		"one of an extractor":  {{Table: registry.Table{ID: "leads", Name: "leads", SourceType: registry.SourceCustom, Bucket: "crm"}}},
		"one of files besides": {{Table: registry.Table{ID: "orders", Name: "orders", SourceType: registry.SourceLocal}}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			for _, p := range tables {
				w.tables[p.ID] = p
			}
			var job work.RebuildJob
			w.rebuild = func(j work.RebuildJob) (work.Rebuilt, error) {
				job = j
				return work.Rebuilt{}, nil
			}
			if _, err := w.idle().Rebuilder.Rebuild(t.Context()); err != nil {
				t.Fatal(err)
			}
			files := 0
			for _, s := range job.Sources {
				if s.Name == "files" && s.Owned {
					files++
				}
			}
			if files != 1 {
				t.Errorf("sources %+v, want files once", job.Sources)
			}
		})
	}
}
