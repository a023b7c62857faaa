package syncs

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"agnes/domain/registry"
	"agnes/domain/work"
)

// Attacher tries to reach outside systems in a child of their own.
type Attacher interface {
	AttachRemote(ctx context.Context, source string, systems []work.Attachment) ([]work.Attached, error)
}

// RemotePolicy says which outside systems an extract may name (contract 12.3).
type RemotePolicy struct {
	Extensions []string // DuckDB extensions that may be loaded
	TokenEnvs  []string // variables of the server that may hold a token
	// Token reads such a variable; it is asked for allowed names only.
	Token func(name string) (string, bool)
	// Google returns an access token of the account in a file of credentials, or of
	// the machine's own account for "". nil: BigQuery is asked without one.
	Google func(ctx context.Context, file string) (string, error)
	// QueryTimeout ends a query in BigQuery; 0 leaves it to the extension.
	QueryTimeout time.Duration
}

// maxRemote bounds the outside systems of one extract.
const maxRemote = 20

// Judge sorts the rows of _remote_attach into those that may be tried, with
// their tokens, and those that may not, with the reason for administrators.
func (p RemotePolicy) Judge(rows []work.RemoteRow) (try []work.Attachment, refused []Remote) {
	seen := map[string]bool{}
	for i, r := range rows {
		told := Remote{Alias: r.Alias, Extension: r.Extension}
		if i >= maxRemote {
			told.Alias, told.Code = "…", "remote_too_many"
			told.Message = fmt.Sprintf("An extract may name %d outside systems; the rest is left out.", maxRemote)
			return try, append(refused, told)
		}
		token := ""
		if told.Code, told.Message = p.refuse(r); told.Code == "" && r.TokenEnv != "" {
			var there bool
			if token, there = p.token(r.TokenEnv); !there {
				told.Code = "token_missing"
				told.Message = fmt.Sprintf("The server has no value for %s, which %s needs. Set it for the server and look again.", r.TokenEnv, r.Alias)
			}
		}
		if told.Code == "" && seen[strings.ToLower(r.Alias)] {
			told.Code, told.Message = "alias_taken", fmt.Sprintf("_remote_attach names %s twice. The first row counts.", r.Alias)
		}
		if told.Code != "" {
			told.Alias, told.Extension = shownName(r.Alias), shownName(r.Extension)
			refused = append(refused, told)
			continue
		}
		seen[strings.ToLower(r.Alias)] = true
		try = append(try, work.Attachment{Alias: r.Alias, Extension: r.Extension, URL: r.URL, Token: token})
	}
	return try, refused
}

// refuse says why a row may not be tried, or "".
func (p RemotePolicy) refuse(r work.RemoteRow) (code, sentence string) {
	switch {
	case r.Unreadable:
		return "remote_unreadable", "_remote_attach cannot be read, so the outside systems that it names are not asked. Have the extractor write it as a table."
	case !registry.Identifier(r.Alias):
		return "alias_invalid", "An alias in _remote_attach is no name: letters, digits and _, no digit first, at most 64 characters."
	case !registry.Identifier(r.Extension):
		return "extension_invalid", fmt.Sprintf("The extension of %s is no name of an extension.", r.Alias)
	case !slices.Contains(p.Extensions, r.Extension):
		return "extension_not_allowed", fmt.Sprintf(
			"%s needs the extension %s, which this server does not allow. AGNES_REMOTE_ATTACH_EXTENSIONS lists those that it does.", r.Alias, r.Extension)
	case r.TokenEnv != "" && !registry.Variable(r.TokenEnv):
		return "token_env_invalid", fmt.Sprintf("The token_env of %s is no name of a variable: capitals, digits and _, at most 64.", r.Alias)
	case r.TokenEnv != "" && !slices.Contains(p.TokenEnvs, r.TokenEnv):
		return "token_env_not_allowed", fmt.Sprintf(
			"%s asks for the variable %s, which extracts may not use. AGNES_REMOTE_ATTACH_TOKEN_ENVS lists those that they may.", r.Alias, r.TokenEnv)
	}
	return "", ""
}

func (p RemotePolicy) token(name string) (string, bool) {
	if p.Token == nil {
		return "", false
	}
	value, there := p.Token(name)
	return value, there && value != ""
}

// shownName is a name of somebody else's as pages show it.
func shownName(s string) string {
	if registry.Identifier(s) {
		return s
	}
	return "?"
}

// notServed is why tables of a source that stay outside are not served: a code
// that says nothing about where they are.
func notServed(systems []Remote) string {
	for _, r := range systems {
		if r.Code != "" {
			return r.Code
		}
	}
	return "remote_not_served"
}
