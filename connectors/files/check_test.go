package files

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"agnes/domain/config"
	"agnes/domain/settings"
)

func TestCheckOfTheFolder(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	states := func() (all []settings.StepState) {
		Check{Folder: Folder{Root: root}, Now: time.Now}.Run(t.Context(), config.Config{}, func(s settings.Step) { all = append(all, s.State) })
		return all
	}
	if got := states(); len(got) != 2 || got[0] != settings.StepOK || got[1] != settings.StepSkipped {
		t.Errorf("without files %v", got)
	}
	dir := filepath.Join(root, "files")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "a.csv")
	if err := os.WriteFile(name, []byte("a\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := states(); len(got) != 2 || got[1] != settings.StepOK {
		t.Errorf("with a file %v", got)
	}
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := states(); len(got) != 2 || got[1] != settings.StepFailed {
		t.Errorf("with an empty file %v", got)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := states(); len(got) != 1 || got[0] != settings.StepFailed {
		t.Errorf("with no folder %v", got)
	}
}
