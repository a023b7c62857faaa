package registry

import (
	"strings"
	"testing"

	"agnes/domain"
)

func TestRenameable(t *testing.T) {
	t.Parallel()
	version := &Version{ID: "v1"}
	for name, c := range map[string]struct {
		source  string
		version *Version
		to      string
		refused bool
	}{
		"a file":                  {SourceLocal, version, "other", false},
		"a custom extractor's":    {SourceCustom, version, "other", false},
		"an adopted one":          {"keboola", version, "other", true},
		"another adopted one":     {"jira", version, "other", true},
		"in another case":         {"keboola", version, "ORDERS", false},
		"to the name that it has": {"bigquery", version, "orders", false},
		"before its first rows":   {"keboola", nil, "other", false},
	} {
		err := Published{Table: Table{Name: "orders", SourceType: c.source}, Version: c.version}.Renameable(c.to)
		if (err != nil) != c.refused {
			t.Errorf("%s: %v, want refused %v", name, err, c.refused)
		}
		if err != nil && (domain.KindOf(err) != domain.Invalid || !strings.Contains(err.Error(), c.source)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
