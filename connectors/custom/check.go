package custom

import (
	"context"
	"fmt"
	"time"

	"agnes/domain"
	"agnes/domain/config"
	"agnes/domain/settings"
	"agnes/domain/syncs"
)

// Check tests the extracts of the company's own extractors.
type Check struct {
	Dirs      syncs.ExtractDirs
	Inspector syncs.Inspector
	Now       func() time.Time
}

var _ settings.ConnectionTest = Check{}

// Section is where custom extracts are set up.
func (Check) Section() string { return "remote_attach" }

// Title names the connection.
func (Check) Title() string { return "Custom extracts" }

// Ready is always true: every installation has the folder.
func (Check) Ready(config.Config) bool { return true }

// mostOpened is how many extracts one test opens.
const mostOpened = 20

// Run lists the extracts and opens each; one that is broken says nothing of the others.
func (k Check) Run(ctx context.Context, _ config.Config, tell func(settings.Step)) {
	var dirs []syncs.ExtractDir
	if !settings.Try(tell, k.Now, "List the extracts", "Give the account that Agnes runs as the right to read the folder extracts of the data directory.", func() (string, error) {
		var err error
		if dirs, err = k.Dirs.List(ctx); err != nil {
			return "", domain.E(domain.Unavailable, "extracts_unreadable", "The folder cannot be read.").Because(err)
		}
		return fmt.Sprintf("%d extracts.", len(dirs)), nil
	}) {
		return
	}
	for i, d := range dirs {
		if i == mostOpened {
			tell(settings.Step{Name: fmt.Sprintf("Open %d more", len(dirs)-i), State: settings.StepSkipped, Detail: "The page of sources shows how these stand."})
			return
		}
		settings.Try(tell, k.Now, "Open "+d.Name, "Have its extractor write it anew; the page of sources says more.", func() (string, error) {
			found, err := k.Inspector.InspectSource(ctx, d.Name)
			return fmt.Sprintf("%d tables.", len(found.Tables)), err
		})
	}
}
