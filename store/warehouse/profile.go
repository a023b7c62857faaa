package warehouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"agnes/domain/profile"
	"agnes/domain/registry"
	"agnes/domain/work"
)

const (
	// fullCells is how many values are counted one by one; beyond it counts
	// come from the sample too.
	fullCells = 100_000_000
	// rowNumber is the reader's own column, by which rows are sampled.
	rowNumber = "file_row_number"
	// profileNice is how far a profile gives way to everything else.
	profileNice = 10
)

// RunProfile is the body of a profile child; see RunExtract. It reads the files
// of one version and writes to its scratch folder only.
func RunProfile(ctx context.Context, stdin io.Reader, events io.Writer, log *slog.Logger) error {
	return runChild(events, log, func(report Report) error {
		var job work.ProfileJob
		if err := decodeJob(stdin, &job); err != nil {
			return err
		}
		s, err := openStore(ctx, job.DataDir, job.Budget, log)
		if err != nil {
			return err
		}
		paths, err := s.paths(job.Keys)
		if err != nil {
			return badJob(err)
		}
		giveWay(log)
		if err := enterSandbox(job.Budget, s.profileDoors(paths), log); err != nil {
			return err
		}
		p, err := s.Profile(ctx, job)
		if err == nil {
			report(work.Event{Profile: &p})
		}
		return err
	})
}

// giveWay lowers the priority of all threads, if the process leads its own group.
func giveWay(log *slog.Logger) {
	if unix.Getpgrp() != unix.Getpid() {
		return
	}
	if err := unix.Setpriority(unix.PRIO_PGRP, 0, profileNice); err != nil {
		log.Debug("priority stays", "err", err)
	}
}

// profileDoors opens the folders of the version's files, to be read.
func (s *Store) profileDoors(paths []string) doors {
	d := doors{write: []string{s.scratch}}
	for _, p := range paths {
		d.read = append(d.read, filepath.Dir(p))
	}
	slices.Sort(d.read)
	d.read = slices.Compact(d.read)
	return d
}

// Profile says what is in the columns of a version.
func (s *Store) Profile(ctx context.Context, job work.ProfileJob) (_ profile.Profile, err error) {
	paths, err := s.paths(job.Keys)
	if err == nil && len(paths) == 0 {
		err = errors.New("a version without files")
	}
	if err != nil {
		return profile.Profile{}, badJob(err)
	}
	patient, done := context.WithTimeout(ctx, job.Patience)
	defer done()
	db, err := s.locked(ctx, paths...)
	if err != nil {
		return profile.Profile{}, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx) // temporary tables belong to a connection
	if err != nil {
		return profile.Profile{}, fmt.Errorf("connect: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()

	p := &profiler{db: conn, settings: job.Settings, log: s.log}
	if err := p.open(ctx, paths); err != nil {
		return profile.Profile{}, unprofiled(job.Table, err)
	}
	if err := p.count(ctx); err != nil {
		return profile.Profile{}, unprofiled(job.Table, err)
	}
	if err := p.draw(ctx, patient); err != nil {
		return profile.Profile{}, unprofiled(job.Table, err)
	}
	p.out.FileSizeMB = float64(job.Bytes*100>>20) / 100
	p.out.Finish(job.Settings)
	return p.out, nil
}

// unprofiled puts what went wrong into words.
func unprofiled(table string, err error) error {
	if general := generalFault(err); general != nil {
		return general
	}
	return refuse("profile_failed", "Sync the table again. If that does not help, give an administrator the time of this message.",
		"The columns of %s could not be counted.", table).because(err)
}

// profiler counts what is in the columns of one version.
type profiler struct {
	db       *sql.Conn
	settings profile.Settings
	log      *slog.Logger

	rows    int64 // of the version
	full    bool  // counts are of all rows, not of the sample
	from    string
	where   string // takes the sample; "" when that is all rows
	columns []profiled
	out     profile.Profile
}

// profiled is a column under work.
type profiled struct {
	registry.Column
	category profile.Category
	sql      string // its name in SQL
	present  int64  // of the counted rows
	low      float64
	high     float64 // of finite numbers
	base     string  // what is taken off the numbers that are drawn; "" for nothing
	out      *profile.Column
}

// open looks at the files: how many rows, which columns, whether a sample is
// taken of them.
func (p *profiler) open(ctx context.Context, paths []string) error {
	files := quoteList(quoteFile, paths)
	p.from = "read_parquet(" + files + ", hive_partitioning = false)"
	columns, err := describe(ctx, p.db, p.from)
	if err != nil {
		return err
	}
	if err := p.db.QueryRowContext(ctx, "SELECT count(*) FROM "+p.from).Scan(&p.rows); err != nil {
		return fmt.Errorf("count rows: %w", err)
	}
	kept := columns[:min(len(columns), profile.MaxColumns)]
	p.out = profile.Profile{
		RowCount: p.rows, ColumnCount: len(columns), ColumnsLeftOut: len(columns) - len(kept), CountedRows: p.rows, SampledRows: p.rows,
		Columns: make([]profile.Column, len(kept)),
	}
	for i, c := range kept {
		category := profile.CategoryOf(c.Type)
		p.out.Columns[i] = profile.Column{Name: c.Name, Type: c.Type, Category: category}
		p.columns = append(p.columns, profiled{Column: c, category: category, sql: quoteIdent(c.Name), out: &p.out.Columns[i]})
	}
	p.full = p.rows*int64(len(kept)) <= fullCells
	if p.rows <= p.settings.SampleSize {
		p.full = true
		return nil
	}
	return p.sample(ctx, files, columns)
}

// sample chooses rows by their number, so that each pass sees the same ones and
// none has to hold them.
func (p *profiler) sample(ctx context.Context, files string, columns []registry.Column) error {
	p.out.Sampled = true
	p.where = fmt.Sprintf(" WHERE hash(%s) %% 1000000000 < %d", rowNumber, int64(1e9*float64(p.settings.SampleSize)/float64(p.rows)))
	if slices.ContainsFunc(columns, func(c registry.Column) bool { return quoteIdent(c.Name) == quoteIdent(rowNumber) }) {
		p.where = fmt.Sprintf(" WHERE random() < %g", float64(p.settings.SampleSize)/float64(p.rows))
	} else {
		p.from = "read_parquet(" + files + ", hive_partitioning = false, " + rowNumber + " = true)"
	}
	if err := p.db.QueryRowContext(ctx, "SELECT count(*) FROM "+p.from+p.where).Scan(&p.out.SampledRows); err != nil {
		return fmt.Errorf("count the sample: %w", err)
	}
	if !p.full {
		p.out.CountedRows = p.out.SampledRows
	}
	return nil
}

// counted is what counts are taken of.
func (p *profiler) counted() string {
	if p.full {
		return p.from
	}
	return p.from + p.where
}
