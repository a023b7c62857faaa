package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// laterKeys are keys that instance.yaml may have, written for the predecessor or for
// what Agnes does not do yet. They are read by nothing and reported by nobody;
// "x.*" covers everything below x.
func laterKeys() []string {
	return strings.Fields(`
instance.workspace_dir instance.logo_svg instance.overview instance.sync_interval instance.admin_email
instance.home_route instance.home.* instance.atlassian.* instance.gws.*
server.host server.hostname server.app_dir
auth.webapp_secret_key auth.google_client_id auth.google_client_secret auth.disabled_providers
data_source.* api.scan.* remote_query.* materialize.* ai.* openmetadata.* corporate_memory.*
guardrails.* initial_workspace.* theme.* datasets.* catalog.* users.* groups.* username_mapping.* admins.*
deployment.* email.* desktop.* telegram.* jira.*`)
}

// nameUnknown warns of each key that nothing reads, the outermost one only, and
// reports values where sections belong.
func (l *loader) nameUnknown() {
	known, open, sections := map[string]bool{}, map[string]bool{}, map[string]bool{}
	add := func(key string) {
		known[key] = true
		for i, c := range key {
			if c == '.' {
				known[key[:i]], sections[key[:i]] = true, true
			}
		}
	}
	for _, s := range Settings() {
		add(s.Key)
	}
	for _, key := range laterKeys() {
		if section, all := strings.CutSuffix(key, ".*"); all {
			key, open[section] = section, true
		}
		add(key)
	}
	delete(known, "")

	reported := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(l.file)) {
		if e := l.file[key]; sections[key] && !e.section && e.text != "" {
			l.mistakes = append(l.mistakes, Mistake{
				Key: key, Origin: e.origin, Problem: "one value stands where a section belongs", Remedy: "Indent keys below it.",
			})
		}
		if known[key] || covered(key, open) || covered(key, reported) {
			continue
		}
		reported[key] = true
		message := "Agnes does not know this key, so it has no effect."
		if near := nearest(key, known); near != "" {
			message += " The nearest key is " + near + "."
		}
		l.warn(key, l.file[key].origin, "%s", message)
	}
}

// covered reports whether a section around key is in the set.
func covered(key string, sections map[string]bool) bool {
	for i, c := range key {
		if c == '.' && sections[key[:i]] {
			return true
		}
	}
	return false
}

// nearest returns the known key that key was most likely meant to be, or "".
// A right name in the wrong section counts as near.
func nearest(key string, known map[string]bool) string {
	const least = 0.6
	last := key[strings.LastIndexByte(key, '.')+1:]
	p := levenshtein.NewParams().BonusThreshold(0.4)
	best, score := "", least
	for _, candidate := range slices.Sorted(maps.Keys(known)) {
		tail := candidate[strings.LastIndexByte(candidate, '.')+1:]
		s := max(levenshtein.Match(key, candidate, p), 0.95*levenshtein.Match(last, tail, p))
		if s > score {
			best, score = candidate, s
		}
	}
	return best
}
