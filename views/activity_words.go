package views

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"

	"agnes/domain/audit"
	"agnes/domain/registry"
)

// told is what somebody did, in words: Lead, the thing, Rest.
type told struct {
	Lead  string
	Thing string
	Href  templ.SafeURL // of the thing; "" without one
	Code  bool          // the thing is the name of data
	Rest  string
}

// Text is the whole as one sentence.
func (t told) Text() string {
	return strings.TrimSpace(t.Lead + " " + t.Thing + t.rest())
}

// rest is Rest with the space before it, which a comma has none of.
func (t told) rest() string {
	if t.Rest == "" || strings.HasPrefix(t.Rest, ",") {
		return t.Rest
	}
	return " " + strings.TrimSpace(t.Rest)
}

// entryTeller words one action; of is the thing it was done to.
type entryTeller func(e audit.Entry, of told) told

// lead words an action by what stands before the thing.
func lead(words string) entryTeller {
	return func(_ audit.Entry, of told) told {
		of.Lead = words
		return of
	}
}

// alone words an action that is about nothing in particular.
func alone(words string) entryTeller {
	return func(audit.Entry, told) told { return told{Lead: words} }
}

// tellers are the actions that have words. Others are shown as they are.
func tellers() map[string]entryTeller {
	return map[string]entryTeller{
		"query.local": toldQuery, "query.remote": toldQuery, "query.internal": toldQuery, "query.hybrid": toldQuery,
		"manifest.fetch": alone("fetched the list of tables to pull"), "catalog.list": alone("listed the catalog"), "catalog.schema": lead("looked at the columns of"),
		"catalog.sample": lead("looked at rows of"), "catalog.profile": lead("looked at the profile of"), "catalog.profile_refresh": lead("had the profile counted of"),
		"data.download": lead("downloaded"), "data.download_rejects": lead("downloaded the rows put aside of"), "data.access_check": lead("asked whether they may read"),
		"data.files": lead("listed the files of"), "query.result": toldResult, "query.export": toldResult, "snapshot.estimate": lead("asked how large a scan is of"), "snapshot.create": lead("scanned"),
		"register_table": lead("registered"), "update_table": lead("changed the settings of"), "unregister_table": lead("removed"),
		"sync.trigger": alone("started a sync"), "sync.cancel": lead("cancelled a sync of"), "sync.publish_held": lead("published the held version of"), "sync.discard_held": lead("discarded the held version of"),
		"version.restore": lead("restored an earlier version of"), "version.quarantine": lead("put a damaged version aside of"), "source.rename_table": lead("renamed a table of"),
		"user.create": toldPerson("added"), "user.update": toldPerson("changed"), "user.delete": toldPerson("deleted"), "user.invite": toldPerson("invited"),
		"user.set_password": toldPerson("set the password of"), "user.reset_password": toldPerson("sent a password link to"),
		"user.identity_linked": toldPerson("linked a service's account to"), "user.identity_unlinked": toldPerson("unlinked a service's account from"),
		"user_group.created": toldGroup("made the group"), "user_group.updated": toldGroup("changed the group"), "user_group.deleted": toldGroup("deleted the group"),
		"user_group.member_added": toldMember("added", "to"), "user_group.member_removed": toldMember("took", "out of"), "user_group.synced": toldPerson("brought the groups up to date of"),
		"resource_grant.created": toldGrant("granted", "to"), "resource_grant.deleted": toldGrant("revoked", "from"), "resource_grant.updated": toldGrant("changed the grant of", "to"),
		"resource_grant.expired": toldGrant("ended the grant of", "to"),
		"access.changed":         alone("changed who may see what"), "access.undone": alone("took a change of access back"),
		"access_request.created": lead("asked to see"), "access_request.approved": lead("approved a request to see"), "access_request.refused": lead("refused a request to see"),
		"token.create": toldToken("made the token"), "token.revoke": toldToken("revoked the token"), "token.rotate": toldToken("replaced the token"), "token.admin_revoke": toldToken("revoked somebody's token"),
		"token.first_use_new_ip": toldToken("used from a new place the token"),
		"login_succeeded":        alone("signed in"), "login_failed": alone("was refused at sign-in"), "logout": alone("signed out"), "identity_confirmed": alone("confirmed who they are"),
		"bootstrap_completed": alone("became the first administrator"), "break_glass.grant_admin": toldPerson("was let in by break-glass as"),
		"state.imported": toldImported, "state.import_finished": alone("finished the import of another server's state"),
		audit.ActionRead: alone("looked at the activity"), "activity.export": toldExport, "audit.pruned": toldPruned,
		"activity.view_created": alone("kept a view of the activity"), "activity.view_updated": alone("changed a view of the activity"), "activity.view_deleted": alone("forgot a view of the activity"),
		"instance_config.update": alone("changed the settings of the server"), "simulation.started": toldPerson("began to look as"), "simulation.ended": toldPerson("ended looking as"),
		"session.upload": alone("uploaded a session"),
		"link_asked":     alone("asked for a sign-in link"), "link_made": toldPerson("made a link for"), "mail_tested": alone("sent a test mail"),
		"restore_table": lead("brought back"), "user_group.restored": toldGroup("brought back the group"),
	}
}

// tell words a row of the log.
func tell(known map[string]entryTeller, l audit.Listed, now time.Time) told {
	e, of := l.Entry, thingOf(l)
	words, ok := known[e.Action]
	if !ok {
		of.Lead = e.Action
		return of
	}
	t := words(e, of)
	if until := expiry(e, now); until != "" {
		t.Rest = strings.TrimSpace(t.Rest + " " + until)
	}
	return t
}

// thingOf is what a row is about, from its resource.
func thingOf(l audit.Listed) told {
	e := l.Entry
	kind, id, ok := strings.Cut(e.Resource, ":")
	switch {
	case !ok:
		return told{Thing: e.Resource}
	case kind == "table":
		return told{Thing: id, Code: true, Href: TableURL(registry.TableID(id))}
	case kind == "user":
		return told{Thing: cmp.Or(param(e, "email"), l.Thing, id), Href: templ.SafeURL(PeopleURL + "/" + url.PathEscape(id))}
	case kind == "group":
		return told{Thing: cmp.Or(param(e, "group"), param(e, "name"), l.Thing, id), Href: templ.SafeURL(GroupsURL + "/" + url.PathEscape(id))}
	}
	return told{Thing: e.Resource}
}

// param is a plain parameter of a row, from what was asked or was there before.
func param(e audit.Entry, name string) string {
	for _, from := range []map[string]any{e.Params, e.Before} {
		switch v := from[name].(type) {
		case string:
			if v != "" {
				return v
			}
		case float64:
			return Count(int64(v))
		}
	}
	return ""
}

func toldQuery(e audit.Entry, of told) told {
	t := told{Lead: "queried", Thing: of.Thing, Href: of.Href, Code: of.Code}
	if e.Resource == "adhoc" {
		t = told{Lead: "ran a query without tables"}
	}
	if tables, ok := e.Params["tables"].([]any); ok && len(tables) > 1 {
		t.Rest = " and " + Plural(len(tables)-1, "more table")
	}
	if rows, ok := e.Params["rows_returned"].(float64); ok && !audit.IsFailure(e.Result) {
		t.Rest += ", " + Plural(int(rows), "row")
	}
	if t.Thing == "" {
		return told{Lead: t.Lead + t.Rest}
	}
	return t
}

func toldResult(e audit.Entry, _ told) told {
	t := told{Lead: "read rows of an earlier query"}
	if format := param(e, "format"); format != "" {
		t.Lead = "exported an earlier query as " + format
	}
	return t
}

func toldPerson(words string) entryTeller {
	return func(_ audit.Entry, of told) told {
		of.Lead = words
		return of
	}
}

func toldGroup(words string) entryTeller {
	return func(e audit.Entry, of told) told {
		of.Lead, of.Thing = words, cmp.Or(param(e, "name"), of.Thing)
		return of
	}
}

func toldMember(words, direction string) entryTeller {
	return func(e audit.Entry, of told) told {
		of.Lead = words + " " + cmp.Or(param(e, "email"), "somebody") + " " + direction
		return of
	}
}

func toldGrant(words, direction string) entryTeller {
	return func(e audit.Entry, of told) told {
		of.Lead, of.Rest = words, direction+" "+cmp.Or(param(e, "group_name"), param(e, "group"), "a group")
		return of
	}
}

func toldToken(words string) entryTeller {
	return func(e audit.Entry, _ told) told { return told{Lead: words, Thing: param(e, "name")} }
}

func toldExport(e audit.Entry, _ told) told {
	rows, _ := e.Params["rows"].(float64)
	return told{Lead: "exported the activity as " + param(e, "format") + ", " + Plural(int(rows), "row")}
}

func toldPruned(e audit.Entry, _ told) told {
	return told{Lead: "deleted " + param(e, "rows") + " old rows of the log"}
}

func toldImported(e audit.Entry, _ told) told {
	_, table, one := strings.Cut(e.Resource, ":")
	if !one { // of an import before each table had a row
		return told{Lead: "imported the state of another server"}
	}
	rows := 0
	for _, n := range e.Params {
		if n, ok := n.(float64); ok {
			rows += int(n)
		}
	}
	return told{Lead: "imported " + Plural(rows, "row") + " of", Thing: table, Code: true, Rest: "from another server"}
}

// expiry says until when something was granted.
func expiry(e audit.Entry, now time.Time) string {
	at, err := time.Parse(time.RFC3339, param(e, "expires_at"))
	if err != nil || !strings.HasPrefix(e.Action, "resource_grant.") || e.Params == nil {
		return ""
	}
	return "until " + Date(now, at)
}

// resultStatus says how something ended.
func resultStatus(e audit.Entry) Status {
	switch e.Result {
	case "success", "ok":
		return Status{Class: "st-idle", Icon: "check", Word: "Done"}
	case "":
		return Status{Class: "st-idle", Icon: "circle-dashed", Word: "Not said"}
	case "error.401", "error.403":
		return Status{Class: "st-fail", Icon: "shield-alert", Word: "Refused"}
	case "error.404":
		return Status{Class: "st-late", Icon: "circle-x", Word: "Not there"}
	case "error.499":
		return Status{Class: "st-idle", Icon: "circle-stop", Word: "Stopped"}
	}
	if audit.IsFailure(e.Result) {
		return Status{Class: "st-fail", Icon: "circle-x", Word: "Failed"}
	}
	return Status{Class: "st-idle", Icon: "check", Word: e.Result}
}

// actorWord is who a row is about, as people call them.
func actorWord(l audit.Listed) string {
	switch {
	case l.UserName != "":
		return l.UserName
	case l.Actor.Email != "":
		return l.Actor.Email
	case l.Actor.UserID == audit.Anonymous:
		return "Nobody signed in"
	case strings.HasPrefix(l.Actor.UserID, "system:"):
		return "Agnes"
	}
	return l.Actor.UserID
}

// actorDetail is the second line about who.
func actorDetail(l audit.Listed) string {
	if job, ok := strings.CutPrefix(l.Actor.UserID, "system:"); ok {
		return job
	}
	if l.UserName != "" {
		return l.Actor.Email
	}
	return ""
}

// took words how long something took; "" for what took no time.
func took(e audit.Entry) string {
	if e.DurationMS <= 0 {
		return ""
	}
	return fmt.Sprint(Duration(time.Duration(e.DurationMS) * time.Millisecond))
}
