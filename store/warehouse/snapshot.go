package warehouse

import (
	"context"
	"errors"
	"strings"

	"agnes/domain/syncs"
	"agnes/domain/work"
)

// Snapshot makes a version of one table of a custom extract. What the
// extractor does to its folder afterwards does not change it.
func (s *Store) Snapshot(ctx context.Context, source, table string, to Target, report Report) (work.Extracted, error) {
	report.phase(syncs.Extract)
	version, err := versionKey(to.Source, to.Table, to.VersionID)
	if err != nil {
		return work.Extracted{}, err
	}
	var warnings []string
	out, err := s.publishParquet(ctx, version, func(temp string) (rows int64, err error) {
		e, err := s.openExtract(ctx, source, temp)
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, e.db.Close()) }()
		rows, warnings, err = e.copyTable(ctx, source, table, temp, report)
		report.phase(syncs.Publish)
		return rows, err
	})
	if err != nil {
		return work.Extracted{}, err
	}
	out.Warnings = warnings
	return out, nil
}

func (e *extract) copyTable(ctx context.Context, source, table, temp string, report Report) (int64, []string, error) {
	objects, err := e.objects(ctx, source)
	if err != nil {
		return 0, nil, err
	}
	if !objects[strings.ToLower(table)] {
		return 0, nil, refuse("table_missing", nextExtractor,
			"The extract of %s has no table %s any more. The rows from before stay.", source, shorten(table, 80))
	}
	rel, err := e.relation(ctx, table)
	if err != nil {
		return 0, nil, tableFault(err, source, table)
	}
	done := report.watch(syncs.Convert, "", temp)
	rows, err := copyOut(ctx, e.db, rel, temp)
	done()
	if err != nil {
		return 0, nil, tableFault(err, source, table)
	}
	return rows, rel.warnings, nil
}

func tableFault(err error, source, table string) error {
	if general := generalFault(err); general != nil {
		return general
	}
	return refuse("table_unreadable", nextExtractor,
		"The table %s of %s cannot be read: %s The rows from before stay.", table, source, sentence(engineWords(err))).because(err)
}

// sentence ends text with a full stop.
func sentence(text string) string { return strings.TrimRight(text, ". ") + "." }
