package store

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"agnes/domain"
	"agnes/domain/settings"
)

// TestKilledInOverlay is not a test but the child of
// TestKilledWhileReplacingTheOverlay: it kills itself at a step.
func TestKilledInOverlay(t *testing.T) {
	if flag.NArg() != 2 {
		t.Skip("the child of TestKilledWhileReplacingTheOverlay")
	}
	o := Overlay{Path: flag.Arg(0), Reached: func(step string) {
		if step == flag.Arg(1) {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // what follows is not reached
			select {}
		}
	}}
	staged, err := o.Stage([]byte("instance: {name: New}\n"))
	if err == nil {
		err = staged.Put()
	}
	t.Fatalf("the child lived on: %v", err)
}

func TestKilledWhileReplacingTheOverlay(t *testing.T) {
	const before, after = "instance: {name: Old}\n", "instance: {name: New}\n"
	for step, want := range map[string]string{"write": before, "sync": before, "rename": before, "sync folder": after} {
		t.Run(step, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "instance.yaml")
			if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
				t.Fatal(err)
			}
			child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledInOverlay$", "--", path, step)
			var ended *exec.ExitError
			if out, err := child.CombinedOutput(); !errors.As(err, &ended) || !ended.Sys().(syscall.WaitStatus).Signaled() {
				t.Fatalf("the child was not killed: %v\n%s", err, out)
			}
			o := Overlay{Path: path}
			if got := string(must[[]byte](t)(o.Read())); got != want {
				t.Errorf("after the kill the file is %q, want %q", got, want)
			}
			staged := must[settings.Staged](t)(o.Stage([]byte("x: 1\n")))
			if err := errors.Join(staged.Put(), staged.Discard()); err != nil {
				t.Fatal(err)
			}
			if left := must[[]os.DirEntry](t)(os.ReadDir(dir)); len(left) != 1 {
				t.Errorf("%d files are left", len(left))
			}
		})
	}
}

func TestSettingsAreRecordedWithTheFileOrNotAtAll(t *testing.T) {
	s, _ := newStore(t)
	r := settings.Revision{
		Before: settings.Edition{Version: 7}, After: settings.Edition{Version: 9, Fields: domain.Fields{"a.b": "1"}},
		Diff: []settings.Difference{{Path: "a.b", After: "1"}},
	}
	broken := errors.New("no space left")
	if err := s.SaveSettings(t.Context(), admin, r, func() error { return broken }); !errors.Is(err, broken) {
		t.Fatalf("SaveSettings = %v", err)
	}
	if kept := must[[]settings.Edition](t)(s.SettingsEditions(t.Context())); len(kept) != 0 {
		t.Errorf("recorded all the same: %v", kept)
	}
	for i := range keptEdits + 3 {
		r.Before, r.After = r.After, settings.Edition{Version: int64(100 + i), Fields: domain.Fields{"a.b": "2"}}
		if err := s.SaveSettings(t.Context(), admin, r, func() error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if kept := must[[]settings.Edition](t)(s.SettingsEditions(t.Context())); len(kept) != keptEdits || kept[0].Version != r.After.Version {
		t.Errorf("%d editions are kept, the newest %d", len(kept), kept[0].Version)
	}
	r.Seen = 3
	if err := s.SaveSettings(t.Context(), admin, r, func() error { t.Error("put"); return nil }); domain.KindOf(err) != domain.Stale {
		t.Errorf("an older form: %v", err)
	}
}
