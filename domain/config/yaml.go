package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// entry is one value of a file, or one section that has no value of its own.
type entry struct {
	text    string
	origin  string
	section bool
}

// The most that one file may hold, aliases counted where they are used: a few
// lines of aliases to aliases would otherwise fill the memory.
const (
	mostEntries = 20_000
	mostDepth   = 40
)

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// read adds one file's entries over those of earlier files.
func (l *loader) read(f File) {
	w := walker{l: l, file: f.Name, anchors: map[string]ast.Node{}}
	tree, err := parse(f.Data)
	if err != nil {
		l.mistakes = append(l.mistakes, w.unreadable(err))
		return
	}
	for i, doc := range tree.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.NullType || doc.Body.Type() == ast.CommentType || doc.Body.Type() == ast.CommentGroupType {
			continue
		}
		if i > 0 {
			w.mistake("", doc.Body, "the file has a second document", "Keep one document; remove the line ---.")
			return
		}
		if _, ok := w.resolve(doc.Body).(ast.MapNode); !ok {
			w.mistake("", doc.Body, "the file does not hold keys with values", "Write lines such as instance: and, indented below, name: Example.")
			return
		}
		w.walk("", doc.Body, doc.Body, 0)
	}
}

// parse guards against the parser's own panics: a configuration is text that
// people write, and a stack trace tells them nothing.
func parse(data []byte) (tree *ast.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("parse: %v", r)
		}
	}()
	return parser.ParseBytes(data, 0)
}

// walker goes through one file.
type walker struct {
	l       *loader
	file    string
	anchors map[string]ast.Node
	entries int
	full    bool
}

func (w *walker) origin(n ast.Node) string {
	if n != nil && n.GetToken() != nil && n.GetToken().Position != nil {
		return fmt.Sprintf("%s:%d", w.file, n.GetToken().Position.Line)
	}
	return w.file
}

func (w *walker) mistake(key string, n ast.Node, problem, remedy string) {
	if key == "" {
		key = "instance.yaml"
	}
	w.l.mistakes = append(w.l.mistakes, Mistake{Key: key, Origin: w.origin(n), Problem: problem, Remedy: remedy})
}

func (w *walker) unreadable(err error) Mistake {
	m := Mistake{
		Key: "instance.yaml", Origin: w.file, Problem: "this is not YAML",
		Remedy: "Check the indentation, colons and quotes of that line.",
	}
	var located interface {
		error
		GetMessage() string
		GetToken() *token.Token
	}
	if errors.As(err, &located) {
		m.Problem = located.GetMessage()
		if t := located.GetToken(); t != nil && t.Position != nil {
			m.Origin = fmt.Sprintf("%s:%d", w.file, t.Position.Line)
		}
	}
	return m
}

// resolve looks through anchors, aliases and tags. An anchor inside itself
// ends at the limits of walk.
func (w *walker) resolve(n ast.Node) ast.Node {
	for range mostDepth {
		switch t := n.(type) {
		case *ast.AnchorNode:
			w.anchors[t.Name.String()] = t.Value
			n = t.Value
		case *ast.TagNode:
			n = t.Value
		case *ast.AliasNode:
			target, ok := w.anchors[t.Value.String()]
			if !ok {
				w.mistake("", n, "the alias *"+t.Value.String()+" names nothing above it", "Write the value out.")
				return nil
			}
			n = target
		default:
			return n
		}
	}
	return nil
}

// walk adds the entries at and below n; at is the node whose line they are
// reported with.
func (w *walker) walk(key string, at, n ast.Node, depth int) {
	if w.entries++; w.full || w.entries > mostEntries || depth > mostDepth {
		if !w.full {
			w.full = true
			w.mistake(key, at, "the file holds too much", "Shorten it, and write aliases out.")
		}
		return
	}
	switch n := w.resolve(n).(type) {
	case nil, *ast.NullNode:
		if _, there := w.l.file[key]; !there {
			w.put(key, entry{origin: w.origin(at)})
		}
	case ast.MapNode:
		if key != "" {
			w.put(key, entry{origin: w.origin(at), section: true})
		}
		w.pairs(key, n, depth)
	case *ast.SequenceNode:
		w.sequence(key, at, n)
	case ast.ScalarNode:
		w.put(key, entry{text: w.expand(key, at, scalar(n)), origin: w.origin(at)})
	default:
		w.mistake(key, at, "this cannot be read", "Write a plain value, a list or a section.")
	}
}

// pairs adds a section's entries, merged ones first: the section's own win.
func (w *walker) pairs(key string, n ast.MapNode, depth int) {
	for each := n.MapRange(); each.Next(); {
		if each.Key().IsMergeKey() {
			w.merge(key, each.Value(), depth)
		}
	}
	for each := n.MapRange(); each.Next(); {
		if each.Key().IsMergeKey() {
			continue
		}
		name := each.Key().GetToken().Value
		if key != "" {
			name = key + "." + name
		}
		w.walk(name, each.Key(), each.Value(), depth+1)
	}
}

// merge adds the sections that "<<" names, of several the first one wins.
func (w *walker) merge(key string, n ast.Node, depth int) {
	list, ok := w.resolve(n).(*ast.SequenceNode)
	if !ok {
		w.walk(key, n, n, depth+1)
		return
	}
	for i := len(list.Values) - 1; i >= 0; i-- {
		w.walk(key, n, list.Values[i], depth+1)
	}
}

// sequence makes one comma-separated text of a list of plain values; any other
// list has no value that a setting could take.
func (w *walker) sequence(key string, at ast.Node, n *ast.SequenceNode) {
	var texts []string
	plain := true
	for _, item := range n.Values {
		switch value := w.resolve(item).(type) {
		case nil, *ast.NullNode:
		case ast.MapNode, *ast.SequenceNode:
			plain = false
		case ast.ScalarNode:
			texts = append(texts, w.expand(key, item, scalar(value)))
		}
	}
	w.put(key, entry{text: strings.Join(texts, ","), origin: w.origin(at), section: !plain})
}

// put replaces what an earlier file has at the key, and below it unless both
// are sections: those merge.
func (w *walker) put(key string, e entry) {
	if old := w.l.file[key]; old.section && !e.section {
		for other := range w.l.file {
			if strings.HasPrefix(other, key+".") {
				delete(w.l.file, other)
			}
		}
	}
	w.l.file[key] = e
}

// expand puts the environment's values for ${NAME}.
func (w *walker) expand(key string, n ast.Node, text string) string {
	return variable.ReplaceAllStringFunc(text, func(ref string) string {
		name := ref[2 : len(ref)-1]
		v := w.l.getenv(name)
		if v == "" {
			w.l.warn(key, w.origin(n), "${%s} is empty, because the environment does not set %s.", name, name)
		}
		return v
	})
}

// scalar is a plain value's text as written: "1_000" stays, quotes go.
func scalar(n ast.ScalarNode) string {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return strings.TrimRight(n.Value.Value, "\n")
	}
	return n.GetToken().Value
}
