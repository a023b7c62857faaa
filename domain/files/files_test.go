package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/domain/registry"
)

// shelf is folder, registry, previewer and syncer in memory; it notes what was done, in order.
type shelf struct {
	tables map[registry.TableID]registry.Table
	did    []string
	broken string // the step that fails
}

func (s *shelf) do(format string, args ...any) error {
	step := fmt.Sprintf(format, args...)
	if s.broken != "" && strings.HasPrefix(step, s.broken) {
		return errors.New("broken")
	}
	s.did = append(s.did, step)
	return nil
}

func (s *shelf) Stage(context.Context, people.UserID, string, io.Reader) (Upload, error) {
	return Upload{}, s.do("stage")
}

func (s *shelf) Staged(_ context.Context, id UploadID) (Upload, error) {
	u := Upload{ID: id, Name: "x.csv", Key: "uploads/1/x.csv"}
	if strings.Contains(string(id), "half") {
		return Upload{}, domain.E(domain.NotFound, "upload_not_found", "not there")
	}
	if id == "hers" {
		u.Owner = "somebody else"
	}
	return u, s.do("staged %s", id)
}

// Part knows two unfinished uploads; everything else came whole.
func (s *shelf) Part(_ context.Context, id UploadID) (Part, error) {
	switch id {
	case "half":
		return Part{ID: id, Owner: "u", Name: "x.csv", Bytes: 10, Arrived: 5}, nil
	case "her half":
		return Part{ID: id, Owner: "somebody else", Bytes: 10}, nil
	}
	return Part{}, domain.E(domain.NotFound, "upload_not_found", "gone")
}
func (s *shelf) Discard(_ context.Context, id UploadID) error { return s.do("discard %s", id) }
func (s *shelf) Commit(_ context.Context, id UploadID, table registry.TableID) (string, error) {
	return string(table) + ".csv", s.do("commit %s to %s", id, table)
}

func (s *shelf) Add(_ context.Context, item string, r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return s.do("add %s of %d bytes", item, len(data))
}
func (s *shelf) Remove(_ context.Context, item string) error { return s.do("remove %s", item) }
func (s *shelf) RemoveUploaded(_ context.Context, item string) error {
	return s.do("remove upload %s", item)
}
func (s *shelf) List(context.Context) ([]File, error) { return nil, nil }
func (s *shelf) Key(_ context.Context, item string) (string, error) {
	if item == "absent.csv" {
		return "", domain.E(domain.NotFound, "file_not_found", "There is no such file.")
	}
	return "files/" + item, nil
}

func (s *shelf) PreviewFile(_ context.Context, key string, _ Options) (Preview, error) {
	return Preview{Format: CSV}, s.do("preview %s", key)
}

func (s *shelf) GetTable(_ context.Context, id registry.TableID) (registry.Published, error) {
	t, ok := s.tables[id]
	if !ok {
		return registry.Published{}, domain.E(domain.NotFound, "table_not_found", "Table not found")
	}
	return registry.Published{Table: t}, nil
}

func (s *shelf) ListTables(context.Context) ([]registry.Published, error) {
	var all []registry.Published
	for _, t := range s.tables {
		all = append(all, registry.Published{Table: t})
	}
	return all, nil
}

func (s *shelf) RegisterTables(_ context.Context, _ audit.Actor, regs []registry.Registration) ([]registry.Table, error) {
	var made []registry.Table
	for _, r := range regs {
		made = append(made, r.Table)
		s.tables[r.Table.ID] = r.Table
		if err := s.do("register %s from %s for %v", r.Table.ID, r.Table.SourceTable, r.GrantTo); err != nil {
			return nil, err
		}
	}
	return made, nil
}

func (s *shelf) UpdateTable(_ context.Context, _ audit.Actor, id registry.TableID, c registry.TableChange) (registry.Published, error) {
	return registry.Published{}, s.do("point %s at %s", id, *c.SourceTable)
}

func (s *shelf) Unregister(_ context.Context, _ audit.Actor, ids []registry.TableID, _ ...int64) ([]registry.Removed, error) {
	var gone []registry.Removed
	slices.Sort(ids)
	for _, id := range ids {
		gone = append(gone, registry.Removed{Published: registry.Published{Table: s.tables[id]}})
		delete(s.tables, id)
	}
	return gone, s.do("unregister %v", ids)
}

func (s *shelf) SyncUploads(_ context.Context, _ audit.Actor, ids []registry.TableID) error {
	return s.do("sync %v", ids)
}
func (s *shelf) Request(context.Context) { s.did = append(s.did, "rebuild") }

func newImporter(tables ...registry.Table) (*Importer, *shelf) {
	s := &shelf{tables: map[registry.TableID]registry.Table{}}
	for _, t := range tables {
		s.tables[t.ID] = t
	}
	return &Importer{
		Folder: s, Previewer: s, Tables: s, Syncer: s, Rebuilder: s,
		Everyone: func(context.Context) (people.GroupID, error) { return "g1", nil },
		Samples:  []Sample{{Name: "airports", Item: "airports.csv", Open: func() ([]byte, error) { return []byte("a\n1\n"), nil }}},
	}, s
}

func TestImporter(t *testing.T) {
	by := audit.Actor{UserID: "u"}
	orders := registry.Table{ID: "orders", Name: "orders", SourceType: "local", SourceTable: "orders.tsv"}
	other := registry.Table{ID: "copy", Name: "copy", SourceType: "local", SourceTable: "orders.tsv"}
	crm := registry.Table{ID: "leads", Name: "leads", SourceType: "custom", Bucket: "crm"}
	sample := registry.Table{ID: "airports", Name: "airports", SourceType: "local", SourceTable: "airports.csv", Sample: true}
	cases := []struct {
		name   string
		tables []registry.Table
		act    func(ctx context.Context, m *Importer) error
		did    []string
		kind   domain.Kind // Internal: succeeds, unless broken
	}{
		{"create", nil, func(ctx context.Context, m *Importer) error {
			_, err := m.Create(ctx, by, "7", NewTable{Name: "Orders"})
			return err
		}, []string{"staged 7", "commit 7 to orders", "register orders from orders.csv for []", "discard 7", "sync [orders]"}, domain.Internal},
		{"create with a bad name moves nothing", nil, func(ctx context.Context, m *Importer) error {
			_, err := m.Create(ctx, by, "7", NewTable{Name: "my orders"})
			return err
		}, nil, domain.Invalid},
		{"create with a taken name moves nothing", []registry.Table{orders}, func(ctx context.Context, m *Importer) error {
			_, err := m.Create(ctx, by, "7", NewTable{Name: "ORDERS"})
			return err
		}, nil, domain.Conflict},
		{"create from a file in the folder", nil, func(ctx context.Context, m *Importer) error {
			_, err := m.CreateFromItem(ctx, by, "q3.csv", NewTable{Name: "q3"})
			return err
		}, []string{"register q3 from q3.csv for []", "sync [q3]"}, domain.Internal},
		{"create from a file that is gone", nil, func(ctx context.Context, m *Importer) error {
			_, err := m.CreateFromItem(ctx, by, "absent.csv", NewTable{Name: "q3"})
			return err
		}, nil, domain.NotFound},
		{"replace", []registry.Table{orders}, func(ctx context.Context, m *Importer) error {
			return m.Replace(ctx, by, "7", "orders", Options{}, 0)
		}, []string{"staged 7", "commit 7 to orders", "point orders at orders.csv", "discard 7", "sync [orders]", "remove upload orders.tsv"}, domain.Internal},
		{"replace keeps a file that another table reads", []registry.Table{orders, other}, func(ctx context.Context, m *Importer) error {
			return m.Replace(ctx, by, "7", "orders", Options{}, 0)
		}, []string{"staged 7", "commit 7 to orders", "point orders at orders.csv", "discard 7", "sync [orders]"}, domain.Internal},
		{"replace what no upload made", []registry.Table{crm}, func(ctx context.Context, m *Importer) error {
			return m.Replace(ctx, by, "7", "leads", Options{}, 0)
		}, nil, domain.Conflict},
		{"preview", nil, func(ctx context.Context, m *Importer) error {
			_, _, err := m.Preview(ctx, by, "7", Options{})
			return err
		}, []string{"staged 7", "preview uploads/1/x.csv"}, domain.Internal},
		{"preview somebody else's", nil, func(ctx context.Context, m *Importer) error {
			_, _, err := m.Preview(ctx, by, "hers", Options{})
			return err
		}, []string{"staged hers"}, domain.NotFound},
		{"create of what has not arrived", nil, func(ctx context.Context, m *Importer) error {
			_, err := m.Create(ctx, by, "half", NewTable{Name: "Orders"})
			return err
		}, nil, domain.Conflict},
		{"create of what somebody else has half of", nil, func(ctx context.Context, m *Importer) error {
			_, err := m.Create(ctx, by, "her half", NewTable{Name: "Orders"})
			return err
		}, nil, domain.NotFound},
		{"create of somebody else's", nil, func(ctx context.Context, m *Importer) error {
			_, err := m.Create(ctx, by, "hers", NewTable{Name: "Orders"})
			return err
		}, []string{"staged hers"}, domain.NotFound},
		{"replace with somebody else's", []registry.Table{orders}, func(ctx context.Context, m *Importer) error {
			return m.Replace(ctx, by, "hers", "orders", Options{}, 0)
		}, []string{"staged hers"}, domain.NotFound},
		{"discard somebody else's", nil, func(ctx context.Context, m *Importer) error {
			return m.Discard(ctx, by, "hers")
		}, []string{"staged hers"}, domain.NotFound},
		{"discard", nil, func(ctx context.Context, m *Importer) error {
			return m.Discard(ctx, by, "7")
		}, []string{"staged 7", "discard 7"}, domain.Internal},
		{"discard an unfinished one", nil, func(ctx context.Context, m *Importer) error {
			return m.Discard(ctx, by, "half")
		}, []string{"discard half"}, domain.Internal},
		{"discard somebody else's unfinished one", nil, func(ctx context.Context, m *Importer) error {
			return m.Discard(ctx, by, "her half")
		}, nil, domain.NotFound},
		{"preview a file in the folder", nil, func(ctx context.Context, m *Importer) error {
			_, err := m.PreviewItem(ctx, "q3.csv", Options{})
			return err
		}, []string{"preview files/q3.csv"}, domain.Internal},
		{"load samples", nil, func(ctx context.Context, m *Importer) error {
			_, err := m.LoadSamples(ctx, by)
			return err
		}, []string{"add airports.csv of 4 bytes", "register airports from airports.csv for [g1]", "sync [airports]"}, domain.Internal},
		{"load samples again", []registry.Table{sample}, func(ctx context.Context, m *Importer) error {
			_, err := m.LoadSamples(ctx, by)
			return err
		}, nil, domain.Internal},
		{"remove samples only", []registry.Table{sample, orders}, func(ctx context.Context, m *Importer) error {
			return m.RemoveSamples(ctx, by)
		}, []string{"unregister [airports]", "rebuild", "remove airports.csv"}, domain.Internal},
		{"removing a table keeps its file", []registry.Table{orders}, func(ctx context.Context, m *Importer) error {
			_, err := m.Remove(ctx, by, []registry.TableID{"orders"})
			return err
		}, []string{"unregister [orders]", "rebuild"}, domain.Internal},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m, s := newImporter(c.tables...)
			err := c.act(t.Context(), m)
			if (err == nil) != (c.kind == domain.Internal) || domain.KindOf(err) != c.kind {
				t.Errorf("error %v, want kind %d", err, c.kind)
			}
			if diff := cmp.Diff(c.did, s.did); diff != "" {
				t.Errorf("what was done (-want +got):\n%s", diff)
			}
		})
	}
}

// TestImporterStopsAtTheFirstFailure: what failed leaves the upload as it was, to be
// tried again, and no file that is no table's.
func TestImporterStopsAtTheFirstFailure(t *testing.T) {
	orders := registry.Table{ID: "orders", Name: "orders", SourceType: "local", SourceTable: "orders.tsv"}
	for _, c := range []struct {
		broken          string
		create, replace []string
	}{
		{"commit", []string{"staged 7"}, []string{"staged 7"}},
		{"register", []string{"staged 7", "commit 7 to a", "remove upload a.csv"}, nil},
		{"point", nil, []string{"staged 7", "commit 7 to orders", "remove upload orders.csv"}},
		{
			"sync",
			[]string{"staged 7", "commit 7 to a", "register a from a.csv for []", "discard 7"},
			[]string{"staged 7", "commit 7 to orders", "point orders at orders.csv", "discard 7"},
		},
	} {
		by := audit.Actor{UserID: "u"}
		if c.create != nil {
			m, s := newImporter()
			s.broken = c.broken
			if _, err := m.Create(t.Context(), by, "7", NewTable{Name: "a"}); err == nil {
				t.Errorf("Create with a broken %s succeeded", c.broken)
			}
			if diff := cmp.Diff(c.create, s.did); diff != "" {
				t.Errorf("Create with a broken %s did (-want +got):\n%s", c.broken, diff)
			}
		}
		if c.replace != nil {
			m, s := newImporter(orders)
			s.broken = c.broken
			if err := m.Replace(t.Context(), by, "7", "orders", Options{}, 0); err == nil {
				t.Errorf("Replace with a broken %s succeeded", c.broken)
			}
			if diff := cmp.Diff(c.replace, s.did); diff != "" {
				t.Errorf("Replace with a broken %s did (-want +got):\n%s", c.broken, diff)
			}
		}
	}
}

// TestReplaceTellsOfAFileThatStays: the new rows are read whatever becomes of the
// file before.
func TestReplaceTellsOfAFileThatStays(t *testing.T) {
	m, s := newImporter(registry.Table{ID: "orders", Name: "orders", SourceType: "local", SourceTable: "orders.tsv"})
	s.broken = "remove"
	err := m.Replace(t.Context(), audit.Actor{UserID: "u"}, "7", "orders", Options{}, 0)
	if domain.CodeOf(err) != "file_before_kept" || !strings.Contains(err.Error(), "orders.tsv") {
		t.Errorf("error %v, want one that names the file that stays", err)
	}
	if !slices.Contains(s.did, "sync [orders]") {
		t.Errorf("the new file is not read: %v", s.did)
	}
}

func TestFormatOf(t *testing.T) {
	for name, want := range map[string]Format{
		"a.csv": CSV, "A.CSV": CSV, "a.tsv": TSV, "a.json": JSON, "a.jsonl": NDJSON, "a.ndjson": NDJSON, "a.parquet": Parquet,
	} {
		if got, ok := FormatOf(name); got != want || !ok {
			t.Errorf("FormatOf(%q) = %q, %v; want %q", name, got, ok, want)
		}
	}
	for _, name := range []string{"", "a", "a.exe", "csv", "a.csv.exe"} {
		if got, ok := FormatOf(name); ok {
			t.Errorf("FormatOf(%q) = %q, want none", name, got)
		}
	}
}

func TestExamplesReadSampleTables(t *testing.T) {
	for i, e := range Examples() {
		table := []string{"airports", "seattle_weather", "movies"}[i]
		if e.Title == "" || !strings.Contains(e.SQL, "FROM "+table) {
			t.Errorf("example %d %q does not read %s", i, e.Title, table)
		}
	}
}
