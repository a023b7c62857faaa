package api

import (
	"strings"

	"agnes/domain/config"
	"agnes/domain/settings"
)

// describeSection is the tree of a section's fields, as contract 4.8 has it.
func describeSection(s settings.SectionView) map[string]knownField {
	root := map[string]knownField{}
	for _, f := range s.Fields {
		place(root, strings.Split(f.Setting.Key, ".")[1:], describe(f.Setting))
	}
	return root
}

// place puts a field where its key says, in objects as deep as needed.
func place(in map[string]knownField, path []string, f knownField) {
	if len(path) == 1 {
		in[path[0]] = f
		return
	}
	around, ok := in[path[0]]
	if !ok {
		around = knownField{Kind: string(config.Object), Fields: map[string]knownField{}}
	}
	place(around.Fields, path[1:], f)
	in[path[0]] = around
}

func describe(s config.Setting) knownField {
	f := knownField{
		Kind: string(s.Kind), Hint: s.About, Default: s.Default, Options: s.Options,
		RestartRequired: !s.Live && !s.Later, Unused: s.Later,
	}
	if s.Kind == config.Array {
		f.ItemKind = string(config.String)
	}
	return f
}
