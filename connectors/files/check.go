package files

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"agnes/domain"
	"agnes/domain/config"
	"agnes/domain/settings"
)

// Check tests the folder of people's files.
type Check struct {
	Folder Folder
	Now    func() time.Time
}

var _ settings.ConnectionTest = Check{}

// Section is where files are set up.
func (Check) Section() string { return "files" }

// Title names the connection.
func (Check) Title() string { return "Folder of files" }

// Ready is always true: every installation has the folder.
func (Check) Ready(config.Config) bool { return true }

// Run lists the folder and reads the beginning of one file.
func (k Check) Run(ctx context.Context, _ config.Config, tell func(settings.Step)) {
	const rights = "Give the account that Agnes runs as the right to read the folder files of the data directory."
	name := ""
	if !settings.Try(tell, k.Now, "List the folder", rights, func() (string, error) {
		list, err := k.Folder.List(ctx)
		if err != nil {
			return "", domain.E(domain.Unavailable, "files_unreadable", "The folder cannot be read.").Because(err)
		}
		for _, f := range list {
			if name == "" && f.Files == 0 {
				name = f.Name
			}
		}
		return fmt.Sprintf("%d files and folders.", len(list)), nil
	}) {
		return
	}
	if name == "" {
		tell(settings.Step{Name: "Read one file", State: settings.StepSkipped, Detail: "There is none yet."})
		return
	}
	settings.Try(tell, k.Now, "Read one file", rights, func() (string, error) {
		f, err := os.Open(filepath.Join(k.Folder.files(), name))
		if err != nil {
			return "", domain.E(domain.Unavailable, "files_unreadable", "%s cannot be read.", name).Because(err)
		}
		defer f.Close()
		n, err := f.Read(make([]byte, 4096))
		if err != nil && n == 0 {
			return "", domain.E(domain.Unavailable, "files_unreadable", "%s is empty or cannot be read.", name).Because(err)
		}
		return name + " can be read.", nil
	})
}
