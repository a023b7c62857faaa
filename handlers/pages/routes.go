package pages

import (
	"net/http"
	"slices"

	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/handlers/request"
)

// Routes lists every page and form, grouped by who may use it.
func (s *Server) Routes() []request.Route {
	forPeople := access.Terms{Interactive: true} // programs have the API
	get := func(need access.Need, pattern string, h handler) request.Route {
		return request.Route{Method: http.MethodGet, Pattern: pattern, Need: need, Terms: forPeople, Handler: s.page(h)}
	}
	post := func(need access.Need, pattern string, h handler) request.Route {
		return request.Route{Method: http.MethodPost, Pattern: pattern, Need: need, Terms: forPeople, Handler: s.page(h)}
	}
	live := get(access.Admin, "/syncs/live", s.syncsLive)
	live.Stream = true
	upload := post(access.Admin, "/uploads", s.upload)
	upload.Long, upload.MaxBody = true, request.NoLimit
	console := get(access.SignedIn, "/console", s.consolePage) // sorts kept rows, bounded by the query's own limit
	console.Long = true
	preview := get(access.Admin, "/uploads/{id}", s.previewPage) // as long as its child may take
	preview.Long = true
	file := get(access.Admin, "/files/{name}", s.filePage)
	file.Long = true
	some := get(access.Admin, "/files", s.filesPage)
	some.Long = true
	export := post(access.SignedIn, "/console/csv", s.consoleCSV)
	export.Long = true
	inspect := post(access.Admin, "/sources/{name}/inspect", s.sourceInspect) // as long as its child may take
	inspect.Long = true
	rename := post(access.Admin, "/sources/{name}/tables/{table}/rename", s.sourceRename)
	rename.Long = true
	signIn := post(access.Public, "/login", s.signIn)
	signIn.SignIn = true
	firstRun := post(access.Public, "/first-run", s.firstRun)
	firstRun.SignIn = true
	service := func(pattern string, h handler) request.Route {
		route := get(access.Public, pattern, h)
		route.SignIn, route.Limited = true, http.HandlerFunc(tooManyTrips)
		return route
	}

	proves := func(pattern string, h handler) request.Route {
		route := post(access.Public, pattern, h)
		route.SignIn = true
		return route
	}

	mails := func(pattern string, h handler) request.Route {
		route := proves(pattern, h)
		route.Attempts = mailsAsked
		return route
	}

	password := post(access.SignedIn, "/profile/password", s.accountPassword)
	password.SignIn = true // the current one is asked for
	confirm := post(access.SignedIn, "/confirm", s.confirm)
	confirm.SignIn = true

	return slices.Concat(s.peopleRoutes(), s.groupRoutes(), s.activityRoutes(), s.settingsRoutes(), s.formRoutes(), s.accessRoutes(), []request.Route{
		get(access.Public, "/", s.home),
		get(access.Public, "/login", s.signInPage),
		signIn,
		get(access.Public, "/first-run", s.firstRunPage),
		firstRun,
		post(access.Public, "/logout", s.signOut),
		post(access.Public, "/theme", s.themeChange),

		mails("/login/link", s.linkAsk),
		get(access.Public, "/login/sent", s.linkSent),
		proves("/login/code", s.codeSignIn),
		get(access.Public, "/login/link/open", s.linkOpenPage),
		proves("/login/link/open", s.linkOpen),
		get(access.Public, "/login/password", s.signInPassword),
		get(access.Public, "/login/forgot", s.forgotPage),
		mails("/login/forgot", s.forgot),
		get(access.Public, "/login/forgot/sent", s.forgotSent),
		get(access.Public, resetPath, s.newPasswordPage(people.ToReset, resetPath)),
		proves(resetPath, s.newPassword(people.ToReset, resetPath)),
		get(access.Public, setUpPath, s.newPasswordPage(people.ToSetUp, setUpPath)),
		proves(setUpPath, s.newPassword(people.ToSetUp, setUpPath)),
		service("/auth/google/login", s.serviceLogin(people.ByGoogle)),
		service("/auth/google/callback", s.serviceCallback(people.ByGoogle)),
		service("/auth/oidc/login", s.serviceLogin(people.ByOIDC)),
		service("/auth/oidc/callback", s.serviceCallback(people.ByOIDC)),

		get(access.SignedIn, "/catalog", s.catalog),
		console,
		post(access.SignedIn, "/console", s.consoleRun),
		post(access.SignedIn, "/console/runs/{id}/cancel", s.consoleCancel),
		post(access.SignedIn, "/console/runs/{id}/forget", s.consoleForget),
		get(access.SignedIn, "/console/history", s.consoleHistory),
		export,
		get(access.SignedIn, "/console/schema.json", s.consoleSchema),
		get(access.SignedIn, "/palette.json", s.palette),
		get(access.SignedIn, "/docs", s.reference),

		get(access.SignedIn, "/profile", s.account),
		post(access.SignedIn, "/profile/name", s.accountRename),
		password,
		post(access.SignedIn, "/profile/sessions/others/end", s.sessionsEndOthers),
		post(access.SignedIn, "/profile/sessions/all/end", s.sessionsEndAll),
		post(access.SignedIn, "/profile/sessions/{id}/end", s.sessionEnd),
		post(access.SignedIn, "/profile/tokens", s.tokenMake),
		post(access.SignedIn, "/profile/tokens/{id}/rotate", s.tokenRotate),
		post(access.SignedIn, "/profile/tokens/{id}/revoke", s.tokenRevoke),
		get(access.SignedIn, "/confirm", s.confirmPage),
		confirm,
		post(access.SignedIn, "/confirm/again", s.confirmAgain),

		get(access.NeedTable, "/tables/{id}", s.tablePage),

		post(access.Admin, "/tables/{id}/sync", s.tableSync),
		post(access.Admin, "/tables/{id}/profile", s.tableProfile),
		post(access.Admin, "/tables/{id}/remove", s.tableRemove),
		post(access.Admin, "/tables/{id}/settings", s.tableSettings),
		post(access.Admin, "/tables/{id}/versions/{version}/restore", s.versionRestore),
		post(access.Admin, "/samples", s.samplesLoad),
		post(access.Admin, "/samples/remove", s.samplesRemove),
		get(access.Admin, "/add", s.addPage),
		upload,
		preview,
		post(access.Admin, "/uploads/{id}", s.previewSave),
		post(access.Admin, "/uploads/{id}/discard", s.previewDiscard),
		file,
		post(access.Admin, "/files/{name}", s.fileSave),
		some,
		post(access.Admin, "/files", s.filesSave),
		get(access.Admin, "/sources", s.sourcesPage),
		inspect,
		rename,
		get(access.Admin, "/syncs", s.syncsPage),
		live,
		post(access.Admin, "/syncs/rebuild", s.rebuild),
		post(access.Admin, "/runs/{id}/cancel", s.runCancel),
		post(access.Admin, "/runs/{id}/publish", s.runPublish),
		post(access.Admin, "/runs/{id}/discard", s.runDiscard),

		get(access.Admin, "/admin/mail", s.mailPage),
		post(access.Admin, "/admin/mail/test", s.mailTest),
	})
}
