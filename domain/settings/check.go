package settings

import (
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"agnes/domain"
	"agnes/domain/config"
)

const codeWrongValue = "wrong_value"

// checked returns the patch with each value of the sort that its field takes,
// and fails with Invalid for keys and values that cannot be.
func (e *Editor) checked(ctx context.Context, now *present, patch map[string]any) (map[string]any, error) {
	out := map[string]any{}
	problems := map[string]string{}
	leaves := config.Leaves(patch)
	for _, key := range slices.Sorted(maps.Keys(leaves)) {
		v, err := e.one(now, key, leaves[key])
		if err != nil {
			problems[key] = err.Error()
			continue
		}
		if keep(now, key, v) {
			config.Put(out, key, v)
		}
	}
	if len(problems) > 0 {
		return nil, &domain.Error{Kind: domain.Invalid, Code: codeWrongValue, Message: "Some values cannot be used, so nothing was changed.", Fields: problems}
	}
	if err := e.outside(ctx, out); err != nil {
		return nil, err
	}
	return out, nil
}

// wrong says why a value cannot be one of a setting's.
func wrong(format string, args ...any) error {
	return domain.E(domain.Invalid, codeWrongValue, format, args...)
}

// keep leaves out an empty section, which sets nothing.
func keep(now *present, key string, v any) bool {
	below, isMap := v.(map[string]any)
	_, there := config.At(now.doc.Tree(), key)
	return !isMap || len(below) > 0 || !there && strings.Contains(key, ".")
}

// one checks one value; its errors are sentences.
func (e *Editor) one(now *present, key string, v any) (any, error) {
	field, known := config.FieldOf(key)
	section, _ := config.SectionOf(config.SectionName(key))
	if !known && !section.Free && !inMap(key) && v != nil && key != section.Name {
		if _, there := config.At(now.doc.Tree(), key); !there {
			return nil, wrong("Agnes does not know this key, so it would have no effect.")
		}
	}
	v = number(v)
	if was, there := config.At(mergedTree(now.in), key); refers(v) && (!there || !reflect.DeepEqual(was, v)) {
		return nil, wrong("A value that is saved here cannot take a variable. The operator's file can.")
	}
	if locked := lockedBy(now.cfg, key); locked != "" && v != nil && textOf(v) != effective(now.in, now.cfg, key) {
		return nil, wrong("%s sets this, so a value here would have no effect. Change it there, or take it away there first.", locked)
	}
	if !known || v == nil {
		return v, nil
	}
	return fitting(field, v)
}

// inMap reports whether a key lies in a field that takes any keys.
func inMap(key string) bool {
	for i, c := range key {
		if c != '.' {
			continue
		}
		if f, known := config.FieldOf(key[:i]); known && (f.Kind == config.Map || f.Kind == config.Object) {
			return true
		}
	}
	return false
}

// number turns numbers as JSON has them into those that files have.
func number(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		if f, err := v.Float64(); err == nil {
			return f
		}
		return v.String()
	case float64:
		if n := int64(v); float64(n) == v {
			return n
		}
	case int:
		return int64(v)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = number(item)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, below := range v {
			out[name] = number(below)
		}
		return out
	}
	return v
}

// fitting is a value as the file keeps it; its errors are sentences.
func fitting(f config.Setting, v any) (any, error) {
	text, isText := v.(string)
	_, isMap := v.(map[string]any)
	_, isList := v.([]any)
	if wants := f.Kind == config.Map || f.Kind == config.Object; isMap != wants && (!isText || text != "") && (isMap || wants) {
		return nil, wrong("This takes %s.", takes(f.Kind))
	}
	if isList && f.Kind != config.Array {
		return nil, wrong("This takes %s.", takes(f.Kind))
	}
	if strings.ContainsRune(text, 0) {
		return nil, wrong("This holds a character that no setting has.")
	}
	if isText && text != "" {
		switch f.Kind {
		case config.Int:
			if n, err := strconv.ParseInt(text, 10, 64); err == nil {
				v = n
			}
		case config.Bool:
			if b, err := strconv.ParseBool(text); err == nil && len(text) > 1 {
				v = b
			}
		case config.String, config.Float, config.Select, config.Hidden, config.Array, config.Map, config.Object:
		}
	}
	if !f.Later || textOf(v) == "" {
		return v, nil
	}
	if err := config.CheckLater(f, textOf(v)); err != nil {
		return nil, wrong("%s %s.", strconv.Quote(textOf(v)), err)
	}
	return v, nil
}

func takes(k config.Kind) string {
	switch k {
	case config.Array:
		return "a list, or values with commas between"
	case config.Map, config.Object:
		return "a section of keys with values"
	case config.String, config.Int, config.Float, config.Bool, config.Select, config.Hidden:
	}
	return "one value"
}

// lockedBy names the variable or flag that sets a key, "" when none does.
func lockedBy(cfg config.Config, key string) string {
	for _, e := range cfg.Effective() {
		if e.Key != key {
			continue
		}
		if strings.HasPrefix(e.Origin, "--") || slices.Contains(e.Env, e.Origin) {
			return e.Origin
		}
	}
	return ""
}

// stackURL is the address that the server itself will call.
const stackURL = "data_source.keboola.stack_url"

// outside refuses addresses within the server's own network. The name may point
// elsewhere when it is used: who calls it checks again, on the connection.
func (e *Editor) outside(ctx context.Context, patch map[string]any) error {
	v, sent := config.At(patch, stackURL)
	text := textOf(v)
	if !sent || text == "" {
		return nil
	}
	refuse := func(why string) error {
		return &domain.Error{Kind: domain.Invalid, Code: "stack_url", Message: why, Fields: map[string]string{stackURL: why}}
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil {
		return refuse("The address of the Keboola stack is no whole web address, such as https://connection.keboola.com. Nothing was changed.")
	}
	found, err := e.Resolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil || len(found) == 0 {
		return refuse("The name of the Keboola stack cannot be found, so nothing was changed. Check its spelling.")
	}
	for _, addr := range found {
		if !Public(addr) {
			return refuse("The address of the Keboola stack leads into the server's own network, so nothing was changed.")
		}
	}
	return nil
}
