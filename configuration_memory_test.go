package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestMemoryLimitFiles(t *testing.T) {
	t.Parallel()
	membership := filepath.Join(t.TempDir(), "cgroup")
	text := "4:cpu,memory:/jobs/agnes\n3:cpuset:/other\n0::/system.slice/agnes.service\nnonsense\n"
	if err := os.WriteFile(membership, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"/g/memory.max", "/g/memory/memory.limit_in_bytes",
		"/g/memory/jobs/agnes/memory.limit_in_bytes", "/g/memory/jobs/memory.limit_in_bytes",
		"/g/system.slice/agnes.service/memory.max", "/g/system.slice/memory.max",
	}
	if got := memoryLimitFiles(membership, "/g"); !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
	if got := memoryLimitFiles("/nowhere", "/g"); !slices.Equal(got, want[:2]) {
		t.Errorf("files without a membership %v, want %v", got, want[:2])
	}
	if memoryLimit() <= 0 {
		t.Error("this machine has no memory")
	}
}
