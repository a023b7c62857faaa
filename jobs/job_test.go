//go:build duckdb_arrow

package jobs

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"agnes/domain"
	"agnes/domain/files"
	"agnes/domain/work"
)

func newSupervisor(tb testing.TB, log *slog.Logger) *Supervisor {
	tb.Helper()
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	s := NewSupervisor(Config{
		Executable: self, DataDir: tb.TempDir(), NewID: uuid.NewString, Log: log,
		Jobs: Limits{Children: 2, MemoryBytes: 128 << 20, Threads: 1},
	})
	tb.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			tb.Error(err)
		}
		left, err := filepath.Glob(filepath.Join(s.cfg.DataDir, "scratch", "*"))
		if err != nil || len(left) > 0 {
			tb.Errorf("scratch folders stay: %v, %v", left, err)
		}
	})
	return s
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestExtract(t *testing.T) {
	s := newSupervisor(t, quiet())
	var phases []string
	got, err := s.Extract(t.Context(), work.ExtractJob{Item: "fine"}, func(e work.Event) { phases = append(phases, e.Phase) })
	if err != nil {
		t.Fatal(err)
	}
	if got.Rows != 7 || got.Bytes != 128<<20 || !strings.HasPrefix(got.MD5, "scratch/") {
		t.Errorf("extracted %+v, want 7 rows and the budget of the supervisor", got)
	}
	if len(phases) != 2 || phases[0] != "extract" {
		t.Errorf("phases told: %v, want extract and the result", phases)
	}
}

func TestChildrenSeeNothingOfOurs(t *testing.T) {
	t.Setenv("AGNES_SECRET", "do not tell")
	s := newSupervisor(t, quiet())
	got, err := s.Extract(t.Context(), work.ExtractJob{Item: "environment"}, func(work.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, variable := range got.Warnings {
		if name, _, _ := strings.Cut(variable, "="); name != "TZ" && name != "LANG" && name != "PWD" {
			t.Errorf("the child sees %s", variable)
		}
	}
}

func TestLooksAndRebuild(t *testing.T) {
	s := newSupervisor(t, quiet())
	if p, err := s.PreviewFile(t.Context(), "preview", files.Options{}); err != nil || p.TotalRows != 3 {
		t.Errorf("preview: %+v, %v", p, err)
	}
	if found, err := s.InspectSource(t.Context(), "crm"); err != nil || len(found.Tables) != 2 {
		t.Errorf("inspection: %+v, %v", found, err)
	}
	if r, err := s.Rebuild(t.Context(), work.RebuildJob{Sources: make([]work.RebuildSource, 5)}); err != nil || r.Views != 5 {
		t.Errorf("rebuild: %+v, %v", r, err)
	}
	large := work.RebuildJob{Sources: make([]work.RebuildSource, 20000)}
	if r, err := s.Rebuild(t.Context(), large); err != nil || r.Views != 20000 {
		t.Errorf("rebuild with a job larger than a pipe: %+v, %v", r, err)
	}
}

func TestFailuresOfJobs(t *testing.T) {
	tests := []struct {
		item, code string
		kind       domain.Kind
	}{
		{"refused", "not_csv", domain.Invalid},
		{"full", "disk_full", domain.Unavailable},
		{"memory", "out_of_memory", domain.Unavailable},
		{"crash", "child_died", domain.Unavailable},
		{"killed", "child_killed", domain.Unavailable},
		{"nonsense", "child_died", domain.Unavailable},
	}
	s := newSupervisor(t, quiet())
	for _, test := range tests {
		_, err := s.Extract(t.Context(), work.ExtractJob{Item: test.item}, func(work.Event) {})
		var child *work.ChildError
		if !errors.As(err, &child) || child.Failure.Code != test.code || domain.KindOf(err) != test.kind || child.Failure.Message == "" {
			t.Errorf("%s: %#v, want a ChildError %s of kind %d", test.item, err, test.code, test.kind)
		}
	}
	if _, err := s.Extract(t.Context(), work.ExtractJob{Item: "silent"}, func(work.Event) {}); err == nil {
		t.Error("a child that said nothing counts as a success")
	}
}

func TestCancelledJobs(t *testing.T) {
	s := newSupervisor(t, quiet())
	for _, item := range []string{"polite", "stubborn"} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := s.Extract(ctx, work.ExtractJob{Item: item}, func(e work.Event) {
			if e.Phase == "convert" {
				cancel()
			}
		})
		if domain.KindOf(err) != domain.Cancelled || domain.CodeOf(err) != "job_cancelled" {
			t.Errorf("%s: %v, want it cancelled", item, err)
		}
		cancel()
	}
	why := domain.E(domain.Unavailable, "extract_timeout", "It took too long.")
	ctx, cancel := context.WithCancelCause(t.Context())
	_, err := s.Extract(ctx, work.ExtractJob{Item: "polite"}, func(work.Event) { cancel(why) })
	if domain.CodeOf(err) != "extract_timeout" {
		t.Errorf("%v, want the cause of the end", err)
	}
}

func TestJobsWaitForASlot(t *testing.T) {
	s := newSupervisor(t, quiet())
	for range cap(s.slots) {
		s.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Extract(ctx, work.ExtractJob{Item: "fine"}, func(work.Event) {}); domain.KindOf(err) != domain.Cancelled {
		t.Errorf("without a free slot: %v, want to wait until cancelled", err)
	}
	if _, err := s.PreviewFile(t.Context(), "preview", files.Options{}); err != nil {
		t.Errorf("a preview waits for syncs: %v", err)
	}
}

func TestCloseEndsChildren(t *testing.T) {
	s := newSupervisor(t, quiet())
	_, err := s.Extract(t.Context(), work.ExtractJob{Item: "stubborn"}, func(e work.Event) {
		if e.Phase == "convert" {
			if err := s.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	if domain.CodeOf(err) != "server_stopping" {
		t.Errorf("%v, want server_stopping", err)
	}
	if _, err := s.Extract(t.Context(), work.ExtractJob{Item: "fine"}, func(work.Event) {}); domain.CodeOf(err) != "server_stopping" {
		t.Errorf("after Close: %v, want server_stopping", err)
	}
	if got := s.Stats(); got.Live != 0 || got.Killed != 1 {
		t.Errorf("stats %+v, want none alive and one killed", got)
	}
}

func TestExcerptKeepsBeginningAndEnd(t *testing.T) {
	var e excerpt
	for range 1000 {
		if n, err := e.Write([]byte("0123456789abcdefghijklmnopqrstuvwxyz\n")); n != 37 || err != nil {
			t.Fatal(n, err)
		}
	}
	got := e.String()
	if !strings.HasPrefix(got, "0123") || !strings.HasSuffix(got, "xyz\n") || len(got) > 2*excerptHalf+100 {
		t.Errorf("excerpt of %d bytes: %.50q", len(got), got)
	}
}
