package settings

import (
	"regexp"
	"slices"

	"agnes/domain"
	"agnes/domain/config"
)

var reference = regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_]*\}`)

// refers reports whether a value takes a variable of the environment. Files may:
// the operator writes them. Who changes settings here must not read, through a
// name on a page, what only the operator knows.
func refers(v any) bool {
	switch v := v.(type) {
	case string:
		return reference.MatchString(v)
	case []any:
		return slices.ContainsFunc(v, refers)
	case map[string]any:
		for _, below := range v {
			if refers(below) {
				return true
			}
		}
	}
	return false
}

// destinations are where a secret is sent, by the secret's key. Who may not read
// a secret must not have it sent to another place either.
func destinations() map[string]string {
	return map[string]string{"mail.smtp_password": "mail.smtp_host", "auth.oidc.client_secret": "auth.oidc.issuer"} //nolint:gosec // names of settings
}

// kept refuses a plan that sends a secret that stays to another place.
func (p *Plan) kept() error {
	before, after := byKey(p.now.cfg), byKey(p.cfg)
	problems := map[string]string{}
	for key, place := range destinations() {
		if !after[key].Same(before[key]) || after[key].Value == "" || after[place].Value == "" || after[place].Same(before[place]) {
			continue
		}
		problems[key] = "It was set for another place. Enter it again together with the new one."
		if by := lockedBy(p.cfg, key); by != "" {
			problems[place] = "The secret that " + by + " sets belongs to the place of now. Change both there."
			delete(problems, key)
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return &domain.Error{Kind: domain.Invalid, Code: "secret_elsewhere", Message: "A secret would be sent to another place than it was set for, so nothing was changed.", Fields: problems}
}

func byKey(c config.Config) map[string]config.Effective {
	all := map[string]config.Effective{}
	for _, e := range c.Effective() {
		all[e.Key] = e
	}
	return all
}
