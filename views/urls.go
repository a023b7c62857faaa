package views

import (
	"net/url"
	"strconv"

	"github.com/a-h/templ"

	"agnes/domain/registry"
)

// TableURL is the page of a table.
func TableURL(id registry.TableID) templ.SafeURL {
	return templ.SafeURL("/tables/" + url.PathEscape(string(id)))
}

func tableAction(id registry.TableID, action string) templ.SafeURL {
	return TableURL(id) + templ.SafeURL("/"+action)
}

func tabURL(id registry.TableID, tab TableTab) templ.SafeURL {
	if tab == TabColumns {
		return TableURL(id)
	}
	return TableURL(id) + templ.SafeURL("?tab="+url.QueryEscape(string(tab)))
}

func replaceURL(id registry.TableID) templ.SafeURL {
	return templ.SafeURL("/add?table=" + url.QueryEscape(string(id)))
}

func parquetURL(id registry.TableID) templ.SafeURL {
	return templ.SafeURL("/api/data/" + url.PathEscape(string(id)) + "/download")
}

func consoleTableURL(id registry.TableID) templ.SafeURL {
	return templ.SafeURL("/console?table=" + url.QueryEscape(string(id)))
}

// ConsoleURL opens the console with a query in its editor.
func ConsoleURL(sql string) templ.SafeURL {
	return templ.SafeURL("/console?sql=" + url.QueryEscape(sql))
}

func runAction(id, action string) templ.SafeURL {
	return templ.SafeURL("/runs/" + url.PathEscape(id) + "/" + action)
}

// URL is the address of the list in this state; defaults are left out.
func (q CatalogQuery) URL() string {
	v := url.Values{}
	if q.Search != "" {
		v.Set("q", q.Search)
	}
	if q.Sort != "" && q.Sort != "name" {
		v.Set("sort", q.Sort)
	}
	if q.Desc {
		v.Set("desc", "1")
	}
	if q.Page > 1 {
		v.Set("page", strconv.Itoa(q.Page))
	}
	if q.PerPage != 0 && q.PerPage != DefaultPerPage {
		v.Set("per", strconv.Itoa(q.PerPage))
	}
	if len(v) == 0 {
		return "/catalog"
	}
	return "/catalog?" + v.Encode()
}

// DefaultPerPage is how many tables a page of the catalog shows.
const DefaultPerPage = 50

// The pages of administration.
const (
	AccessURL       = "/admin/access"
	GroupsURL       = "/admin/groups"
	ActivityURL     = "/admin/activity"
	ServerConfigURL = "/admin/server-config"
	RequestsURL     = "/requests"
	SimulateEndURL  = "/simulate/end"
)
