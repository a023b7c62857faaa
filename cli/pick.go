package cli

import (
	"slices"
	"strings"

	"github.com/agext/levenshtein"

	"agnes/domain"
)

// leastPrefix is how much of an id must be typed.
const leastPrefix = 4

// named is one thing that a person can mean by its id or its name.
type named struct {
	id, name string
	// opaque ids are drawn by chance, so a part of one is enough; an id that is
	// a name must be written out, because its beginning may be another's whole.
	opaque bool
}

// pick finds the thing that ref means: its id, its name, or the beginning of an
// opaque id. It fails with the nearest names, or with the ids that ref fits.
func pick(noun, ref string, things []named) (named, error) {
	for _, t := range things {
		if t.id == ref {
			return t, nil
		}
	}
	var byName, byPrefix []named
	for _, t := range things {
		if strings.EqualFold(t.name, ref) || strings.EqualFold(t.id, ref) {
			byName = append(byName, t)
		}
		if t.opaque && len(ref) >= leastPrefix && strings.HasPrefix(strings.ToLower(t.id), strings.ToLower(ref)) {
			byPrefix = append(byPrefix, t)
		}
	}
	found := byName
	if len(found) == 0 {
		found = byPrefix
	}
	switch len(found) {
	case 0:
		return named{}, notFound(noun, ref, things)
	case 1:
		return found[0], nil
	}
	ids := make([]string, len(found))
	for i, t := range found {
		ids[i] = t.id + " (" + t.name + ")"
	}
	return named{}, domain.E(domain.Invalid, "ambiguous", "%q means more than one %s: %s. Name it by its id.", ref, noun, clean(strings.Join(ids, ", ")))
}

func notFound(noun, ref string, things []named) error {
	near := nearest(ref, things)
	if len(near) == 0 {
		return domain.E(domain.NotFound, "not_found", "There is no %s %q.", noun, ref)
	}
	return domain.E(domain.NotFound, "not_found", "There is no %s %q. Did you mean %s?", noun, ref, clean(strings.Join(near, " or ")))
}

// nearest lists up to three names that differ little from ref.
func nearest(ref string, things []named) []string {
	type candidate struct {
		name     string
		distance int
	}
	ref = strings.ToLower(ref)
	var near []candidate
	for _, t := range things {
		name := strings.ToLower(t.name)
		d := levenshtein.Distance(ref, name, nil)
		if len(ref) >= 3 && (strings.Contains(name, ref) || strings.Contains(ref, name)) {
			d = 1
		}
		if d <= max(1, len(ref)/3) {
			near = append(near, candidate{t.name, d})
		}
	}
	slices.SortFunc(near, func(a, b candidate) int {
		if a.distance != b.distance {
			return a.distance - b.distance
		}
		return strings.Compare(a.name, b.name)
	})
	var names []string
	for _, c := range near[:min(3, len(near))] {
		names = append(names, c.name)
	}
	return names
}
