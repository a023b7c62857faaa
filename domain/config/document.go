package config

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Document is one YAML file as it is edited: its keys in their order, with its
// comments. The zero value is an empty one.
type Document struct {
	tree     yaml.MapSlice
	comments yaml.CommentMap
}

// ParseDocument reads a file that Load takes. It fails for text that is not
// YAML or not one section of keys.
func ParseDocument(data []byte) (doc Document, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("parse: %v", r)
		}
	}()
	l := loader{file: map[string]entry{}}
	l.read(File{Name: "instance.yaml", Data: data}) // bounds aliases and depth
	if len(l.mistakes) > 0 {
		return Document{}, l.mistakes
	}
	doc.comments = yaml.CommentMap{}
	if len(l.file) == 0 { // nothing, or comments alone
		return doc, nil
	}
	err = yaml.UnmarshalWithOptions(data, &doc.tree, yaml.UseOrderedMap(), yaml.CommentToMap(doc.comments), yaml.AllowDuplicateMapKey())
	return doc, err
}

// Tree is what the document holds, as nested maps.
func (d Document) Tree() map[string]any { return plain(d.tree).(map[string]any) }

// Merge returns the document with a patch laid over it: maps merge, everything
// else replaces, and nil takes a key away.
func (d Document) Merge(patch map[string]any) Document {
	return Document{tree: merged(d.tree, patch), comments: d.comments}
}

// merged keeps the order of keys; new ones follow in theirs.
func merged(tree yaml.MapSlice, patch map[string]any) yaml.MapSlice {
	out := slices.Clone(tree)
	for _, name := range slices.Sorted(maps.Keys(patch)) {
		v := patch[name]
		i := slices.IndexFunc(out, func(item yaml.MapItem) bool { return fmt.Sprint(item.Key) == name })
		if v == nil {
			if i >= 0 {
				out = slices.Delete(out, i, i+1)
			}
			continue
		}
		if below, ok := v.(map[string]any); ok {
			var old yaml.MapSlice
			if i >= 0 {
				old, _ = out[i].Value.(yaml.MapSlice)
			}
			next := merged(old, below)
			if len(next) == 0 && len(below) > 0 { // nothing is left of the section
				if i >= 0 {
					out = slices.Delete(out, i, i+1)
				}
				continue
			}
			v = next
		}
		if i >= 0 {
			out[i].Value = v
		} else {
			out = append(out, yaml.MapItem{Key: name, Value: v})
		}
	}
	return out
}

// Encode writes the document. Comments stay with their keys where the library
// can put them back; what is written is read again and compared, so that it is
// the document in any case.
func (d Document) Encode() ([]byte, error) {
	if len(d.tree) == 0 {
		return nil, nil
	}
	want := d.Tree()
	for _, options := range [][]yaml.EncodeOption{
		{yaml.WithComment(d.living()), yaml.IndentSequence(true), yaml.UseLiteralStyleIfMultiline(true)},
		{yaml.WithComment(d.living())},
		{yaml.IndentSequence(true)},
		{yaml.JSON()},
	} {
		data, err := encode(d.tree, options)
		if err != nil {
			continue
		}
		if back, err := ParseDocument(data); err == nil && reflect.DeepEqual(back.Tree(), want) {
			return data, nil
		}
	}
	return nil, errors.New("the settings hold a value that cannot be written as YAML")
}

// encode guards against the library's own panics.
func encode(tree yaml.MapSlice, options []yaml.EncodeOption) (data []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("encode: %v", r)
		}
	}()
	return yaml.MarshalWithOptions(tree, options...)
}

// living are the comments whose keys are still there: the library refuses others.
func (d Document) living() yaml.CommentMap {
	kept := yaml.CommentMap{}
	for path, comments := range d.comments {
		p, err := yaml.PathString(path)
		if err != nil {
			continue
		}
		if text, err := encode(d.tree, nil); err == nil {
			if _, err := p.ReadNode(bytes.NewReader(text)); err == nil {
				kept[path] = comments
			}
		}
	}
	return kept
}

// plain turns ordered maps into maps, and numbers into the widest of their sort.
func plain(v any) any {
	switch v := v.(type) {
	case yaml.MapSlice:
		out := make(map[string]any, len(v))
		for _, item := range v {
			out[fmt.Sprint(item.Key)] = plain(item.Value)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, below := range v {
			out[key] = plain(below)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = plain(item)
		}
		return out
	case int:
		return int64(v)
	case uint64:
		if v <= 1<<63-1 {
			return int64(v)
		}
	}
	return v
}

// At returns the value at a dotted key of nested maps.
func At(tree map[string]any, key string) (any, bool) {
	var v any = tree
	for part := range strings.SplitSeq(key, ".") {
		below, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		if v, ok = below[part]; !ok {
			return nil, false
		}
	}
	return v, true
}

// Put sets the value at a dotted key of nested maps.
func Put(tree map[string]any, key string, v any) {
	name, rest, deeper := strings.Cut(key, ".")
	if !deeper {
		tree[name] = v
		return
	}
	below, ok := tree[name].(map[string]any)
	if !ok {
		below = map[string]any{}
		tree[name] = below
	}
	Put(below, rest, v)
}

// Leaves are the values of nested maps by their dotted keys; an empty map and a
// list are values.
func Leaves(tree map[string]any) map[string]any {
	out := map[string]any{}
	var walk func(prefix string, v any)
	walk = func(prefix string, v any) {
		below, ok := v.(map[string]any)
		if !ok || len(below) == 0 {
			out[prefix] = v
			return
		}
		for name, v := range below {
			walk(prefix+"."+name, v)
		}
	}
	for name, v := range tree {
		walk(name, v)
	}
	return out
}
