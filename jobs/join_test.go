package jobs

import (
	"context"
	"sync"
	"testing"

	"agnes/domain"
	"agnes/domain/registry"
	"agnes/domain/work"
)

func several(id registry.VersionID) registry.Version {
	return registry.Version{ID: id, Files: []registry.File{{Key: "versions/shop/orders/v1/0001.parquet"}, {Key: "versions/shop/orders/v1/0002.parquet"}}}
}

func TestJoin(t *testing.T) {
	s := newSupervisor(t, quiet())
	started := s.Stats().Started
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			file, err := s.Join(t.Context(), several("v1"))
			if err != nil || file.Key != "scratch/joined/v1.parquet" {
				t.Errorf("Join = %+v, %v", file, err)
			}
		})
	}
	wg.Wait()
	if n := s.Stats().Started - started; n < 1 || n > 5 {
		t.Errorf("%d children for one file", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Join(ctx, several("v2")); err != nil && domain.KindOf(err) != domain.Cancelled {
		t.Errorf("one who left: %v", err)
	}
	if _, err := s.Join(t.Context(), several("none")); domain.KindOf(err) == domain.Cancelled || err == nil {
		t.Errorf("a child that made nothing: %v", err)
	}
}

func TestAttachRemote(t *testing.T) {
	s := newSupervisor(t, quiet())
	tried, err := s.AttachRemote(t.Context(), "crm", []work.Attachment{{Alias: "kbc", Extension: "keboola", Token: "s3cret"}})
	if err != nil || len(tried) != 1 || tried[0].Alias != "kbc" || tried[0].Code != "extension_missing" {
		t.Errorf("AttachRemote = %+v, %v", tried, err)
	}
}

func TestSourceOfKey(t *testing.T) {
	for key, want := range map[string]string{"versions/shop/orders/v1/0001.parquet": "shop", "x": "", "": ""} {
		if got := sourceOfKey(key); got != want {
			t.Errorf("sourceOfKey(%q) = %q, want %q", key, got, want)
		}
	}
}
