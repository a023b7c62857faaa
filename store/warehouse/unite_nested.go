package warehouse

import (
	"context"
	"slices"
	"strings"

	"agnes/domain/ducktype"
)

// Objects and lists of several files become one type where they differ only by
// members that one has and the other has not, or by the width of numbers. Others
// are JSON, which holds them all.

// uniteNested is a type that holds objects or lists of both; false where there is
// none. What is JSON within may have no value, which a look at the values tells.
func uniteNested(a, b string) (string, bool) {
	switch {
	case a == b, b == "JSON":
		return a, true
	case a == "JSON":
		return b, true
	}
	if inner, size, list := ducktype.List(a); list {
		other, same, also := ducktype.List(b)
		if !also || size != same {
			return "", false
		}
		one, ok := uniteNested(inner, other)
		return one + a[len(inner):], ok
	}
	if nested(a) || nested(b) {
		return uniteMembers(ducktype.Members(a, "STRUCT"), ducktype.Members(b, "STRUCT"))
	}
	wide := widest(a, b)
	return wide, wide != "VARCHAR"
}

// uniteMembers has all members of both objects. One at least must be in both.
func uniteMembers(a, b []string) (string, bool) {
	var names, written, types []string
	shared := false
	for _, m := range slices.Concat(a, b) {
		name, kind := ducktype.Member(m)
		at := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
		if at < 0 {
			names, types = append(names, name), append(types, kind)
			written = append(written, strings.TrimSuffix(m, kind))
			continue
		}
		one, ok := uniteNested(types[at], kind)
		if !ok {
			return "", false
		}
		types[at], shared = one, true
	}
	for i, name := range names {
		if name == "" {
			return "", false
		}
		types[i] = written[i] + types[i]
	}
	return "STRUCT(" + strings.Join(types, ", ") + ")", shared && a != nil && b != nil
}

// lossyNested reports whether an object or list of any file is not what it was once
// it is of the type of all.
func (ps *parts) lossyNested(ctx context.Context, name, kind string) (bool, error) {
	for _, p := range ps.of {
		for k, c := range p.columns {
			if strings.ToLower(c.Name) != name || c.Type == kind || c.Type == noType {
				continue
			}
			value := "p." + quoteIdent(c.Name)
			lost, err := trueFor(ctx, ps.db, []int{k}, " FROM read_parquet("+quoteFile(p.place)+", hive_partitioning = false) AS p", func(int) string {
				return anyRow("TRY_CAST(TRY_CAST(" + value + " AS " + kind + ") AS " + c.Type + ") IS DISTINCT FROM " + value)
			})
			if err != nil || len(lost) > 0 {
				return len(lost) > 0, err
			}
		}
	}
	return false, nil
}

// asJSON makes JSON of columns in all files.
func (ps *parts) asJSON(which map[string]bool) {
	for i := range ps.of {
		columns := slices.Clone(ps.of[i].columns)
		for k, c := range columns {
			if which[strings.ToLower(c.Name)] && c.Type != noType {
				columns[k].Type = "JSON"
			}
		}
		ps.of[i].columns = columns
	}
}
