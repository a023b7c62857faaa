package people

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"agnes/domain"
)

// Claims is what a service says of somebody who signed in there, after all that
// the protocol asks of its answer was checked.
type Claims struct {
	Provider      Method // ByGoogle or ByOIDC
	Subject       string // the service's own, lasting name of the account
	Email         string
	EmailVerified bool // the service vouches that the address is the person's
	Name          string
	HostedDomain  string   // of a company's account at Google
	Groups        []string // as the service names them
	GroupsKnown   bool     // Groups is what the service said, not merely nothing
	GroupsErr     error    // why Groups is not known, where the service was asked and failed
}

// Trip is one way of a browser to a service and back. It belongs to the browser
// that began it and serves once.
type Trip struct {
	Provider  Method    `json:"provider"`
	State     string    `json:"state"`
	Nonce     string    `json:"nonce"`
	Verifier  string    `json:"verifier"` // of PKCE
	Return    string    `json:"return"`   // address that the service sends the browser back to
	Next      string    `json:"next"`     // path to go to afterwards
	Fresh     bool      `json:"fresh"`    // the person shall prove anew who they are
	StartedAt time.Time `json:"started_at"`
}

// TripLifetime is how long somebody may take at the service.
const TripLifetime = 10 * time.Minute

// Identity is an account of a service that somebody signed in with.
type Identity struct {
	Provider  Method
	Subject   string
	UserID    UserID
	Email     string // as the service said at the last sign-in
	CreatedAt time.Time
	UsedAt    time.Time
}

// GroupRules say how the groups of a service become groups here.
type GroupRules struct {
	Source    MemberSource // of memberships; only these are ever replaced
	CreatedBy string       // of groups, such as "system:google-sync"
	Prefix    string       // only groups that begin so count; "": all
	Admin     string       // the group that is Admin here; "": none
	Everyone  string       // the group that is Everyone here; "": none
}

// GroupSync is what the memberships of one person from one source become.
type GroupSync struct {
	Source    MemberSource
	CreatedBy string
	Names     []string // of groups, beside Admin and Everyone
	Admin     bool
}

// maxGroups bounds how many groups of a service one person is taken to be in.
const maxGroups = 1000

// relevant keeps the groups that count, in order and once each.
func (r GroupRules) relevant(groups []string) []string {
	var kept []string
	for _, name := range groups {
		name, err := GroupName(name)
		if err != nil || !strings.HasPrefix(name, r.Prefix) || strings.ContainsFunc(name, unicode.IsControl) {
			continue
		}
		kept = append(kept, name)
	}
	slices.Sort(kept)
	return slices.Compact(kept)
}

// sync is what the groups that count make of a person's memberships.
func (r GroupRules) sync(relevant []string) GroupSync {
	s := GroupSync{Source: r.Source, CreatedBy: r.CreatedBy}
	for _, name := range relevant {
		switch {
		case r.Admin != "" && name == r.Admin:
			s.Admin = true
		case r.Everyone != "" && name == r.Everyone: // everybody is in it anyway
		default:
			s.Names = append(s.Names, name)
		}
	}
	return s
}

// refuse makes an error that says why somebody was not let in.
func refuse(code, why string) *domain.Error {
	return domain.E(domain.Forbidden, code, "%s", why)
}

// displayName is a name as a service gives it, fit to be shown.
func displayName(name string) string {
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, name))
	runes := []rune(name)
	return string(runes[:min(len(runes), 200)])
}
