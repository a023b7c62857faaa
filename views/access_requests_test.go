package views

import (
	"time"

	"github.com/a-h/templ"

	"agnes/domain/access"
	"agnes/domain/people"
)

func addRequests(add func(string, Chrome, string, Nav, func(Chrome) templ.Component), admin, analyst Chrome) {
	by := people.User{ID: "u2", Email: "petra@hollisbrandt.eu", Name: "Petra Hollisbrandt", Active: true}
	waiting := access.Request{
		ID: "r1", By: by, ResourceType: access.TableResource, ResourceID: "payroll", ResourceName: "payroll",
		Reason: "The report of the quarter", State: access.RequestOpen, CreatedAt: noon().Add(-time.Hour), Version: 1,
	}
	add("requests-inbox", admin, "Requests", NavAccess, func(c Chrome) templ.Component {
		return InboxPage(c, InboxView{Total: 1, Page: 1, PerPage: 20, Admin: true, Now: noon(), State: access.RequestOpen, Requests: []InboxItem{{
			Request: waiting, Choices: []Choice{{Value: ChoosePerson, Label: "Only Petra", About: "This table and nothing else."}}, Others: []string{"Two colleagues have it by Finance."},
		}}})
	})
	add("requests-none", admin, "Requests", NavAccess, func(c Chrome) templ.Component {
		return InboxPage(c, InboxView{Page: 1, PerPage: 20, Admin: true, Now: noon(), State: access.RequestOpen})
	})
	add("requests-ask", analyst, "Ask for access", NavCatalog, func(c Chrome) templ.Component {
		return AskPage(c, AskView{Offer: access.Offer{ID: "payroll", Name: "payroll"}, Errors: FieldErrors{"reason": "Say what you need it for."}})
	})
}
