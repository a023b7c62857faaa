package api

import (
	"context"
	"net/http"
	"time"

	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/syncs"
)

// SourceList reads what is known of custom sources.
type SourceList interface {
	ListSources(ctx context.Context) ([]syncs.Source, error)
}

// Sources looks at custom extracts and names their tables.
type Sources interface {
	Inspect(ctx context.Context, by audit.Actor, source string) (syncs.Source, error)
	Rename(ctx context.Context, by audit.Actor, source, table, name string, was *string) (syncs.Source, error)
}

// Source is a custom extractor's folder as clients read it.
type Source struct {
	Name      string          `json:"name"`
	State     string          `json:"state" enum:"ok,broken,gone"`
	Code      *string         `json:"code" doc:"Why none of it can be read, for programs."`
	Message   *string         `json:"message" doc:"Why none of it can be read, for people."`
	CheckedAt string          `json:"checked_at" format:"date-time" doc:"When it was last looked at."`
	GoneAt    *string         `json:"gone_at" format:"date-time" doc:"Since when its folder is gone."`
	Tables    []sourceTable   `json:"tables" doc:"What is served, and under which name."`
	Problems  []sourceProblem `json:"problems" doc:"What is not served, and why."`
	Remote    []sourceRemote  `json:"remote" doc:"The outside systems that its extract names."`
}

type sourceTable struct {
	Table   string `json:"table" doc:"As the source calls it."`
	Name    string `json:"name" doc:"In SQL."`
	ID      string `json:"id"`
	Mode    string `json:"query_mode"`
	Gone    bool   `json:"gone_upstream" doc:"The source does not offer it any more; its last rows are served."`
	Removed bool   `json:"removed" doc:"Somebody removed it from Agnes. It comes back with the extractor's next run, or when the source is looked at."`
}

type sourceProblem struct {
	Table   string  `json:"table"`
	Code    string  `json:"code"`
	Message string  `json:"message"`
	Owner   *string `json:"owner" doc:"The source that has the name."`
	Since   *string `json:"since" format:"date-time"`
}

type sourceRemote struct {
	Alias     string  `json:"alias"`
	Extension string  `json:"extension"`
	State     string  `json:"state" doc:"attached, or why not, for programs."`
	Message   string  `json:"message"`
	Owner     *string `json:"owner" doc:"The source that has the alias, where that is the problem."`
}

type (
	sourcesOutput struct {
		Body struct {
			Sources []Source `json:"sources"`
			Count   int      `json:"count"`
		}
	}
	sourceOutput struct{ Body Source }
	oneSource    struct {
		Source string `path:"source" doc:"Name of the source." example:"crm"`
	}
	renameInput struct {
		Source string `path:"source" doc:"Name of the source." example:"crm"`
		Table  string `path:"table" doc:"Name of the table in the source." example:"customers"`
		Body   struct {
			Name string  `json:"name" maxLength:"200" doc:"The name in SQL; its own name in the source, or empty, takes an earlier one back."`
			Was  *string `json:"was,omitempty" maxLength:"200" doc:"The name that it had in SQL when you looked, empty for none. When it has another by now, nothing is changed and 412 says which."`
		}
	}
)

func (a *API) sourceRoutes() {
	register(a, operation{
		id: "list-sources", method: http.MethodGet, path: "/api/admin/sources", tag: "Tables", need: access.Admin, terms: asks(access.ScopeAdmin),
		summary: "List custom sources", about: "Every folder of a custom extractor: what of it is served under which name, what is not and why.",
	}, a.listSources)
	register(a, operation{
		id: "inspect-source", method: http.MethodPost, path: "/api/admin/sources/{source}/inspect", tag: "Tables", need: access.Admin, terms: asks(access.ScopeAdmin), long: true,
		summary: "Look at a source now", about: "Looks at the extract at once, also one that is broken and rests.",
		errors: []int{http.StatusNotFound},
	}, a.inspectSource)
	register(a, operation{
		id: "rename-source-table", method: http.MethodPut, path: "/api/admin/sources/{source}/tables/{table}", tag: "Tables", need: access.Admin, terms: asks(access.ScopeAdmin), long: true,
		summary: "Serve a source's table under another name",
		about:   "Gives a table of a custom extractor another name in SQL, without a change of the extractor: for one whose own name another source holds.",
		errors:  []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity},
		example: map[string]any{"name": "crm_customers"},
	}, a.renameSourceTable)
}

func (a *API) listSources(ctx context.Context, _ *none) (*sourcesOutput, error) {
	sources, err := a.Store.ListSources(ctx)
	if err != nil {
		return nil, err
	}
	out := &sourcesOutput{}
	out.Body.Sources, out.Body.Count = make([]Source, len(sources)), len(sources)
	for i, s := range sources {
		out.Body.Sources[i] = sourceOf(s)
	}
	return out, nil
}

func (a *API) inspectSource(ctx context.Context, in *oneSource) (*sourceOutput, error) {
	s, err := a.Sources.Inspect(ctx, principal(ctx).Actor(), in.Source)
	if err != nil {
		return nil, err
	}
	return &sourceOutput{Body: sourceOf(s)}, nil
}

func (a *API) renameSourceTable(ctx context.Context, in *renameInput) (*sourceOutput, error) {
	s, err := a.Sources.Rename(ctx, principal(ctx).Actor(), in.Source, in.Table, in.Body.Name, in.Body.Was)
	if err != nil {
		return nil, err
	}
	return &sourceOutput{Body: sourceOf(s)}, nil
}

func sourceOf(s syncs.Source) Source {
	out := Source{
		Name: s.Name, State: s.State, Code: orNull(s.Code), Message: orNull(s.Message), CheckedAt: stamp(s.CheckedAt), GoneAt: stampOf(s.GoneAt),
		Tables: []sourceTable{}, Problems: []sourceProblem{}, Remote: []sourceRemote{},
	}
	for _, t := range s.Tables {
		out.Tables = append(out.Tables, sourceTable{
			Table: t.Table, Name: t.Name, ID: string(t.ID), Mode: t.Mode, Gone: t.Gone || s.State == syncs.SourceGone, Removed: t.Removed,
		})
	}
	for _, p := range s.Problems {
		var since *time.Time
		if !p.Since.IsZero() {
			since = &p.Since
		}
		out.Problems = append(out.Problems, sourceProblem{
			Table: p.Table, Code: p.Code, Message: p.Message, Owner: orNull(p.Owner), Since: stampOf(since),
		})
	}
	for _, r := range s.Remote {
		state := r.Code
		if state == "" {
			state = "attached"
		}
		out.Remote = append(out.Remote, sourceRemote{Alias: r.Alias, Extension: r.Extension, State: state, Message: r.Message, Owner: orNull(r.Owner)})
	}
	return out
}

// sourceHealth says how custom sources are and whether the outside systems that
// they name can be asked, in numbers and codes: names and the rest are for
// administrators, at /api/admin/sources.
func (a *API) sourceHealth(ctx context.Context) (sources, remote service, err error) {
	all, err := a.Store.ListSources(ctx)
	if err != nil {
		return sources, remote, err
	}
	count, systems := len(all), 0
	sources, remote = service{Status: "ok", Count: &count}, service{Status: "ok", Count: &systems}
	for _, s := range all {
		if len(s.Problems) > 0 && sources.Status == "ok" {
			sources.Status, sources.Detail = "warning", "A source has tables that are not served."
		}
		if s.State != syncs.SourceOK {
			sources.Status, sources.Detail = "error", "A source cannot be read. What it brought before is served."
		}
		for _, r := range s.Remote {
			systems++
			switch {
			case r.Code == "extension_missing":
				remote.Status, remote.Detail = r.Code, "An outside system cannot be asked: the extension for it is not installed on the server."
			case r.Code != "" && remote.Status == "ok":
				remote.Status, remote.Detail = "warning", "An outside system cannot be asked."
			}
		}
	}
	return sources, remote, nil
}
