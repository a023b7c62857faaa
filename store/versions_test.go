package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"agnes/domain"
	"agnes/domain/registry"
)

func version(s *Store, table registry.TableID, id registry.VersionID) registry.Version {
	return registry.Version{
		ID: id, Table: table, RunID: "run", Rows: 3, Bytes: 30, MD5: "0123", CreatedAt: s.now(),
		Files:   []registry.File{{Key: "versions/files/" + string(table) + "/" + string(id) + ".parquet", Bytes: 30, SHA256: "ab"}},
		Columns: []registry.Column{{Name: "id", Type: "BIGINT"}, {Name: "näme", Type: "VARCHAR"}},
	}
}

func publish(tb testing.TB, s *Store, table registry.TableID, id registry.VersionID) *registry.Version {
	tb.Helper()
	return must[*registry.Version](tb)(s.PublishVersion(tb.Context(), version(s, table, id)))
}

func current(tb testing.TB, s *Store, table registry.TableID) registry.VersionID {
	tb.Helper()
	if v := must[registry.Published](tb)(s.GetTable(tb.Context(), table)).Version; v != nil {
		return v.ID
	}
	return ""
}

func TestPublishAndRevert(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustTables(t, s, "orders")
	v1 := version(s, "orders", "v1")
	if before := must[*registry.Version](t)(s.PublishVersion(t.Context(), v1)); before != nil {
		t.Errorf("before the first version there was %+v", before)
	}
	v1.PublishedAt, v1.Made, v1.Turn = &v1.CreatedAt, 1, 1
	if diff := cmp.Diff(&v1, must[registry.Published](t)(s.GetTable(t.Context(), "orders")).Version); diff != "" {
		t.Errorf("published: -want +got\n%s", diff)
	}
	v2 := version(s, "orders", "v2")
	before := must[*registry.Version](t)(s.PublishVersion(t.Context(), v2))
	if diff := cmp.Diff(&v1, before); diff != "" {
		t.Errorf("what was current before: -want +got\n%s", diff)
	}
	if err := s.RevertVersion(t.Context(), v2, before); err != nil {
		t.Fatal(err)
	}
	if got := current(t, s, "orders"); got != "v1" {
		t.Errorf("after going back %q is current, want v1", got)
	}
	if kept := must[[]registry.Version](t)(s.ListVersions(t.Context(), "orders")); len(kept) != 1 {
		t.Errorf("the bad version is kept: %v", kept)
	}
	publish(t, s, "orders", "v3")
	publish(t, s, "orders", "v4")
	if err := s.RevertVersion(t.Context(), registry.Version{ID: "v3", Table: "orders"}, before); err != nil {
		t.Fatal(err)
	}
	if got := current(t, s, "orders"); got != "v4" {
		t.Errorf("a version published since is not current any more, but %q", got)
	}
	gone := registry.Version{ID: "gone", Table: "orders"}
	wantError(t, "back to what is gone", s.RevertVersion(t.Context(), registry.Version{ID: "v4", Table: "orders"}, &gone), domain.NotFound, "version_not_found")
	if err := s.RevertVersion(t.Context(), registry.Version{ID: "v4", Table: "orders"}, nil); err != nil {
		t.Fatal(err)
	}
	if got := current(t, s, "orders"); got != "" {
		t.Errorf("%q is current, want none", got)
	}
	_, err := s.PublishVersion(t.Context(), version(s, "nope", "v9"))
	wantError(t, "publish for no table", err, domain.NotFound, "table_not_found")
}
