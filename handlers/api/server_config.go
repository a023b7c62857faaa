package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/config"
	"agnes/domain/settings"
)

// Settings shows and changes how this server is set up.
type Settings interface {
	View(ctx context.Context) (*settings.View, error)
	Save(ctx context.Context, by audit.Actor, r settings.Request) (*settings.Plan, error)
}

// ConnectionTests tries the connections that settings describe.
type ConnectionTests interface {
	Test(ctx context.Context, section string) ([]settings.Tested, error)
}

// knownField describes one setting (contract 4.8).
type knownField struct {
	Kind            string                `json:"kind" enum:"string,int,float,bool,select,secret,array,map,object"`
	Hint            string                `json:"hint,omitempty"`
	Default         string                `json:"default,omitempty"`
	Options         []string              `json:"options,omitempty" nullable:"false"`
	ItemKind        string                `json:"item_kind,omitempty"`
	Fields          map[string]knownField `json:"fields,omitempty"`
	RestartRequired bool                  `json:"restart_required,omitempty" doc:"A change is in force only after the next start."`
	Unused          bool                  `json:"unused,omitempty" doc:"It is kept, and read by nothing yet."`
}

// settingState is how one setting stands.
type settingState struct {
	Origin    string  `json:"origin" enum:"default,base,overlay,environment,flag"`
	Where     string  `json:"where" doc:"File and line, variable or flag."`
	Editable  bool    `json:"editable"`
	IsSet     bool    `json:"is_set"`
	Value     *string `json:"value" doc:"As text; null for a secret."`
	ChangedAt *string `json:"changed_at,omitempty" format:"date-time" doc:"Of a secret that was set here."`
	ChangedBy string  `json:"changed_by,omitempty"`
	Waits     bool    `json:"waits,omitempty" doc:"Another value is in force until the next start."`
}

type (
	serverConfigOutput struct {
		Versioned
		Body struct {
			Sections          map[string]any                   `json:"sections" doc:"What the files hold. Secrets are *** or <empty>; sent back, they change nothing."`
			EditableSections  []string                         `json:"editable_sections" nullable:"false"`
			DangerSections    []string                         `json:"danger_sections" nullable:"false"`
			SecretKeyPatterns []string                         `json:"secret_key_patterns" nullable:"false"`
			KnownFields       map[string]map[string]knownField `json:"known_fields"`
			Settings          map[string]settingState          `json:"settings" doc:"Each setting by its dotted key, with what is in force and where it comes from."`
			RestartRequired   bool                             `json:"restart_required"`
			Waiting           []string                         `json:"waiting" nullable:"false" doc:"Settings whose change waits for a restart."`
		}
	}
	saveConfigInput struct {
		Seen
		Body struct {
			Sections        map[string]any `json:"sections,omitempty" nullable:"true" doc:"Changes by section. Objects merge, everything else replaces, null takes a value out."`
			ConfirmDanger   bool           `json:"confirm_danger,omitempty"`
			ConfirmAffected bool           `json:"confirm_affected,omitempty" doc:"Repoint a source although registered tables read through it."`
		}
	}
	saveConfigOutput struct {
		Versioned
		Body struct {
			Status          string   `json:"status"`
			RestartRequired bool     `json:"restart_required" doc:"Something of this change is in force only after the next start."`
			SectionsUpdated []string `json:"sections_updated" nullable:"false"`
			DiffCount       int      `json:"diff_count"`
		}
	}
	testConfigInput struct {
		Body struct {
			Section string `json:"section" example:"mail"`
		}
	}
	testStep struct {
		Name       string `json:"name"`
		State      string `json:"state" enum:"ok,failed,skipped"`
		Detail     string `json:"detail"`
		Fix        string `json:"fix,omitempty"`
		DurationMS int64  `json:"duration_ms"`
	}
	testedConnection struct {
		Title  string     `json:"title"`
		Passed bool       `json:"passed"`
		Steps  []testStep `json:"steps" nullable:"false"`
	}
	testConfigOutput struct {
		Body struct {
			Connections []testedConnection `json:"connections" nullable:"false"`
		}
	}
)

func (a *API) serverConfigRoutes() {
	const path = "/api/admin/server-config"
	register(a, operation{
		id: "getServerConfig", method: http.MethodGet, path: path, tag: "Server", summary: "How this server is set up",
		about: "The sections that administrators may change, with every setting's kind, default, value and origin.", need: access.Admin,
	}, a.getServerConfig)
	register(a, operation{
		id: "saveServerConfig", method: http.MethodPost, path: path, tag: "Server", summary: "Change settings",
		about: "Merges the patch into the overlay. What would not start is refused, and nothing is saved. 409 lists the tables that a repointed source would break.",
		need:  access.Admin, errors: []int{http.StatusBadRequest, http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity},
		example: map[string]any{"sections": map[string]any{"instance": map[string]any{"name": "Example Ltd"}}},
	}, a.saveServerConfig)
	register(a, operation{
		id: "testServerConfig", method: http.MethodPost, path: path + "/test", tag: "Server", summary: "Test a section's connections",
		about: "Reaches them, signs in, lists and reads, each as its own step, with what is saved.", need: access.Admin, long: true,
		errors: []int{http.StatusNotFound, http.StatusConflict}, example: map[string]any{"section": "mail"},
	}, a.testServerConfig)
}

func (a *API) getServerConfig(ctx context.Context, _ *none) (*serverConfigOutput, error) {
	v, err := a.Settings.View(ctx)
	if err != nil {
		return nil, err
	}
	out := &serverConfigOutput{Versioned: versioned(v.Version)}
	out.Body.Sections, out.Body.SecretKeyPatterns = v.Tree(), config.Sensitive()
	out.Body.KnownFields, out.Body.Settings, out.Body.Waiting = map[string]map[string]knownField{}, map[string]settingState{}, []string{}
	for _, s := range v.Sections {
		out.Body.EditableSections = append(out.Body.EditableSections, s.Name)
		if s.Dangerous {
			out.Body.DangerSections = append(out.Body.DangerSections, s.Name)
		}
		out.Body.KnownFields[s.Name] = describeSection(s)
		for _, f := range s.Fields {
			out.Body.Settings[f.Setting.Key] = stateOf(f)
		}
	}
	for _, w := range v.Waiting {
		out.Body.Waiting = append(out.Body.Waiting, w.Name())
	}
	out.Body.RestartRequired = len(v.Waiting) > 0
	return out, nil
}

func stateOf(f settings.Field) settingState {
	s := settingState{Origin: string(f.Origin), Where: f.Where, Editable: !f.Locked(), IsSet: f.IsSet, ChangedBy: f.By, Waits: f.Waits}
	if !f.Setting.Secret && !f.Complex {
		s.Value = &f.Value
	}
	if !f.At.IsZero() {
		at := stamp(f.At)
		s.ChangedAt = &at
	}
	return s
}

func (a *API) saveServerConfig(ctx context.Context, in *saveConfigInput) (*saveConfigOutput, error) {
	seen, err := in.version()
	if err != nil {
		return nil, err
	}
	p := principal(ctx)
	plan, err := a.Settings.Save(ctx, p.Actor(), settings.Request{
		Patch: in.Body.Sections, Seen: seen, ConfirmDanger: in.Body.ConfirmDanger, ConfirmAffected: in.Body.ConfirmAffected,
		Allowed: func(danger []string) error {
			if len(danger) > 0 && p.Via == access.ViaSession {
				return p.Recent(a.Now())
			}
			return nil
		},
	})
	if err != nil {
		return nil, configFailure(err)
	}
	out := &saveConfigOutput{Versioned: versioned(plan.Version())}
	out.Body.Status, out.Body.RestartRequired = "ok", len(plan.Restart) > 0
	out.Body.SectionsUpdated, out.Body.DiffCount = append([]string{}, plan.Sections...), plan.Count()
	return out, nil
}

// configFailure gives failures the statuses of contract 4.8.
func configFailure(err error) error {
	var affected *settings.AffectedError
	if errors.As(err, &affected) {
		return &failure{status: http.StatusConflict, Detail: map[string]any{
			"code": settings.CodeAffected, "message": affected.Error(), "tables": affected.Tables,
		}}
	}
	var known *domain.Error
	if !errors.As(err, &known) {
		return err
	}
	switch known.Code {
	case "unknown_section", "confirm_danger", "stack_url":
		return &failure{status: http.StatusBadRequest, Detail: known.Message, Code: known.Code}
	case "overlay_corrupt":
		return &failure{status: http.StatusInternalServerError, Detail: known.Message, Code: known.Code}
	}
	return err
}

func (a *API) testServerConfig(ctx context.Context, in *testConfigInput) (*testConfigOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	tested, err := a.Tests.Test(ctx, in.Body.Section)
	if err != nil {
		return nil, err
	}
	out := &testConfigOutput{}
	for _, t := range tested {
		one := testedConnection{Title: t.Title, Passed: t.Passed()}
		for _, s := range t.Steps {
			one.Steps = append(one.Steps, testStep{Name: s.Name, State: string(s.State), Detail: s.Detail, Fix: s.Fix, DurationMS: s.Took.Milliseconds()})
		}
		out.Body.Connections = append(out.Body.Connections, one)
	}
	return out, nil
}
