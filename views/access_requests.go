package views

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"agnes/domain/access"
	"agnes/domain/registry"
)

// Offers are tables that the viewer may ask for.
type Offers struct {
	List      []Offered
	More      int  // beyond List
	Simulated bool // seen through other eyes: nothing is asked for
}

// Offered is one of them.
type Offered struct {
	access.Offer
	Asked bool // and nobody has answered yet
}

// AskView is the form of a request.
type AskView struct {
	Offer  access.Offer
	Origin string
	Reason string
	Errors FieldErrors
}

// InboxView are requests that the viewer decides on.
type InboxView struct {
	Requests []InboxItem
	State    access.RequestState
	Total    int
	Page     int
	PerPage  int
	Admin    bool
	Error    string // about a decision that was not taken
	Now      time.Time
}

// InboxItem is a request with what helps to decide it, and what was typed.
type InboxItem struct {
	access.Request
	Choices []Choice
	Others  []string // what colleagues have, a sentence each
	Chosen  string
	Days    string
	Answer  string
	Refused bool // the typed answer is a refusal's
	Errors  FieldErrors
}

// Choice is one way to give somebody what they ask for.
type Choice struct {
	Value string
	Label string
	About string
}

// The values of the forms of a decision.
const (
	ChoosePerson = "person"
	NoExpiry     = "never"
	chooseGroup  = "group:"
)

// ChosenGroup is the id of the group that a choice names; "" for none.
func ChosenGroup(choice string) string {
	id, ok := strings.CutPrefix(choice, chooseGroup)
	if !ok {
		return ""
	}
	return id
}

// NewInboxItem words the choices for a request. The least that helps is chosen:
// the person alone.
func NewInboxItem(q access.Request, c access.RequestContext, admin bool) InboxItem {
	item := InboxItem{Request: q, Chosen: ChoosePerson, Days: "90"}
	item.Choices = append(item.Choices, Choice{ChoosePerson, "Only " + q.By.Email, "1 person gains it"})
	for _, g := range c.Groups {
		item.Others = append(item.Others, colleaguesSentence(g))
		if !g.Opens {
			item.Choices = append(item.Choices, Choice{chooseGroup + string(g.Group.ID), "Everybody in " + g.Group.Name, gain(g.Gains())})
		}
	}
	for _, g := range c.Others {
		if admin {
			item.Choices = append(item.Choices, Choice{chooseGroup + string(g.ID), "Join " + g.Name, "which opens " + Plural(g.Grants, "thing") + " in all; a membership has no end"})
		}
	}
	return item
}

func gain(n int) string {
	if n == 1 {
		return "1 person gains it"
	}
	return strconv.Itoa(n) + " people gain it"
}

func colleaguesSentence(c access.Colleagues) string {
	if c.Group.Members == 0 {
		return "They are alone in " + c.Group.Name + "."
	}
	have := strconv.Itoa(c.Have) + " of " + strconv.Itoa(c.Group.Members)
	if c.Have == 0 {
		have = "none of " + strconv.Itoa(c.Group.Members)
	}
	verb := " have it"
	if c.Have == 1 {
		verb = " has it"
	}
	via := ""
	if len(c.Via) > 0 {
		via = " via " + list(c.Via)
	}
	colleagues := " colleagues in "
	if c.Group.Members == 1 {
		colleagues = " colleague in "
	}
	return first1(have) + colleagues + c.Group.Name + verb + via + "."
}

// first1 begins a sentence.
func first1(text string) string {
	return strings.ToUpper(text[:1]) + text[1:]
}

// Refill puts what was typed back into the form of one request.
func (v *InboxView) Refill(id, choice, days, answer string, errors FieldErrors) {
	for i := range v.Requests {
		if item := &v.Requests[i]; item.ID == id {
			item.Answer, item.Errors, item.Refused = answer, errors, choice == ""
			if choice != "" {
				item.Chosen, item.Days = choice, days
			}
			return
		}
	}
	for _, sentence := range errors { // it is on another page
		v.Error = sentence
	}
}

func (v InboxView) sentence() string {
	switch {
	case v.State == access.RequestOpen && v.Total == 0:
		return "Nobody waits for an answer."
	case v.State == access.RequestOpen && v.Total == 1:
		return "1 request waits, the oldest first."
	case v.State == access.RequestOpen:
		return Count(int64(v.Total)) + " requests wait, the oldest first."
	}
	return Count(int64(v.Total)) + " " + string(v.State)
}

func (v InboxView) url(state access.RequestState, page int) templ.SafeURL {
	q := url.Values{}
	if state != access.RequestOpen {
		q.Set("state", string(state))
	}
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	base := RequestsURL
	if v.Admin {
		base = AccessRequestsURL
	}
	if len(q) > 0 {
		base += "?" + q.Encode()
	}
	return templ.SafeURL(base)
}

func (v InboxView) more() bool { return v.Page*v.PerPage < v.Total }

// OwnRequestsView are somebody's own requests, and those for what they own.
type OwnRequestsView struct {
	Mine  []access.Request
	Total int
	Inbox InboxView
	Admin bool
	Now   time.Time
}

// owns reports whether there is an inbox to show.
func (v OwnRequestsView) owns() bool { return len(v.Inbox.Requests) > 0 || v.Inbox.Error != "" }

// RequestAction is where a form about a request is sent to.
func RequestAction(id, action string) string {
	return RequestsURL + "/" + url.PathEscape(id) + "/" + action
}

func requestStatus(q access.Request) Status {
	switch q.State {
	case access.RequestApproved:
		return Status{Class: "st-ok", Icon: "circle-check", Word: "Approved"}
	case access.RequestRefused:
		return Status{Class: "st-fail", Icon: "circle-x", Word: "Refused"}
	case access.RequestWithdrawn:
		return Status{Class: "st-idle", Icon: "undo-2", Word: "Withdrawn"}
	case access.RequestOpen:
	}
	return Status{Class: "st-late", Icon: "hourglass", Word: "Waits"}
}

func askedBy(q access.Request) string {
	switch q.Origin {
	case access.AskedByQuery:
		return "after a query"
	case access.AskedByAPI:
		return "by the API"
	case access.AskedInCatalog:
	}
	return "from the catalog"
}

// ApprovedSentence says what an approval opened.
func ApprovedSentence(q access.Request) string {
	text := q.By.Email + " sees " + q.ResourceName
	switch {
	case q.Joined:
		text += " as a member of " + q.GroupName
	case q.GroupName != "":
		text += " via " + q.GroupName
	}
	if q.ExpiresAt != nil {
		text += " until " + q.ExpiresAt.UTC().Format("2 January 2006")
	}
	return text + "."
}

// AnsweredSentence tells of answers that are new.
func AnsweredSentence(n int) string {
	if n == 1 {
		return "A request of yours for access is answered. Look under Requests."
	}
	return strconv.Itoa(n) + " of your requests for access are answered. Look under Requests."
}

type expiryChoice struct{ Value, Label string }

func expiries() []expiryChoice {
	return []expiryChoice{{"30", "for 30 days"}, {"90", "for 90 days"}, {"365", "for a year"}, {NoExpiry, "without an end"}}
}

// tableOfRequest is the page of what was asked for, where it has one.
func tableOfRequest(q access.Request) templ.SafeURL {
	if q.ResourceType != access.TableResource {
		return templ.SafeURL(RequestsURL)
	}
	return TableURL(registry.TableID(q.ResourceID))
}

// answerOf is the typed answer, in the form that it was typed into.
func answerOf(q InboxItem, refusal bool) string {
	if q.Refused != refusal {
		return ""
	}
	return q.Answer
}

// askDescribed ties the reason to its error, or else to its hint.
func askDescribed(id, problem string) templ.Attributes {
	if problem == "" {
		return templ.Attributes{"aria-describedby": id + "-hint"}
	}
	return templ.Attributes{"aria-invalid": "true", "aria-describedby": id + "-error"}
}

// ReachSentence says who learns of a table now.
func ReachSentence(t registry.Table) string {
	switch {
	case !t.Discoverable:
		return "Nobody without a grant learns that " + t.Name + " exists."
	case t.OwnerEmail == "":
		return "People may ask for " + t.Name + ". Administrators decide."
	}
	return "People may ask for " + t.Name + ". " + t.OwnerEmail + " decides, and administrators."
}
