package syncs

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// GoneUpstream is the code of a table whose source does not offer it any more.
// Its last version is served on, and it is not synced by itself.
const GoneUpstream = "gone_upstream"

// ModeMark is the state of a table whose rows stay in an outside system.
const ModeMark = "remote"

// adoption registers the tables of one look at one extract.
type adoption struct {
	*Watcher
	by      audit.Actor
	source  *Source
	old     Source // how it stood before
	news    bool   // its files changed, or were not read before
	asked   bool   // by a person, who wants all of it
	aliases map[string]string
	there   map[string]registry.Published // of this source, by lower name in the source
	states  map[string]Source             // all sources, once one is asked for
	marks   []TableMark
	renamed bool
}

// adoptAll registers what an extract offers, says what of it cannot be served,
// and returns the tables to sync: with news all that can be, else the new ones
// and those that could not be served before.
func (a *adoption) adoptAll(ctx context.Context, offered []work.SourceTable) (changed []registry.TableID, err error) {
	if a.there, err = a.tablesOf(ctx, a.source.Name); err != nil {
		return nil, err
	}
	if a.aliases, err = a.Sources.SourceAliases(ctx, a.source.Name); err != nil {
		return nil, fmt.Errorf("names of tables: %w", err)
	}
	seen := map[string]bool{}
	for _, t := range offered {
		first := !seen[strings.ToLower(t.Name)]
		seen[strings.ToLower(t.Name)] = true
		if removed := a.removed(t); removed != nil {
			a.source.Tables = append(a.source.Tables, *removed)
			continue
		}
		got, problem, err := a.adopt(ctx, t)
		if err != nil {
			return nil, err
		}
		if problem != nil {
			a.leaveOut(t, *problem, first)
			continue
		}
		a.source.Tables = append(a.source.Tables, SourceName{Table: t.Name, Name: got.Name, ID: got.ID, Mode: got.QueryMode})
		if got.QueryMode != registry.ModeRemote && (a.news || got.Version == nil || a.healed(t)) {
			changed = append(changed, got.ID)
		}
	}
	a.missing(seen)
	if len(a.marks) > 0 {
		if err := a.Sources.MarkTables(ctx, a.marks); err != nil {
			return nil, fmt.Errorf("mark tables: %w", err)
		}
	}
	if a.renamed && a.Rebuilder != nil {
		a.Rebuilder.Request(ctx)
	}
	return changed, nil
}

// leaveOut says why a table cannot be served; first is whether its row in _meta
// is the one that counts.
func (a *adoption) leaveOut(t work.SourceTable, p Problem, first bool) {
	a.source.Problems = append(a.source.Problems, p)
	if was, served := a.there[strings.ToLower(t.Name)]; served && first {
		a.mark(was, "error", p.Code, p.Message+" What was synced before is still served.")
		a.source.Tables = append(a.source.Tables, SourceName{Table: t.Name, Name: was.Name, ID: was.ID, Mode: was.QueryMode})
	}
}

// removed is how a table is listed that somebody removed from Agnes: it comes
// back with the extractor's next run, or when a person asks.
func (a *adoption) removed(t work.SourceTable) *SourceName {
	if _, registered := a.there[strings.ToLower(t.Name)]; a.news || a.asked || registered || t.Problem != "" {
		return nil
	}
	for _, was := range a.old.Tables {
		if was.Table == t.Name && !was.Gone {
			return &was
		}
	}
	return nil
}

// healed reports whether a table is marked with a problem that it had and has
// no more: what it serves may be older than what the extract has.
func (a *adoption) healed(t work.SourceTable) bool {
	was, served := a.there[strings.ToLower(t.Name)]
	return served && slices.ContainsFunc(a.old.Problems, func(p Problem) bool {
		return strings.EqualFold(p.Table, t.Name) && p.Code == was.Status.ErrorCode
	})
}

// tablesOf returns the registered tables of a source by their lower case names in it.
func (w *Watcher) tablesOf(ctx context.Context, source string) (map[string]registry.Published, error) {
	all, err := w.Tables.ListTables(ctx)
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	mine := map[string]registry.Published{}
	for _, t := range all {
		if t.Foreign() && t.Source() == source {
			mine[strings.ToLower(t.Item())] = t
		}
	}
	return mine, nil
}

// adopt makes sure that one table of an extract is registered under its source
// and under the name that it has now.
func (a *adoption) adopt(ctx context.Context, t work.SourceTable) (registry.Published, *Problem, error) {
	none := registry.Published{}
	if t.Problem != "" {
		return none, &Problem{Table: t.Name, Code: t.Code, Message: t.Problem}, nil
	}
	wanted := t.Name
	if alias := a.aliases[t.Name]; alias != "" {
		wanted = alias
	}
	name, err := registry.CheckName(wanted)
	if err != nil {
		return none, &Problem{Table: t.Name, Code: domain.CodeOf(err), Message: err.Error()}, nil
	}
	owner, err := a.owner(ctx, name)
	if err != nil {
		return none, nil, err
	}
	if owner != a.source.Name {
		gone, err := a.left(ctx, owner)
		if err != nil {
			return none, nil, err
		}
		return none, nameTaken(t.Name, name, owner, gone), nil
	}
	mode := registry.ModeLocal
	if t.QueryMode == registry.ModeRemote {
		mode = registry.ModeRemote
	}
	got, err := a.register(ctx, t, name, mode)
	if domain.KindOf(err) == domain.Conflict {
		return none, nameTaken(t.Name, name, "", false), nil
	}
	if err != nil {
		return none, nil, fmt.Errorf("register %s: %w", name, err)
	}
	switch {
	case mode == registry.ModeRemote:
		a.mark(got, ModeMark, notServed(a.source.Remote), "")
	case got.Status.State == ModeMark, got.Status.ErrorCode == GoneUpstream, a.healed(t):
		a.mark(got, "", "", "")
	}
	return got, nil, nil
}

// owner is the source that has a name: the one that claimed it first, or
// another that has a table of that name in the registry.
func (a *adoption) owner(ctx context.Context, name string) (string, error) {
	owner, err := a.Sources.ClaimView(ctx, name, a.source.Name)
	if err != nil {
		return "", fmt.Errorf("claim %s: %w", name, err)
	}
	if owner != a.source.Name {
		return owner, nil
	}
	all, err := a.Tables.ListTables(ctx)
	if err != nil {
		return "", fmt.Errorf("list tables: %w", err)
	}
	for _, t := range all {
		if strings.EqualFold(t.Name, name) && (!t.Foreign() || t.Source() != a.source.Name) {
			return t.Source(), nil
		}
	}
	return owner, nil
}

// left reports whether a source has left the disk, as one does whose folder got
// another name.
func (a *adoption) left(ctx context.Context, source string) (bool, error) {
	if a.states == nil {
		known, err := a.known(ctx)
		if err != nil {
			return false, err
		}
		a.states = known
	}
	return a.states[source].State == SourceGone, nil
}

func nameTaken(table, name, owner string, gone bool) *Problem {
	p := &Problem{Table: table, Code: "name_taken", Owner: owner}
	switch {
	case owner == "":
		p.Message = fmt.Sprintf("Another table is named %s already, and keeps the name. Give this one another name.", name)
	case gone:
		p.Message = fmt.Sprintf("The table %s of the source %s, which is gone, keeps the name. Remove that table, or give this one another name.", name, owner)
	default:
		p.Message = fmt.Sprintf("The source %s already has a table named %s, and keeps the name. Give this one another name.", owner, name)
	}
	return p
}

// register adds the table, or brings its registration up to date.
func (a *adoption) register(ctx context.Context, t work.SourceTable, name, mode string) (registry.Published, error) {
	was, served := a.there[strings.ToLower(t.Name)]
	if !served {
		made, err := a.add(ctx, t, registry.IDFor(name), name, mode)
		if domain.KindOf(err) == domain.Conflict { // maybe of a table that had the name, and kept its id under another one
			return a.add(ctx, t, registry.IDFor(a.source.Name+"_"+name), name, mode)
		}
		return made, err
	}
	var change registry.TableChange
	if was.Name != name && was.SourceType == registry.SourceCustom {
		change.Name, a.renamed = &name, true
	}
	if was.QueryMode != mode && (was.QueryMode == registry.ModeRemote || mode == registry.ModeRemote) {
		change.QueryMode = &mode
	}
	if change.Name == nil && change.QueryMode == nil {
		return was, nil
	}
	return a.Sources.UpdateTable(ctx, a.by, was.ID, change)
}

func (a *adoption) add(ctx context.Context, t work.SourceTable, id registry.TableID, name, mode string) (registry.Published, error) {
	made, err := a.Sources.RegisterTables(ctx, a.by, []registry.Registration{{Table: registry.Table{
		ID: id, Name: name, SourceType: registry.SourceCustom, Bucket: a.source.Name, SourceTable: t.Name, Description: t.Description,
		SyncStrategy: "full_refresh", QueryMode: mode, ProfileAfterSync: true,
	}}})
	if err != nil {
		return registry.Published{}, err
	}
	return registry.Published{Table: made[0]}, nil
}

// mark notes how a table stands, unless it stands so already.
func (a *adoption) mark(t registry.Published, state, code, message string) {
	if t.Status.State == state && t.Status.ErrorCode == code && t.Status.Error == message {
		return
	}
	a.marks = append(a.marks, TableMark{Table: t.ID, State: state, Code: code, Message: message})
}

// missing marks the registered tables that the extract does not offer any more.
func (a *adoption) missing(offered map[string]bool) {
	for key, t := range a.there {
		if offered[key] || (t.Version == nil && t.SourceType != registry.SourceCustom) { // registered for a connector, and not extracted yet
			continue
		}
		a.source.Tables = append(a.source.Tables, SourceName{Table: t.Item(), Name: t.Name, ID: t.ID, Mode: t.QueryMode, Gone: true})
		if t.Status.ErrorCode != GoneUpstream {
			a.marks = append(a.marks, goneMark(t, fmt.Sprintf("The source %s does not offer this table any more.", a.source.Name)))
		}
	}
}

// goneMark says why a table is not synced any more, and what of it is here.
func goneMark(t registry.Published, why string) TableMark {
	here := " Its last rows are still served."
	if t.Version == nil {
		here = " No rows of it are here."
	}
	return TableMark{
		Table: t.ID, State: "error", Code: GoneUpstream, Message: why + here,
		NextStep: "Bring it back in the source, or remove the table here.",
	}
}
