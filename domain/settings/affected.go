package settings

import (
	"context"
	"fmt"
	"strings"

	"agnes/domain"
	"agnes/domain/registry"
)

// Affected is a table that a repointed source would break, and how.
type Affected struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Breaks string `json:"breaks"`
}

// CodeAffected is the code of AffectedError.
const CodeAffected = "connection_change_affects_registrations"

// AffectedError says which tables a change of a connection would break. It is
// of the kind Conflict.
type AffectedError struct{ Tables []Affected }

// Error returns the sentence.
func (e *AffectedError) Error() string { return e.known().Error() }

// Unwrap returns the error with kind and code.
func (e *AffectedError) Unwrap() error { return e.known() }

func (e *AffectedError) known() *domain.Error {
	count := "1 registered table reads"
	if n := len(e.Tables); n != 1 {
		count = fmt.Sprintf("%d registered tables read", n)
	}
	return domain.E(domain.Conflict, CodeAffected, "%s through this connection, so nothing was changed. Look at what would break, and send confirm_affected: true to go on.", count)
}

// affected lists the tables that read through what a plan repoints.
func (e *Editor) affected(ctx context.Context, now *present, p *Plan) ([]Affected, error) {
	moved := map[string][2]string{}
	for _, c := range p.Changes {
		if old, next := effective(now.in, now.cfg, c.Path), effective(withOverlay(now.in, p.text), p.cfg, c.Path); old != next && repoints(c.Path) {
			moved[c.Path] = [2]string{old, next}
		}
	}
	if len(moved) == 0 {
		return nil, nil
	}
	tables, err := e.Tables.ListTables(ctx)
	if err != nil {
		return nil, err
	}
	var hit []Affected
	for i := range tables {
		if why := breaks(tables[i].Table, moved); why != "" {
			hit = append(hit, Affected{ID: string(tables[i].ID), Name: tables[i].Name, Breaks: why})
		}
	}
	return hit, nil
}

func repoints(key string) bool {
	switch key {
	case "data_source.type", stackURL, "data_source.keboola.project_id", "data_source.bigquery.project", "data_source.bigquery.location":
		return true
	}
	return false
}

// breaks says what becomes of a table when connections move, "" for nothing.
func breaks(t registry.Table, moved map[string][2]string) string {
	if to, ok := moved["data_source.type"]; ok && t.SourceType == to[0] && to[0] != registry.SourceLocal {
		return "It is read from " + to[0] + ", which would not be the data source any more."
	}
	switch t.SourceType {
	case "keboola":
		place := strings.Trim(t.Bucket+"."+t.SourceTable, ".")
		if _, ok := moved[stackURL]; ok {
			return "It would be looked for as " + place + " in another Keboola stack."
		}
		if _, ok := moved["data_source.keboola.project_id"]; ok {
			return "It would be looked for as " + place + " in another Keboola project."
		}
	case "bigquery":
		return breaksBigQuery(t, moved)
	}
	return ""
}

func breaksBigQuery(t registry.Table, moved map[string][2]string) string {
	if to, ok := moved["data_source.bigquery.project"]; ok {
		named, _, whole := strings.Cut(strings.Trim(t.BQFQN, "`"), ".")
		switch {
		case whole && strings.Count(t.BQFQN, ".") >= 2 && named == to[0]:
			return "Its bq_fqn names the project " + named + " and would go on reading there."
		case whole && strings.Count(t.BQFQN, ".") >= 2:
		default:
			return "Its name has no project, so it would be looked for in " + orNone(to[1]) + "."
		}
	}
	if to, ok := moved["data_source.bigquery.location"]; ok {
		return "Its queries would be sent to the location " + orNone(to[1]) + ", where its dataset may not be."
	}
	return ""
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
