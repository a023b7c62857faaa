// Package handlers is the HTTP side of Agnes: the router with everything that
// holds for all routes. Who asks is found out once, what a route needs is
// checked in one place, failures are answered in one place, and each request is
// logged once. The routes themselves come from handlers/api and handlers/pages
// as values; New puts them together.
package handlers
