package access

import (
	"slices"
	"strings"

	"agnes/domain"
)

// Scope is what a personal access token may be used for. It narrows what its
// person may do and never adds to it.
type Scope string

// The scopes. Each route declares the one that a token needs for it; a token of
// General may do all that its person may.
const (
	ScopeRead    Scope = "read"    // catalog, tables, profiles, downloads
	ScopeQuery   Scope = "query"   // run queries and read their rows
	ScopeSync    Scope = "sync"    // trigger and watch syncs, upload
	ScopeAdmin   Scope = "admin"   // what administrators do
	ScopeGeneral Scope = "general" // all of these (contract 5.7)
	// ScopeBootstrap is ScopeRead and ScopeQuery of a token that lives at most an hour (contract 5.7).
	ScopeBootstrap Scope = "bootstrap-analyst"
	// ScopeAny is what routes ask for that every token may use. No token has it.
	ScopeAny Scope = "any"
)

// Scopes are those of one token. None are those of a token that was taken over
// with words that are no scope: it opens nothing.
type Scopes []Scope

// ParseScopes reads scopes with blanks or commas between, as tokens keep them;
// no text is General, as with the predecessor's tokens.
func ParseScopes(text string) (Scopes, error) {
	var all Scopes
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' }) {
		s := Scope(strings.ToLower(word))
		switch s {
		case ScopeRead, ScopeQuery, ScopeSync, ScopeAdmin, ScopeGeneral, ScopeBootstrap:
		default:
			return nil, domain.FieldError("scope", "A token's scope is general, or some of read, query, sync and admin. %q is none of them.", word)
		}
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		all = Scopes{ScopeGeneral}
	}
	return all, nil
}

// String joins the scopes with blanks. None are a word that is no scope, so that
// they are none when they are read again.
func (s Scopes) String() string {
	if len(s) == 0 {
		return "unknown"
	}
	words := make([]string, len(s))
	for i, one := range s {
		words[i] = string(one)
	}
	return strings.Join(words, " ")
}

// Allow reports whether a token with these scopes may be used where need is asked for.
func (s Scopes) Allow(need Scope) bool {
	if need == ScopeAny {
		return true
	}
	for _, one := range s {
		switch {
		case one == need, one == ScopeGeneral, one == ScopeBootstrap && (need == ScopeRead || need == ScopeQuery):
			return true
		}
	}
	return false
}
