package warehouse

import (
	"bufio"
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
	layout  string // the columns as they are in the Parquet file
	got     converted
	reread  string // the form of dates that it was read in anew
}

// parts are the files of a dataset while they are put together.
type parts struct {
	store   *Store
	db      *sql.DB
	format  files.Format
	options files.Options
	of      []part

	warnings []string
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
	ps := parts{store: s, db: db, format: d.Format, options: o, of: make([]part, len(d.Files))}
	var found []registry.Column
	for i, f := range d.Files {
		ps.of[i].name = f.Name
		if err := ps.convert(ctx, i, o); err != nil {
			all.report.Add(ps.of[i].got.report)
			return all, err
		}
		found = append(found, ps.of[i].got.found...)
		report.part(syncs.Convert, i+1, len(d.Files))
	}
	if err := correctedSomewhere(o, found, key); err != nil {
		return all, err
	}
	if err := ps.settle(ctx, strings.TrimPrefix(key, filesDir+"/")); err != nil {
		return all, err
	}
	for _, p := range ps.of {
		all.report.Add(p.got.report)
		all.warnings = append(all.warnings, p.got.warnings...)
		if all.aside, err = s.collectAside(all.aside, p.got.aside); err != nil {
			return all, err
		}
	}
	if d.Skipped > 0 {
		all.warnings = append(all.warnings, countOf(int64(d.Skipped), "file")+" of other formats were passed over.")
	}
	query, warnings := unite(ps.of, hiveColumns(names(d)))
	all.warnings = distinctWarnings(slices.Concat(all.warnings, ps.warnings, ps.unclear(), warnings))
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

// convert makes a Parquet file of one file of a dataset in the scratch folder,
// over one before.
func (ps *parts) convert(ctx context.Context, i int, o files.Options) error {
	p, s := &ps.of[i], ps.store
	r, err := s.prepare(ctx, path.Join(filesDir, p.name), ps.format, o, 0)
	if err != nil {
		return inFile(err, p.name)
	}
	r.hive, r.among, r.item = hiveCells(p.name), true, p.name
	p.place = filepath.Join(s.scratch, "part-"+strconv.Itoa(i)+".parquet")
	p.got, err = evenly(ctx, s, r, func(again *reader) (got converted, err error) {
		if err := dropRejects(ctx, ps.db); err != nil {
			return got, err
		}
		r = again
		return s.convert(ctx, ps.db, r, p.place, nil)
	})
	for k := range p.got.report.Misfits.First {
		p.got.report.Misfits.First[k].File = p.name
	}
	if err != nil {
		return inFile(err, p.name)
	}
	if one := p.got.aside; one != "" { // the next file's has the same name
		p.got.aside = filepath.Join(s.scratch, "misfits-"+strconv.Itoa(i)+".csv")
		if err := os.Rename(one, p.got.aside); err != nil {
			return fmt.Errorf("keep misfits: %w", err)
		}
	}
	if r.path != r.origin { // a plain copy is of no use any more
		if err := discard(r.path); err != nil {
			return err
		}
	}
	p.columns, err = describe(ctx, ps.db, "read_parquet("+quoteFile(p.place)+", hive_partitioning = false)")
	p.layout = fmt.Sprint(p.columns)
	return err
}

// collectAside adds the rows that one file put aside to those of all.
func (s *Store) collectAside(all, one string) (_ string, err error) {
	if all == "" || one == "" {
		return cmp.Or(all, one), nil
	}
	in, err := os.Open(one)
	if err != nil {
		return "", fmt.Errorf("open misfits: %w", err)
	}
	defer func() { err = errors.Join(err, in.Close(), discard(one)) }()
	out, err := os.OpenFile(all, os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return "", fmt.Errorf("open misfits: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	rows := bufio.NewReader(in)
	if _, err := rows.ReadString('\n'); err != nil {
		return "", fmt.Errorf("read misfits: %w", err)
	}
	if _, err := io.Copy(out, rows); err != nil {
		return "", fmt.Errorf("collect misfits: %w", err)
	}
	return all, nil
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
