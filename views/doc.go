// Package views draws Agnes's pages: templ components and the typed view models
// that they take. A view cannot fail, query or know the request; everything it
// shows is in its model. Each page is a function that draws the layout around a
// fragment of the same name, so that page and fragment never differ.
package views
