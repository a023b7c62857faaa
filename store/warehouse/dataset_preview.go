package warehouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"agnes/domain/files"
	"agnes/domain/registry"
)

// previewFiles is how many files of a folder or pattern a preview looks into.
const previewFiles = 4

// previewMany shows rows of several files of a folder or pattern, put together
// as the table will be.
func (s *Store) previewMany(ctx context.Context, key string, o files.Options) (all files.Preview, err error) {
	d, err := s.dataset(key)
	if err != nil {
		return all, err
	}
	db, err := s.openMany(ctx)
	if err != nil {
		return all, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	chosen := spread(d.Files, previewFiles)
	looks := make([]files.Preview, len(chosen))
	var forms []string // of dates
	for i, f := range chosen {
		form := ""
		if looks[i], form, err = s.previewPart(ctx, db, f, d.Format, o); err != nil {
			return all, inFile(err, f.Name)
		}
		if form != "" && !slices.Contains(forms, form) {
			forms = append(forms, form)
		}
	}
	all = together(looks, chosen, hiveColumns(names(d)))
	if len(all.Rows) == 0 && len(chosen) == len(d.Files) {
		return files.Preview{}, noRows(key, all.Misfits.Count)
	}
	if err := correctedSomewhere(o, all.Found, key); err != nil && len(chosen) == len(d.Files) {
		return files.Preview{}, err
	}
	if len(forms) > 1 && o.DateFormat == "" {
		all.Warnings = append(all.Warnings, "The files write dates in several forms, "+strings.Join(forms, " and ")+". Where a date can be read in more than one, the sync reads it as the files without doubt have it.")
	}
	all.Files = len(d.Files)
	if len(chosen) < len(d.Files) {
		all.TotalRows, all.Partial = -1, true
		all.Warnings = append(all.Warnings, fmt.Sprintf("These are rows of %d of %d files. The others are put below them by the names of their columns.", len(chosen), len(d.Files)))
	}
	return all, nil
}

// spread is at most n files, from the first to the last.
func spread(all []files.DatasetFile, n int) []files.DatasetFile {
	if len(all) <= n {
		return all
	}
	some := make([]files.DatasetFile, n)
	for i := range some {
		some[i] = all[i*(len(all)-1)/(n-1)]
	}
	return some
}

// previewPart looks into one of several files, and says in which form its dates are.
func (s *Store) previewPart(ctx context.Context, db *sql.DB, f files.DatasetFile, format files.Format, o files.Options) (_ files.Preview, dates string, err error) {
	r, err := s.prepare(ctx, path.Join(filesDir, f.Name), format, o, previewBytes)
	if err != nil {
		return files.Preview{}, "", err
	}
	r.hive, r.among, r.item = hiveCells(f.Name), true, f.Name
	p, err := evenly(ctx, s, r, func(again *reader) (files.Preview, error) {
		if r = again; r.even {
			if err := dropRejects(ctx, db); err != nil {
				return files.Preview{}, err
			}
		}
		return r.preview(ctx, db)
	})
	if slices.ContainsFunc(p.Columns, func(c registry.Column) bool { return c.Type == "DATE" }) {
		dates = r.csv.dateFormat
	}
	return p, dates, err
}

// together puts the previews of several files below each other.
func together(looks []files.Preview, of []files.DatasetFile, hive []registry.Column) files.Preview {
	parts, found := make([]part, len(looks)), make([]part, len(looks))
	for i, p := range looks {
		parts[i].columns, found[i].columns = valued(p), p.Found
	}
	all := looks[0]
	all.Rows, all.Report, all.TotalRows = nil, files.Report{}, 0
	all.Columns, all.Warnings = uniteColumns(parts, hive)
	all.Found, _ = uniteColumns(found, nil)
	share := max(1, previewRows/len(looks))
	for i, p := range looks {
		at := placesOf(all.Columns, p.Columns)
		for _, row := range p.Rows[:min(len(p.Rows), share)] {
			wide := make([]*string, len(all.Columns))
			for k, cell := range row {
				if cell != nil && all.Columns[at[k]].Type == "BIGINT" && p.Columns[k].Type == "VARCHAR" { // of a folder's name
					if n, err := strconv.ParseInt(*cell, 10, 64); err == nil {
						text := strconv.FormatInt(n, 10)
						cell = &text
					}
				}
				wide[at[k]] = cell
			}
			all.Rows = append(all.Rows, wide)
			if len(looks) > 1 {
				all.From = append(all.From, of[i].Name)
			}
		}
		for k := range p.Misfits.First {
			p.Misfits.First[k].File = of[i].Name
		}
		all.Add(p.Report)
		all.Warnings, all.Partial = append(all.Warnings, p.Warnings...), all.Partial || p.Partial
		all.TotalRows += p.TotalRows
	}
	if slices.ContainsFunc(looks, func(p files.Preview) bool { return p.TotalRows < 0 }) {
		all.TotalRows = -1
	}
	all.Warnings = distinctWarnings(all.Warnings)
	return all
}

// valued are the columns of a preview, without a type where no row shown has a value.
func valued(p files.Preview) []registry.Column {
	columns := slices.Clone(p.Columns)
	for k := range columns {
		if columns[k].Type == "VARCHAR" && !slices.ContainsFunc(p.Rows, func(row []*string) bool { return row[k] != nil }) {
			columns[k].Type = noType
		}
	}
	return columns
}

// placesOf says where the columns of one file are among those of all.
func placesOf(all, one []registry.Column) []int {
	at := make([]int, len(one))
	for k, c := range one {
		at[k] = slices.IndexFunc(all, func(a registry.Column) bool { return strings.EqualFold(a.Name, c.Name) })
	}
	return at
}
