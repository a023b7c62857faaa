package settings

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"agnes/domain"
	"agnes/domain/config"
)

// secret reports whether the value of a key is never shown.
func secret(key string) bool {
	f, known := config.FieldOf(key)
	if known {
		return f.Secret
	}
	return config.IsSensitive(key)
}

// Hidden reports whether the API shows a mask for a key (contract 4.8): it goes
// by the name alone, and of everything that lies below it.
func Hidden(key string) bool {
	for part := range strings.SplitSeq(key, ".") {
		if config.IsSensitive(part) {
			return true
		}
	}
	return secret(key)
}

// masked reports whether a value is what the API shows for one that it hides.
func masked(v any) bool { return v == config.MaskSet || v == config.MaskEmpty }

// textOf is a value as people read and write it.
func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case []any:
		var parts []string
		for _, item := range v {
			switch item.(type) {
			case map[string]any, []any:
				return jsonOf(v)
			}
			parts = append(parts, textOf(item))
		}
		return strings.Join(parts, ",")
	case map[string]any:
		return jsonOf(v)
	}
	return fmt.Sprint(v)
}

// jsonOf is a value without what is secret in it.
func jsonOf(v any) string {
	text, err := json.Marshal(Masked("", v))
	if err != nil {
		return ""
	}
	return string(text)
}

// Masked is a value with a mask in place of each secret, however deep.
func Masked(key string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, below := range v {
			out[name] = Masked(join(key, name), below)
		}
		return out
	case []any:
		if Hidden(key) {
			return mask(len(v) > 0)
		}
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = Masked(key, item)
		}
		return out
	}
	if key != "" && Hidden(key) {
		return mask(textOf(v) != "")
	}
	return v
}

func mask(set bool) string {
	if set {
		return config.MaskSet
	}
	return config.MaskEmpty
}

func join(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + "." + name
}

// unmasked is a patch without the masks that came back in it.
func unmasked(key string, patch map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range patch {
		path := join(key, name)
		below, deeper := v.(map[string]any)
		switch {
		case deeper && len(below) > 0:
			if kept := unmasked(path, below); len(kept) > 0 {
				out[name] = kept
			}
		case masked(v) && Hidden(path):
		default:
			out[name] = v
		}
	}
	return out
}

// The story of a secret, as editions keep it in place of the secret.
const storySet = "set"

// fieldsOf are the values of a document by key. known tells of the secrets that
// it has in common with an earlier state.
func fieldsOf(doc config.Document, known domain.Fields) domain.Fields {
	fields := domain.Fields{}
	for key, v := range config.Leaves(doc.Tree()) {
		if !Hidden(key) {
			fields[key] = textOf(v)
			continue
		}
		if textOf(v) == "" {
			continue
		}
		if fields[key] = known[key]; fields[key] == "" {
			fields[key] = storySet
		}
	}
	return fields
}
