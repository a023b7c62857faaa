package api

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"agnes/domain/files"
)

// optionsOrNull are corrections that may be sent as null, which takes all back.
type optionsOrNull files.Options

// Schema says so.
func (optionsOrNull) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{
		AnyOf: []*huma.Schema{
			r.Schema(reflect.TypeFor[files.Options](), true, ""),
			{Type: "null"},
		},
		Description: "How a file is read: delimiter, header, types of columns and so on; what is left out is found from the file, and {} or null takes all back.",
	}
}
