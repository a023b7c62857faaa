package warehouse

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"agnes/domain/files"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// many reports whether a key is a folder of people's files, or a pattern, and
// not one file.
func (s *Store) many(key string) bool {
	place, err := s.path(key)
	if err != nil || !strings.HasPrefix(key, filesDir+"/") {
		return false
	}
	info, err := os.Lstat(place)
	if err != nil {
		return files.Pattern(key)
	}
	return info.IsDir()
}

// dataset lists the files of a folder or pattern.
func (s *Store) dataset(key string) (_ files.Dataset, err error) {
	root, err := os.OpenRoot(filepath.Join(s.dir, filesDir))
	if err != nil {
		return files.Dataset{}, fmt.Errorf("open files: %w", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	return files.ReadDataset(root.FS(), strings.TrimPrefix(key, filesDir+"/"))
}

// part is one file of a dataset, as Parquet.
type part struct {
	name    string // below DATA_DIR/files
	place   string // of the Parquet file
	columns []registry.Column
}

// convertMany makes one Parquet file of a folder or pattern: each file is read
// like a single one, then all are put together by the names of their columns.
func (s *Store) convertMany(ctx context.Context, key string, _ files.Format, o files.Options, temp string, report Report) (all converted, err error) {
	d, err := s.dataset(key)
	if err != nil {
		return all, err
	}
	db, err := s.openMany(ctx, temp)
	if err != nil {
		return all, err
	}
	defer func() { all.closed = closeBeside(db) }()
	parts, found := make([]part, 0, len(d.Files)), []registry.Column(nil)
	for i, f := range d.Files {
		p, got, err := s.convertPart(ctx, db, i, f, d.Format, o)
		all.report.Add(got.report)
		if err != nil {
			return all, inFile(err, f.Name)
		}
		found = append(found, got.found...)
		all.warnings = append(all.warnings, got.warnings...)
		all.aside = cmp.Or(got.aside, all.aside)
		parts = append(parts, p)
		report.part(syncs.Convert, i+1, len(d.Files))
	}
	if err := correctedSomewhere(o, found, key); err != nil {
		return all, err
	}
	if d.Skipped > 0 {
		all.warnings = append(all.warnings, countOf(int64(d.Skipped), "file")+" of other formats were passed over.")
	}
	query, warnings := unite(parts, hiveColumns(names(d)))
	all.warnings = distinctWarnings(append(all.warnings, warnings...))
	err = db.QueryRowContext(ctx, "COPY ("+query+") TO "+quoteLiteral(temp)+" (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)").Scan(&all.rows)
	if err != nil {
		return all, filesFault(err, key)
	}
	return all, nil
}

// openMany opens an instance that sees people's files and the scratch folder.
func (s *Store) openMany(ctx context.Context, paths ...string) (*sql.DB, error) {
	db, err := s.Open(ctx)
	if err != nil {
		return nil, err
	}
	if err := lock(ctx, db, []string{filepath.Join(s.dir, filesDir) + "/", s.scratch + "/"}, paths); err != nil {
		return nil, closeAfter(db, err)
	}
	return db, nil
}

// convertPart makes a Parquet file of one file of a dataset in the scratch
// folder; one that is Parquet already stays where it is, unless it is corrected.
func (s *Store) convertPart(ctx context.Context, db *sql.DB, i int, f files.DatasetFile, format files.Format, o files.Options) (p part, got converted, err error) {
	r, err := s.prepare(ctx, path.Join(filesDir, f.Name), format, o, 0)
	if err != nil {
		return p, got, err
	}
	if err := dropRejects(ctx, db); err != nil {
		return p, got, err
	}
	r.hive, r.among = hiveCells(f.Name), true
	p = part{name: f.Name, place: filepath.Join(s.scratch, "part-"+strconv.Itoa(i)+".parquet")}
	got, err = s.convert(ctx, db, r, p.place, nil)
	for k := range got.report.Misfits.First {
		got.report.Misfits.First[k].File = f.Name
	}
	if err != nil {
		return p, got, err
	}
	if got.aside != "" {
		if got.aside, err = s.collectAside(got.aside, f.Name); err != nil {
			return p, got, err
		}
	}
	if r.path != r.origin { // a plain copy is of no use any more
		if err := discard(r.path); err != nil {
			return p, got, err
		}
	}
	p.columns, err = describe(ctx, db, "read_parquet("+quoteFile(p.place)+", hive_partitioning = false)")
	return p, got, err
}

// collectAside adds the rows that one file put aside to those of all.
func (s *Store) collectAside(one, name string) (all string, err error) {
	all = filepath.Join(s.scratch, "misfits-all.csv")
	text, err := os.ReadFile(one)
	if err != nil {
		return "", fmt.Errorf("read misfits: %w", err)
	}
	out, err := os.OpenFile(all, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return "", fmt.Errorf("open misfits: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if at, err := out.Seek(0, io.SeekEnd); err != nil {
		return "", fmt.Errorf("look at misfits: %w", err)
	} else if at > 0 {
		_, after, _ := strings.Cut(string(text), "\n")
		text = []byte(after)
	}
	_, err = out.Write(append([]byte("# "+name+"\n"), text...))
	return all, err //nolint:wrapcheck // nothing to add
}

// inFile says which file of many a failure is about.
func inFile(err error, name string) error {
	var told *fault
	if !errors.As(err, &told) {
		return err
	}
	base, full := path.Base(name), name
	with := *told
	if strings.Contains(with.Message, base) {
		with.Message = strings.Replace(with.Message, base, full, 1)
	} else {
		with.Message = "In " + full + ": " + with.Message
	}
	return &with
}

func filesFault(err error, key string) error {
	if general := generalFault(err); general != nil {
		return general
	}
	return refuse("files_misfit", "Read the columns that differ as text, or choose files that go together.",
		"The files of %s cannot be put together: %s", strings.TrimPrefix(key, filesDir+"/"), sentence(engineWords(err))).because(err)
}

func distinctWarnings(all []string) []string {
	slices.Sort(all)
	all = slices.Compact(all)
	if more := len(all) - 20; more > 0 {
		all = append(all[:20], fmt.Sprintf("And %d more of the kind.", more))
	}
	return all
}
