package access

import (
	"cmp"
	"slices"
	"strings"
)

// maxNear is how many names Near returns.
const maxNear = 3

// Near returns names of tables in the catalog that somebody may have meant by
// name, the nearest first: those that differ by a few letters, and those that
// contain it or are contained in it. A qualifier in front does not count.
func (c Catalog) Near(name string) []string {
	asked := strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])
	if len(asked) > 4*maxWord || asked == "" {
		return nil
	}
	type candidate struct {
		name     string
		distance int
	}
	var near []candidate
	for _, t := range c.tables {
		known := strings.ToLower(t.Name)
		limit := 1 + min(len(asked), len(known))/4
		d := distance(asked, known, limit)
		switch {
		case d <= limit:
		case len(asked) >= 3 && strings.Contains(known, asked), len(known) >= 3 && strings.Contains(asked, known):
			d = maxWord + max(len(known)-len(asked), len(asked)-len(known))
		default:
			continue
		}
		near = append(near, candidate{t.Name, d})
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	names := make([]string, 0, maxNear)
	for _, n := range near[:min(len(near), maxNear)] {
		names = append(names, n.name)
	}
	return names
}

// maxWord is longer than any name whose letters are compared.
const maxWord = 64

// distance is how many letters must be put in, taken out, changed or swapped
// with their neighbours to make b of a; more than limit when it is more.
func distance(a, b string, limit int) int {
	if len(a) > maxWord || len(b) > maxWord || max(len(a)-len(b), len(b)-len(a)) > limit {
		return limit + 1
	}
	var table [3][maxWord + 1]int8
	older, last, row := &table[0], &table[1], &table[2]
	for j := range len(b) + 1 {
		last[j] = int8(j)
	}
	for i := 1; i <= len(a); i++ {
		row[0] = int8(i)
		least := row[0]
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(last[j]+1, row[j-1]+1, change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], older[j-2]+1)
			}
			least = min(least, row[j])
		}
		if int(least) > limit {
			return limit + 1
		}
		older, last, row = last, row, older
	}
	return int(last[len(b)])
}
