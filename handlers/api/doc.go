// Package api is the JSON API of contract.md: one file per resource, each
// operation declared once with its permission, its documentation and its
// handler. New returns them as routes for the router of package handlers, and
// the OpenAPI document that describes them.
package api
