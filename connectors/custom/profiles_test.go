package custom

import (
	"os"
	"path/filepath"
	"testing"

	"agnes/domain"
)

func TestOlderProfiles(t *testing.T) {
	t.Parallel()
	const orders = `{"table_id": "orders", "row_count": 7, "columns": [{"name": "id", "type": "BIGINT", "numeric_stats": {"min": 1, "max": 7, "mean": 4.5}}]}`
	for name, c := range map[string]struct {
		text  string
		found bool
	}{
		"under tables":       {`{"generated_at": "2026-11-01", "tables": {"orders": ` + orders + `}}`, true},
		"alone":              {`{"Orders": ` + orders + `, "people": 3}`, true},
		"of other tables":    {`{"tables": {"people": ` + orders + `}}`, false},
		"no object":          {`[]`, false},
		"cut":                {`{"tables": {"orders": ` + orders[:40], false},
		"tables of a list":   {`{"tables": []}`, false},
		"a profile of words": {`{"orders": "many"}`, false},
		"nothing":            {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := Folder{Root: t.TempDir()}
			if name != "nothing" {
				file := filepath.Join(f.Root, profilesFile)
				if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			p, at, err := f.Profile(t.Context(), "orders")
			if c.found && (err != nil || p.RowCount != 7 || p.Columns[0].Numeric.Max != "7" || at.IsZero()) {
				t.Errorf("%+v at %s, %v", p, at, err)
			}
			if !c.found && domain.KindOf(err) != domain.NotFound {
				t.Errorf("%v, want NotFound", err)
			}
		})
	}
}
