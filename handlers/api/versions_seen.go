package api

import (
	"strconv"
	"strings"

	"agnes/domain"
)

// Versioned says, as an entity tag, which version of something an answer shows.
type Versioned struct {
	ETag string `header:"ETag" doc:"Version of what is shown, to be sent as If-Match with a change of it."`
}

func versioned(version int64) Versioned {
	return Versioned{ETag: `"` + strconv.FormatInt(version, 10) + `"`}
}

// Seen is the version of something that a request to change it was made from.
type Seen struct {
	IfMatch string `header:"If-Match" doc:"The ETag of the answer that this change was made from. When something else was changed since, nothing is, and 412 shows all three states."`
}

// version is the version that was seen, 0 when the request does not say; Invalid.
func (s Seen) version() (int64, error) {
	tag := strings.TrimSpace(s.IfMatch)
	if tag == "" || tag == "*" {
		return 0, nil
	}
	n, err := strconv.ParseInt(strings.Trim(strings.TrimPrefix(tag, "W/"), `"`), 10, 64)
	if err != nil || n < 1 {
		return 0, domain.E(domain.Invalid, "if_match", "If-Match takes one ETag, as the answer to a GET of the same address has it.")
	}
	return n, nil
}

// clash is one field of what changed meanwhile.
type clash struct {
	Field  string `json:"field"`
	Was    string `json:"was"`
	Theirs string `json:"theirs"`
	Yours  string `json:"yours"`
}

// stale tells a program what changed since it read.
func (f *failure) stale(e *domain.StaleError) {
	f.Code, f.Version, f.ChangedBy = domain.CodeOf(e), e.Version, e.ChangedBy
	if !e.ChangedAt.IsZero() {
		f.ChangedAt = stamp(e.ChangedAt)
	}
	for _, c := range e.Clashes {
		f.Fields = append(f.Fields, clash(c))
	}
}
