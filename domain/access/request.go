package access

import (
	"strings"
	"time"
	"unicode/utf8"

	"agnes/domain"
	"agnes/domain/people"
)

// RequestState is how a request for access stands.
type RequestState string

// The states of a request. Only an open one can be decided or withdrawn.
const (
	RequestOpen      RequestState = "open"
	RequestApproved  RequestState = "approved"
	RequestRefused   RequestState = "refused"
	RequestWithdrawn RequestState = "withdrawn" // by whoever asked
)

// RequestStates lists the states that a list can be narrowed to.
func RequestStates() []RequestState {
	return []RequestState{RequestOpen, RequestApproved, RequestRefused, RequestWithdrawn}
}

// RequestOrigin says through which door a request came.
type RequestOrigin string

// The origins of requests.
const (
	AskedInCatalog RequestOrigin = "catalog"
	AskedByQuery   RequestOrigin = "query" // after a query named what is not theirs to see
	AskedByAPI     RequestOrigin = "api"
)

// Request is somebody's wish to see what they may not.
type Request struct {
	ID           string
	By           people.User // who asks
	ResourceType ResourceType
	ResourceID   string
	ResourceName string        // as people call it
	Owner        people.UserID // of the resource; "" for none
	Reason       string
	Origin       RequestOrigin
	State        RequestState
	CreatedAt    time.Time
	DecidedAt    *time.Time
	DecidedBy    string // address
	Answer       string // what whoever decided says
	Group        people.GroupID
	GroupName    string
	GrantID      string // of the grant that was made; "" when none was
	Joined       bool   // they became a member of Group
	ExpiresAt    *time.Time
	SeenAt       *time.Time // when who asked saw the decision
	Version      int64
}

// MayDecide fails with Forbidden unless p may approve or refuse the request:
// administrators may, and the owner of what is asked for, but nobody their own.
func (r Request) MayDecide(p Principal) error {
	switch {
	case r.By.ID == p.UserID:
		return domain.E(domain.Forbidden, "own_request", "Somebody else decides about your own request: an administrator, or the owner of what you ask for.")
	case p.Admin, r.Owner != "" && r.Owner == p.UserID:
		return nil
	}
	return domain.E(domain.Forbidden, "admin_required", "Administrators decide about this request, and the owner of what is asked for.")
}

// Open fails with Conflict for a request that is over.
func (r Request) Open() error {
	if r.State == RequestOpen {
		return nil
	}
	by := ""
	if r.DecidedBy != "" && r.State != RequestWithdrawn {
		by = " by " + r.DecidedBy
	}
	return domain.E(domain.Conflict, "request_decided", "This request is %s already%s, so nothing was done.", r.State, by)
}

// NewRequest is what somebody asks for.
type NewRequest struct {
	ResourceType ResourceType
	ResourceID   string
	Reason       string
	Origin       RequestOrigin
}

// MaxRequestText is how many characters a reason or an answer may have.
const MaxRequestText = 1000

// Check returns the request with its texts trimmed, or a FieldError.
func (n NewRequest) Check() (NewRequest, error) {
	kind, id, err := CheckGrant(string(n.ResourceType), n.ResourceID)
	if err != nil {
		return n, err
	}
	n.ResourceType, n.ResourceID, n.Reason = kind, id, strings.TrimSpace(n.Reason)
	switch length := utf8.RuneCountInString(n.Reason); {
	case length == 0:
		return n, domain.FieldError("reason", "Say what you need it for: whoever decides has nothing else to go by.")
	case length > MaxRequestText:
		return n, domain.FieldError("reason", "A reason has at most %d characters; this one has %d.", MaxRequestText, length)
	}
	return n, nil
}

// RequestExpiry is how long what a request opens stays open, unless whoever
// approves says otherwise.
const RequestExpiry = 90 * 24 * time.Hour

// maxExpiryDays bounds how far ahead an end is set.
const maxExpiryDays = 3650

// ExpiryIn returns the time so many days from now, nil for none, or a
// FieldError.
func ExpiryIn(days *int, now time.Time) (*time.Time, error) {
	if days == nil {
		return nil, nil //nolint:nilnil // no end is an end of its own
	}
	if *days < 1 || *days > maxExpiryDays {
		return nil, domain.FieldError("expires_in_days", "Access ends after 1 to %d days, or never.", maxExpiryDays)
	}
	at := now.Add(time.Duration(*days) * 24 * time.Hour)
	return &at, nil
}

// Approval is a decision for a request: the group that gets a grant, or one that
// has it and that the person joins, or the person alone.
type Approval struct {
	Seen       int64 // version of the request; 0 when nobody said
	Group      people.GroupID
	OnlyPerson bool
	ExpiresAt  *time.Time // of the grant; nil: never. Memberships have no end
	Answer     string
}

// Check returns the approval with its text trimmed, or a FieldError.
func (a Approval) Check() (Approval, error) {
	if (a.Group == "") != a.OnlyPerson {
		return a, domain.FieldError("group_id", "Choose who gets it: one group, or only the person who asks.")
	}
	answer, err := answerText(a.Answer)
	a.Answer = answer
	return a, err
}

// Refusal is a decision against a request.
type Refusal struct {
	Seen   int64
	Answer string
}

// Check returns the refusal with its text trimmed, or a FieldError.
func (f Refusal) Check() (Refusal, error) {
	answer, err := answerText(f.Answer)
	if err == nil && answer == "" {
		err = domain.FieldError("answer", "Say why, so that they know what to do instead.")
	}
	f.Answer = answer
	return f, err
}

func answerText(text string) (string, error) {
	text = strings.TrimSpace(text)
	if n := utf8.RuneCountInString(text); n > MaxRequestText {
		return text, domain.FieldError("answer", "An answer has at most %d characters; this one has %d.", MaxRequestText, n)
	}
	return text, nil
}

// RequestFilter selects requests that somebody may see: their own, those for
// what they own, and with Admin all.
type RequestFilter struct {
	Viewer people.UserID
	Admin  bool
	Mine   bool         // only the viewer's own
	Inbox  bool         // only those of others
	State  RequestState // "": all
	Limit  int          // 0: all
	Offset int
}

// Colleagues are the people beside the asker in one of the asker's groups.
type Colleagues struct {
	Group people.Group // Members are the active ones beside the asker
	Have  int          // of them who see the resource by a grant
	Via   []string     // groups that let them
	Opens bool         // the group holds a grant already
}

// Gains is how many people a grant to the group would let in.
func (c Colleagues) Gains() int { return c.Group.Members - c.Have + 1 }

// RequestContext is what helps to decide one request.
type RequestContext struct {
	Groups []Colleagues
	Others []people.Group // that hold a grant and could be joined; Grants is how much each opens
}

// RequestCounts are the requests that need a look.
type RequestCounts struct {
	Open     int       // that wait for the viewer's answer
	Answered int       // of the viewer's own, and not seen yet
	Newest   time.Time // when the newest of Answered was decided
}

// Offer is a table that somebody may not read but ask for. That it exists, its
// name and what it is about is all they learn.
type Offer struct {
	ID          string
	Name        string
	Description string
}
