package views

import "github.com/a-h/templ"

// invalid ties an input without a hint to its error, where it has one.
func invalid(id string, errors FieldErrors) templ.Attributes {
	if errors[id] == "" {
		return nil
	}
	return templ.Attributes{"aria-invalid": "true", "aria-describedby": id + "-error"}
}

// described ties an input to its error, or else to its hint.
func described(id string, errors FieldErrors) templ.Attributes {
	if errors[id] == "" {
		return templ.Attributes{"aria-describedby": id + "-hint"}
	}
	return invalid(id, errors)
}
