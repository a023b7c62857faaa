package activity

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"unicode/utf8"

	"agnes/domain"
	"agnes/domain/audit"
)

// What a saved view may be.
const (
	MaxViewName = 80
	MaxViewSize = 64 << 10
	MaxViews    = 100
)

// KeepView keeps a filter under a name of somebody's; one of the same name is
// replaced. query is a JSON object.
func (l *Log) KeepView(ctx context.Context, by audit.Actor, name string, query json.RawMessage) (audit.View, error) {
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return audit.View{}, domain.E(domain.Invalid, "view_name", "A view needs a name.")
	case utf8.RuneCountInString(name) > MaxViewName:
		return audit.View{}, domain.E(domain.Invalid, "view_name", "The name of a view has at most %d characters.", MaxViewName)
	case len(query) > MaxViewSize:
		return audit.View{}, domain.E(domain.Invalid, "view_size", "What a view holds is larger than 64 KiB.")
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(query, &object); err != nil || object == nil {
		return audit.View{}, domain.E(domain.Invalid, "view_query", "What a view holds must be a JSON object.")
	}
	return l.SaveView(ctx, by, name, string(query))
}

// ViewValues is what a view holds as an address does; values that are no plain
// ones are left out.
func ViewValues(v audit.View) url.Values {
	var object map[string]any
	if json.Unmarshal([]byte(v.Query), &object) != nil {
		return url.Values{}
	}
	values := url.Values{}
	for name, value := range object {
		switch value := value.(type) {
		case string:
			values.Set(name, value)
		case bool:
			if value {
				values.Set(name, "1")
			}
		}
	}
	return values
}
