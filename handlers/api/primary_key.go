package api

import (
	"encoding/json"
	"fmt"

	"github.com/danielgtaylor/huma/v2"
)

// textOrList is a list of texts that may be sent as one text.
type textOrList []string

// UnmarshalJSON reads either form, or null.
func (l *textOrList) UnmarshalJSON(data []byte) error {
	var list []string
	if err := json.Unmarshal(data, &list); err == nil {
		*l = list
		return nil
	}
	var one string
	if err := json.Unmarshal(data, &one); err != nil {
		return fmt.Errorf("neither a text nor a list of texts: %w", err)
	}
	*l = textOrList{one}
	return nil
}

// Schema says so.
func (l textOrList) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		OneOf: []*huma.Schema{
			{Type: huma.TypeString, Nullable: true},
			{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString}},
		},
		Description: "Columns that name a row; one text or a list.",
	}
}
